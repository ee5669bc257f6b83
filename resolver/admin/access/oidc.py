"""Access tokens of an OpenID provider, such as Entra ID: who a token is from, and which role its app roles give.

A token counts if a key of the provider has signed it, and its issuer, audience, tenant and times are right (RFC 9068
§4). Does not know how keys are read (`oidc_keys`).
"""

from collections.abc import Callable
from typing import Any, Final

from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.oidc_keys import KeysUnavailable, ProviderKeys
from resolver.admin.access.problems import Code, Refused
from resolver.admin_settings import AdminOidc
from resolver.settings import ControlSettings
from resolver.sources.azure import hosts

LEEWAY: Final = 60.0
"""Seconds by which the clocks of the provider and of this machine may differ."""
_LONGEST: Final = 80
"""Characters of a name in the audit log."""


class OidcTokens:
    """The tokens of the provider in `admin.oidc`. `settings`: those in effect, which a reload replaces."""

    def __init__(self, settings: Callable[[], ControlSettings]) -> None:
        self._settings = settings
        self._keys: tuple[AdminOidc, ProviderKeys] | None = None

    async def identity(self, text: str, given: AdminOidc, remote: str | None) -> Identity:
        """Return the identity in a token. Raises `Refused`."""
        claims = await self._claims(text, given)
        roles = claims.get("roles", [])
        listed = roles if isinstance(roles, list) else []
        named = [given.roles[each] for each in listed if isinstance(each, str) and each in given.roles]
        if not named:
            raise Refused(Code.ROLE_TOO_LOW, "the token has none of the app roles in `admin.oidc.roles`")
        role = max(map(Role, named), key=list(Role).index)
        return Identity(f"{_who(claims)} at {remote}", role)

    async def _claims(self, text: str, given: AdminOidc) -> dict[str, Any]:
        import jwt  # noqa: PLC0415 - only users of OpenID pay for it

        try:
            header = jwt.get_unverified_header(text)
            kid = header.get("kid")
            key = await self._of(given).find(kid) if isinstance(kid, str) else None
            if key is None:
                raise Refused(Code.TOKEN_INVALID, "the token is signed with a key that the provider does not have")
            claims: dict[str, Any] = jwt.decode(
                text, key.key, algorithms=key.algorithms, audience=given.audiences, issuer=given.issuers,
                leeway=LEEWAY, options={"require": ["exp", "iss", "aud"]},
            )  # fmt: skip
        except KeysUnavailable as error:
            raise Refused(Code.NO_PROVIDER, f"the keys of the OpenID provider are not known: {error}") from None
        except jwt.ExpiredSignatureError:
            raise Refused(Code.TOKEN_INVALID, "the token has expired") from None
        except (jwt.PyJWTError, ValueError) as error:
            raise Refused(Code.TOKEN_INVALID, f"the token of the OpenID provider is refused: {error}") from None
        if given.tenant and claims.get("tid") != given.tenant:
            raise Refused(Code.TOKEN_INVALID, "the token is of another tenant")
        return claims

    def _of(self, given: AdminOidc) -> ProviderKeys:
        if self._keys is None or self._keys[0] != given:
            keys = ProviderKeys(given.metadata, given.issuers[0], lambda: hosts.session(self._settings().upstreams))
            self._keys = given, keys
        return self._keys[1]


def is_one(text: str) -> bool:
    """Return whether a bearer token has the form of a signed JSON Web Token (RFC 7515 §3.1)."""
    return text.count(".") == 2


def _who(claims: dict[str, Any]) -> str:
    """Return a name for the audit log: that of the user or the application, and the id of the object."""
    name = next((claims[key] for key in ("preferred_username", "upn", "azp", "appid", "sub") if claims.get(key)), "")
    key = claims.get("oid") or claims.get("sub") or ""
    shown = "".join(each for each in str(name) if each.isprintable())[:_LONGEST]
    return f"{shown} ({''.join(each for each in str(key) if each.isprintable())[:_LONGEST]})"
