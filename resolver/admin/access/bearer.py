"""Bearer tokens: of the configuration, made by a command, of an OpenID provider, of the registry's clients.

Does not know where a token comes from, and which role a route needs.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from resolver.admin.access import oidc
from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.oidc import OidcTokens, SignedIn
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.tokens import Tokens
from resolver.admin_settings import AdminSettings
from resolver.registry.model.access import Caller


class BearerTokens:
    """All tokens that count. `settings`: those in effect, which a reload replaces."""

    def __init__(
        self,
        settings: Callable[[], AdminSettings],
        made: Tokens,
        provider: OidcTokens,
        client: Callable[[str], Awaitable[Caller | None]],
    ) -> None:
        """`client` returns the client of the registry whose token a text is; None for other texts."""
        self.made = made
        self.provider: Final = provider
        self._settings = settings
        self._client = client

    async def identity(self, text: str, remote: str | None) -> Identity:
        """Return who a token is of. Raises `Refused`."""
        settings = self._settings()
        if oidc.is_one(text):
            if client := await self._client(text):
                return Identity(f"client {client.name} at {remote}", Role.REGISTRY, roles=client.roles)
            if settings.oidc:
                return await self.provider.identity(text, settings.oidc, remote)
        token = self.made.matching(text, settings.tokens)
        if token is None:
            raise Refused(Code.TOKEN_INVALID, "the token is wrong, revoked or expired")
        return Identity(f"token {token.name} at {remote}", Role(token.role), roles=token.registry)

    def of_session(self, signed_in: SignedIn, remote: str | None) -> Identity:
        """Return who has signed in with the OpenID provider. Raises `Refused`."""
        return self.provider.of_session(signed_in, self._settings().oidc, remote)
