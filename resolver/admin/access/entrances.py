"""The ways into the admin interface: each one finds out who a request is from.

Does not know routes, or which role a route needs.
"""

from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web

from resolver.admin.access import peers
from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.tokens import Tokens
from resolver.admin_settings import AdminSettings

ANYBODY: Final = Identity("anybody", Role.READ, is_proven=False)
_SCHEME: Final = "bearer "
_LONGEST: Final = 8192
"""Characters of a token."""


class Entrance(Protocol):
    """A listener, as far as access is concerned."""

    def identify(self, request: web.Request) -> Identity:
        """Return who a request is from. Raises `Refused`."""


class HealthEntrance:
    """The listener for health checks: everybody may read what is there."""

    def identify(self, _: web.Request) -> Identity:
        """Return the same identity for every request."""
        return ANYBODY


class UnixEntrance:
    """The Unix socket. `group`: number of the group whose members may use it."""

    def __init__(self, group: int | None) -> None:
        self._group = group

    def identify(self, request: web.Request) -> Identity:
        """Return the user at the other end. Raises `Refused` for a user who may not use the socket."""
        connected = request.get_extra_info("socket")
        try:
            found = None if connected is None else peers.identity(peers.peer(connected), self._group)
        except OSError:  # the client has gone
            found = None
        if found is None:
            raise Refused(
                Code.USER_REFUSED,
                "this socket is for root, the user of pldns, and members of the group in `admin.group`",
            )
        return found


class NetworkEntrance:
    """The TCP listener: tokens. On a loopback address, everybody may read while there is no token."""

    def __init__(self, settings: Callable[[], AdminSettings], tokens: Tokens) -> None:
        """`settings`: those in effect, which a reload replaces."""
        self._settings = settings
        self._tokens = tokens

    def identify(self, request: web.Request) -> Identity:
        """Return who a request is from. Raises `Refused` for a wrong token, and without any where one is needed."""
        headers, settings = request.headers.getall("Authorization", []), self._settings()
        if headers:
            scheme, text = headers[0][: len(_SCHEME)], headers[0][len(_SCHEME) :].strip()
            if len(headers) == 1 and scheme.lower() == _SCHEME and len(text) <= _LONGEST:
                return self._of_token(text, settings, request)
            raise Refused(Code.TOKEN_INVALID, "the header must be `Authorization: Bearer TOKEN`")
        if self._is_open(settings):
            return ANYBODY
        raise Refused(Code.TOKEN_MISSING, "this needs a token: `Authorization: Bearer TOKEN`")

    def _of_token(self, text: str, settings: AdminSettings, request: web.Request) -> Identity:
        token = self._tokens.matching(text, settings.tokens)
        if token is None:
            raise Refused(Code.TOKEN_INVALID, "the token is wrong, revoked or expired")
        return Identity(f"token {token.name} at {request.remote}", Role(token.role))

    def _is_open(self, settings: AdminSettings) -> bool:
        is_loopback = settings.listen is not None and settings.listen.address.is_loopback
        return is_loopback and not (settings.tokens or self._tokens.made or self._tokens.unreadable)
