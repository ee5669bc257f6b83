"""The ways into the admin interface: each one finds out who a request is from.

Does not know routes, or which role a route needs.
"""

import ssl
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web

from resolver.admin.access import client_certificates, peers
from resolver.admin.access.bearer import BearerTokens
from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.sessions import Proof, Sessions
from resolver.admin_settings import AdminSettings

ANYBODY: Final = Identity("anybody", Role.READ, is_proven=False)
_SCHEME: Final = "bearer "
_LONGEST: Final = 8192
"""Characters of a token."""


class Entrance(Protocol):
    """A listener, as far as access is concerned."""

    async def identify(self, request: web.Request) -> Identity:
        """Return who a request is from. Raises `Refused`."""


class HealthEntrance:
    """The listener for health checks: everybody may read what is there."""

    async def identify(self, _: web.Request) -> Identity:
        """Return the same identity for every request."""
        return ANYBODY


class UnixEntrance:
    """The Unix socket. `group`: number of the group whose members may use it."""

    def __init__(self, group: int | None) -> None:
        self._group = group

    async def identify(self, request: web.Request) -> Identity:
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
    """The TCP listener: tokens, sessions of browsers, and certificates of clients.

    On a loopback address, everybody may read as long as nobody can prove an identity.
    """

    def __init__(self, settings: Callable[[], AdminSettings], bearer: BearerTokens, sessions: Sessions) -> None:
        """`settings`: those in effect, which a reload replaces."""
        self._settings = settings
        self._bearer = bearer
        self.sessions: Final = sessions

    async def identify(self, request: web.Request) -> Identity:
        """Return who a request is from: its token says so, or else its session, or else its certificate.

        Raises `Refused` for a wrong token or certificate, and without any of these where one is needed.
        """
        headers, settings = request.headers.getall("Authorization", []), self._settings()
        if headers:
            scheme, text = headers[0][: len(_SCHEME)], headers[0][len(_SCHEME) :].strip()
            if len(headers) == 1 and scheme.lower() == _SCHEME and len(text) <= _LONGEST:
                return await self.of_token(text, request)
            raise Refused(Code.TOKEN_INVALID, "the header must be `Authorization: Bearer TOKEN`")
        if (proof := self.sessions.proof(request)) is not None:
            return await self.of_proof(proof, request)
        if certificate := _certificate(request):
            return client_certificates.identity(
                certificate, settings.tls.clients if settings.tls else (), request.remote
            )
        if self._is_open(settings):
            return ANYBODY
        raise Refused(Code.TOKEN_MISSING, "this needs a token: `Authorization: Bearer TOKEN`")

    async def of_token(self, text: str, request: web.Request) -> Identity:
        """Return the identity that a token proves. Raises `Refused`."""
        return await self._bearer.identity(text, request.remote)

    async def of_proof(self, proof: Proof, request: web.Request) -> Identity:
        """Return the identity of a session that holds this proof. Raises `Refused`."""
        if isinstance(proof, str):
            return await self.of_token(proof, request)
        return self._bearer.of_session(proof, request.remote)

    def _is_open(self, settings: AdminSettings) -> bool:
        is_loopback = settings.listen is not None and settings.listen.address.is_loopback
        made = self._bearer.made
        proofs = settings.tokens or made.made or made.unreadable or settings.oidc
        return is_loopback and not (proofs or (settings.tls and settings.tls.clients))


def _certificate(request: web.Request) -> bytes | None:
    """Return the certificate of the client, which TLS has verified; None without one."""
    connection: ssl.SSLObject | None = request.get_extra_info("ssl_object")
    return connection.getpeercert(binary_form=True) if connection else None
