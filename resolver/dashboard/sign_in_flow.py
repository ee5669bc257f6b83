"""Sign-ins with an OpenID provider that have begun: what the browser keeps of them, and what pldns expects back.

The cookie of a sign-in says where it leads and until when it counts. State, nonce and verifier (RFC 7636, RFC 9700
§2.1) are digests of that cookie with a key of this process. So a sign-in that nobody finishes costs pldns no memory,
nobody can push out the sign-ins of others, and a cookie that was changed, or is of another browser, has another state.

Does not know requests or the provider.
"""

import base64
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from resolver.admin.access.authorization_code import FlowSecrets
from resolver.dashboard.sign_in_problems import Problem

LASTS: Final = 600.0
"""Seconds within which a person must have signed in."""
_USED: Final = 10_000
"""Sign-ins that are known to be used. The provider refuses a code that comes again all the same."""
_BITS: Final = 256


class Begun(msgspec.Struct, frozen=True):
    """A sign-in, as its cookie has it."""

    random: str
    following: str
    """The view to show afterwards."""
    redirect: str
    """Where the provider sends the browser back."""
    until: float
    """Seconds on the steady clock."""


class FlowRefused(Exception):  # noqa: N818 - the sign-in was
    """A browser that came back is refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.meaning)
        self.problem = problem


class Flows:
    """The sign-ins of this process. `clock`: a steady one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(_BITS // 8)
        self._clock = clock
        self._used: OrderedDict[str, None] = OrderedDict()

    def begin(self, following: str, redirect: str) -> tuple[str, FlowSecrets]:
        """Begin a sign-in. Return the value of its cookie, and its secrets."""
        begun = Begun(secrets.token_urlsafe(_BITS // 8), following, redirect, self._clock() + LASTS)
        cookie = _text(msgspec.json.encode(begun))
        return cookie, self._secrets(cookie)

    def end(self, cookie: str, state: str) -> tuple[Begun, FlowSecrets]:
        """Return the sign-in whose cookie and state have come back, which counts no more. Raises `FlowRefused`."""
        if state in self._used:
            raise FlowRefused(Problem.USED)
        expected = self._secrets(cookie)
        if not hmac.compare_digest(expected.state.encode(), state.encode(errors="surrogateescape")):
            raise FlowRefused(Problem.UNKNOWN)
        begun = msgspec.json.decode(base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)), type=Begun)
        if begun.until <= self._clock():
            raise FlowRefused(Problem.TOO_OLD)
        self._used[state] = None
        if len(self._used) > _USED:
            self._used.popitem(last=False)
        return begun, expected

    def _secrets(self, cookie: str) -> FlowSecrets:
        octets = cookie.encode(errors="surrogateescape")
        made = (hmac.digest(self._key, what + octets, "sha256") for what in (b"state ", b"nonce ", b"verifier "))
        return FlowSecrets(*map(_text, made))


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
