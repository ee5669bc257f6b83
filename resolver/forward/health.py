"""The state of upstream servers: round-trip times, servers that are down, EDNS support and cookies.

All of it is learned from the queries of clients. A server that is down is asked last. From time to time a client's
query is also sent to it as a probe; no client waits for a probe. Pure: time and randomness are arguments.
"""

from collections.abc import Callable
from typing import Final

from resolver.settings import Server, UpstreamGroup
from zones.clocks import SteadyTime

FAILURES: Final = 2
"""Failures in a row after which a server is down."""
FIRST_RETRY: Final = 1.0
"""Seconds until a server that is down is probed for the first time."""
LAST_RETRY: Final = 30.0
"""Longest time in seconds until a server that is down is probed. The time doubles after each failed probe."""
_PLAIN: Final = 900.0  # seconds for which a server without EDNS support is asked without EDNS
_GAIN: Final = 0.25  # weight of a new sample in the smoothed round-trip time
_EXPLORE: Final = 20  # one of this many questions goes to another server than the fastest
_UNKNOWN: Final = 0.05  # seconds; round-trip time of a server that has not been asked
_FAILED: Final = 1.5  # factor of the round-trip time after a failure

Dice = Callable[[int], int]
"""Returns a random number from 0 to its argument - 1."""


class _ServerState:
    __slots__ = ("cookie", "delay", "down", "failures", "plain", "probe_at", "rtt")

    def __init__(self) -> None:
        self.rtt = _UNKNOWN
        self.failures = 0
        self.down = False
        self.delay = FIRST_RETRY
        self.probe_at = SteadyTime(0.0)
        self.plain = SteadyTime(0.0)
        """Time until which the server is asked without EDNS."""
        self.cookie = b""


class Health:
    """The state of every server."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._states: dict[Server, _ServerState] = {}
        self._turns: dict[str, int] = {}

    def _of(self, server: Server) -> _ServerState:
        state = self._states.get(server)
        if state is None:
            state = self._states[server] = _ServerState()
        return state

    # -- the order of servers

    def order(self, group: UpstreamGroup) -> list[Server]:
        """Return the servers of a group in the order to ask them. Servers that are down are last, not left out."""
        servers = list(group.servers)
        if group.policy == "round-robin":
            turn = self._turns[group.name] = self._turns.get(group.name, -1) + 1
            turn %= len(servers) or 1
            servers = servers[turn:] + servers[:turn]
        elif group.policy == "fastest":
            servers.sort(key=lambda server: self._of(server).rtt)
            if len(servers) > 1 and not self._dice(_EXPLORE):
                servers.insert(0, servers.pop(1 + self._dice(len(servers) - 1)))
        return sorted(servers, key=self._lateness)

    def _lateness(self, server: Server) -> float:
        """Return when a server that is down is to be probed; 0 for one that is up."""
        state = self._states.get(server)
        return state.probe_at if state is not None and state.down else 0.0

    def probe(self, group: UpstreamGroup, now: SteadyTime) -> Server | None:
        """Return a server of the group that is due for a probe, and schedule its next one. None: no server is due."""
        for server in group.servers:
            state = self._states.get(server)
            if state is not None and state.down and now >= state.probe_at:
                self._put_off(state, now)
                return server
        return None

    def hedge(self, server: Server) -> float:
        """Return the seconds after which a race starts with a second server: three round-trip times, 0.03 to 0.3 s."""
        return min(max(3 * self._of(server).rtt, 0.03), 0.3)

    def is_down(self, server: Server) -> bool:
        """Return whether the server is down: its last queries have failed."""
        return server in self._states and self._states[server].down

    # -- results of queries

    def answered(self, server: Server, rtt: float) -> None:
        """Record a reply, of any content, after `rtt` seconds."""
        state = self._of(server)
        state.rtt += _GAIN * (rtt - state.rtt)
        state.failures, state.down, state.delay = 0, False, FIRST_RETRY

    def refused(self, server: Server, now: SteadyTime) -> None:
        """Record an error reply to a question that another server then answered."""
        if server.count_errors:
            self.failed(server, now)

    def failed(self, server: Server, now: SteadyTime) -> None:
        """Record no reply, or a server that cannot be reached. Malformed and forged replies are not failures."""
        state = self._of(server)
        state.failures += 1
        state.rtt = min(state.rtt * _FAILED, 5.0)
        if not state.down and state.failures >= FAILURES:
            state.down = True
            self._put_off(state, now)

    def _put_off(self, state: _ServerState, now: SteadyTime) -> None:
        """Schedule the next probe after 0.75 to 1.25 times the delay, and double the delay."""
        state.probe_at = SteadyTime(now + state.delay * (0.75 + self._dice(501) / 1000))
        state.delay = min(state.delay * 2, LAST_RETRY)

    # -- EDNS and cookies

    def is_plain(self, server: Server, now: SteadyTime) -> bool:
        """Return whether the server must be asked without EDNS (RFC 6891 §6.2.2)."""
        state = self._states.get(server)
        return state is not None and now < state.plain

    def learn_plain(self, server: Server, now: SteadyTime) -> None:
        """Record that the server answered only without EDNS. EDNS is tried again after 15 minutes."""
        self._of(server).plain = SteadyTime(now + _PLAIN)

    def cookie(self, server: Server) -> bytes:
        """Return the cookie for a query (RFC 7873 §5.1): a client cookie, 8 octets, then the server's if known.

        Each server gets a different client cookie.
        """
        state = self._of(server)
        if not state.cookie:
            state.cookie = bytes(self._dice(256) for _ in range(8))
        return state.cookie

    def is_ours(self, server: Server, cookie: bytes) -> bool:
        """Return whether the cookie in a reply begins with the client cookie for this server (RFC 7873 §5.3)."""
        return cookie[:8] == self.cookie(server)[:8]

    def has_cookie(self, server: Server) -> bool:
        """Return whether the server has sent a cookie before. A reply without one may then be forged."""
        state = self._states.get(server)
        return state is not None and len(state.cookie) > 8

    def learn_cookie(self, server: Server, cookie: bytes) -> None:
        """Record the cookie in a reply. A cookie that only repeats the client cookie is ignored."""
        if 16 <= len(cookie) <= 40:
            self._of(server).cookie = cookie

    def forget_cookie(self, server: Server) -> None:
        """Record that the server sends no cookies any more."""
        state = self._of(server)
        state.cookie = state.cookie[:8]
