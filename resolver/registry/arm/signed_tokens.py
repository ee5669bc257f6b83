"""The tokens that this registry signs for its clients, with the key in its database."""

import secrets
import time
from collections.abc import Mapping

from resolver.registry.arm import tokens
from resolver.registry.arm.reply import Reply
from resolver.registry.model.access import Caller
from resolver.registry.registry import Registry


class SignedTokens:
    """Issues and checks the tokens of the clients in the configuration. All methods raise `Unavailable`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._secret = ""
        """The key; empty until it is read."""

    async def issued(self, form: Mapping[str, str], authorization: str, origin: str) -> Reply:
        """Return the response of the token endpoint. `authorization`: the header of that name."""
        key = await self._key()
        return tokens.issued(form, authorization, origin, self._registry.settings(), key)

    async def caller(self, authorization: str) -> Caller:
        """Return the client whose token a header has. Raises `ArmFailure` 401."""
        key = await self._key()
        return tokens.caller(authorization, self._registry.settings(), key, time.time())

    async def _key(self) -> str:
        if not self._secret:
            self._secret = await self._registry.fact("token-key", lambda: secrets.token_hex(32))
        return self._secret
