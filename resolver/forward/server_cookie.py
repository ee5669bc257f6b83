"""The DNS cookie that is exchanged with one server (RFC 7873, RFC 9018), as the client.

Does not know packets. Pure: time and randomness are arguments.
"""

from collections.abc import Callable
from typing import Final, Literal

from zones.clocks import SteadyTime

CookieState = Literal["none", "client", "server", "paused"]
"""No cookie yet, the client's part, the server's part too, or none for a while because one came back wrong."""
PAUSE: Final = 900.0
"""Seconds for which a server that sent a wrong cookie gets none."""
_CLIENT: Final = 8  # octets of a client cookie
_SHORTEST, _LONGEST = 16, 40  # octets of a cookie with the server's part


class ServerCookie:
    """The cookie of one server. Each server gets a different client cookie (RFC 7873 §5.1)."""

    __slots__ = ("_paused", "_value", "known")

    def __init__(self) -> None:
        self._value = b""
        self._paused = SteadyTime(0.0)
        self.known = False
        """Whether the server has sent a cookie before. A reply without one may then be forged."""

    def to_send(self, now: SteadyTime, dice: Callable[[int], int]) -> bytes:
        """Return the cookie for a query: the client cookie, then the server's if known. Empty: send none."""
        if now < self._paused:
            return b""
        if not self._value:
            self._value = bytes([dice(256) for _ in range(_CLIENT)])
        return self._value

    def begins(self, cookie: bytes) -> bool:
        """Return whether the cookie in a reply begins with the client cookie of this server (RFC 7873 §5.3)."""
        return bool(self._value) and cookie[:_CLIENT] == self._value[:_CLIENT]

    def paused(self, now: SteadyTime) -> bool:
        """Return whether the server gets no cookies for now."""
        return now < self._paused

    def state(self, now: SteadyTime) -> CookieState:
        """Return what a query to the server has now."""
        if now < self._paused:
            return "paused"
        return "server" if self.known else "client" if self._value else "none"

    def learn(self, cookie: bytes) -> None:
        """Record the cookie in a reply. A cookie that only repeats the client cookie is ignored."""
        if _SHORTEST <= len(cookie) <= _LONGEST:
            self._value, self.known = cookie, True

    def forget(self) -> None:
        """Record that the server sends no cookies any more."""
        self._value, self.known = self._value[:_CLIENT], False

    def pause(self, now: SteadyTime) -> None:
        """Record a wrong cookie: a program between this server and the other changes cookies."""
        self._value, self.known, self._paused = b"", False, SteadyTime(now + PAUSE)
