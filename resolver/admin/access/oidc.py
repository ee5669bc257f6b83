"""Tokens of an OpenID provider, such as Entra ID: who a token is of, and which role its app roles give.

A token counts if a key of the provider has signed it, and its issuer, audience, tenant and times are right (RFC 9068
§4; OpenID Connect Core 1.0 §3.1.3.7). Does not know how a token gets here, or how keys are read (`oidc_provider`).
"""

import hmac
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.oidc_provider import Provider, ProviderUnavailable
from resolver.admin.access.problems import Code, Refused
from resolver.admin_settings import AdminOidc
from resolver.settings import ControlSettings
from resolver.sources.azure import hosts

LEEWAY: Final = 60.0
"""Seconds by which the clocks of the provider and of this machine may differ."""
_LONGEST: Final = 80
"""Characters of a name in the audit log."""


class Fault(StrEnum):
    """Why a token does not count."""

    PROVIDER = "provider"
    """The keys of the provider are not known."""
    EXPIRED = "expired"
    EARLY = "early"
    """It counts only later: the clocks differ."""
    AUDIENCE = "audience"
    """It was issued for something else."""
    TENANT = "tenant"
    ROLE = "role"
    """It has no app role of the configuration."""
    INVALID = "invalid"
    """Anything else."""


class TokenRefused(Refused):
    """A token that does not count. `person`: the name in a token that is right but gives no role."""

    def __init__(self, code: Code, detail: str, fault: Fault, person: str = "") -> None:
        super().__init__(code, detail)
        self.fault = fault
        self.person = person


class Person(NamedTuple):
    """What pldns keeps of a token: a name, the app roles, and when the token expires (seconds since the epoch)."""

    name: str
    roles: tuple[str, ...]
    until: float


class SignedIn(NamedTuple):
    """Somebody whom a provider has signed in as the user of a client (`admin.oidc.client_id`)."""

    person: Person
    metadata: str
    """URL of the provider's metadata."""
    client: str


class OidcTokens:
    """The tokens of the provider in `admin.oidc`. `settings`: those in effect, which a reload replaces."""

    def __init__(self, settings: Callable[[], ControlSettings]) -> None:
        self._settings = settings
        self._provider: tuple[AdminOidc, Provider] | None = None

    async def identity(self, text: str, given: AdminOidc, remote: str | None) -> Identity:
        """Return the identity in an access token. Raises `TokenRefused`."""
        return _identity(_person(await self._claims(text, given, given.audiences)), given, remote)

    async def signed_in(self, text: str, given: AdminOidc, nonce: str) -> SignedIn:
        """Return who has signed in, of an ID token that must have `nonce`. Raises `TokenRefused`.

        The role is checked too: a session of somebody without a role would be of no use.
        """
        claims = await self._claims(text, given, (given.client_id,))
        if claims.get("azp", given.client_id) != given.client_id:
            raise _refused("the ID token was issued to another client", Fault.AUDIENCE)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise _refused("the ID token is of another sign-in (nonce)", Fault.INVALID)
        person = _person(claims)
        _identity(person, given, None)
        return SignedIn(person, given.metadata, given.client_id)

    def of_session(self, signed_in: SignedIn, given: AdminOidc | None, remote: str | None) -> Identity:
        """Return the identity of somebody who has signed in, with the roles of `given`. Raises `TokenRefused`."""
        if given is None or (given.metadata, given.client_id) != (signed_in.metadata, signed_in.client):
            raise _refused("the configuration has another OpenID provider now", Fault.INVALID)
        if signed_in.person.until + LEEWAY <= time.time():
            raise _refused("the sign-in has expired", Fault.EXPIRED)
        return _identity(signed_in.person, given, remote)

    def provider(self, given: AdminOidc) -> Provider:
        """Return the provider of these settings."""
        if self._provider is None or self._provider[0] != given:
            made = Provider(given.metadata, given.issuers[0], lambda: hosts.session(self._settings().upstreams))
            self._provider = given, made
        return self._provider[1]

    async def _claims(self, text: str, given: AdminOidc, audiences: Sequence[str]) -> dict[str, Any]:
        import jwt  # noqa: PLC0415 - only users of OpenID pay for it

        try:
            header = jwt.get_unverified_header(text)
            kid = header.get("kid")
            key = await self.provider(given).key(kid) if isinstance(kid, str) else None
            if key is None:
                raise _refused("the token is signed with a key that the provider does not have", Fault.INVALID)
            claims: dict[str, Any] = jwt.decode(
                text, key.key, algorithms=key.algorithms, audience=audiences, issuer=given.issuers,
                leeway=LEEWAY, options={"require": ["exp", "iss", "aud"]},
            )  # fmt: skip
        except ProviderUnavailable as error:
            why = f"the keys of the OpenID provider are not known: {error}"
            raise TokenRefused(Code.NO_PROVIDER, why, Fault.PROVIDER) from None
        except jwt.ExpiredSignatureError:
            raise _refused("the token has expired", Fault.EXPIRED) from None
        except (jwt.PyJWTError, ValueError) as error:
            fault = next((fault for kind, fault in _faults() if isinstance(error, kind)), Fault.INVALID)
            raise _refused(f"the token of the OpenID provider is refused: {error}", fault) from None
        if given.tenant and claims.get("tid") != given.tenant:
            raise _refused("the token is of another tenant", Fault.TENANT)
        return claims


def is_one(text: str) -> bool:
    """Return whether a bearer token has the form of a signed JSON Web Token (RFC 7515 §3.1)."""
    return text.count(".") == 2


def _faults() -> tuple[tuple[type[Exception], Fault], ...]:
    import jwt  # noqa: PLC0415 - only users of OpenID pay for it

    return (jwt.ImmatureSignatureError, Fault.EARLY), (jwt.InvalidAudienceError, Fault.AUDIENCE)


def _refused(detail: str, fault: Fault) -> TokenRefused:
    return TokenRefused(Code.TOKEN_INVALID, detail, fault)


def _identity(person: Person, given: AdminOidc, remote: str | None) -> Identity:
    named = [given.roles[each] for each in person.roles if each in given.roles]
    if not named:
        why = "the token has none of the app roles in `admin.oidc.roles`"
        raise TokenRefused(Code.ROLE_TOO_LOW, why, Fault.ROLE, person.name)
    return Identity(f"{person.name} at {remote}", max(map(Role, named), key=list(Role).index))


def _person(claims: dict[str, Any]) -> Person:
    roles = claims.get("roles", [])
    listed = roles if isinstance(roles, list) else []
    return Person(_name(claims), tuple(each for each in listed if isinstance(each, str)), float(claims["exp"]))


def _name(claims: dict[str, Any]) -> str:
    """Return a name for the audit log: that of the user or the application, and the id of the object."""
    name = next((claims[key] for key in ("preferred_username", "upn", "azp", "appid", "sub") if claims.get(key)), "")
    key = claims.get("oid") or claims.get("sub") or ""
    shown = "".join(each for each in str(name) if each.isprintable())[:_LONGEST]
    return f"{shown} ({''.join(each for each in str(key) if each.isprintable())[:_LONGEST]})"
