"""Tokens for clients of the registry: the OAuth 2.0 client credentials flow, and the discovery that libraries ask for.

A token is a JWT that this registry signs with a key in its database, so that tokens outlive a restart and every control
that uses the database accepts them. Does not know what a client may do.
"""

import hmac
import time
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote_plus

import jwt
from jwt.types import Options

from resolver.registry.arm.reply import Reply
from resolver.registry.model.access import Caller
from resolver.registry.model.failure import ArmFailure
from resolver.registry_settings import RegistrySettings

LIFETIME: Final = 3600
"""Seconds."""
_ALGORITHM: Final = "HS256"
_KNOWN: Final = 1_000
"""Tokens whose claims are kept, so that the signature of a token is verified with its first request only."""


def discovery(origin: str, tenant: str) -> Reply:
    """Return the OpenID configuration of a tenant."""
    base = f"{origin}/{tenant}"
    return Reply(
        200,
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["token"],
            "grant_types_supported": ["client_credentials"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
            "subject_types_supported": ["pairwise"],
        },
    )


def public_keys() -> Reply:
    """Return the public keys of a tenant: there are none, because only the registry checks its tokens."""
    return Reply(200, {"keys": []})


def issued(form: Mapping[str, str], authorization: str, origin: str, settings: RegistrySettings, key: str) -> Reply:
    """Return the response of the token endpoint to a form. `authorization`: the header of that name."""
    if form.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "The registry issues tokens for client_credentials only.")
    client_id, secret = _credentials(form, authorization)
    client = next((each for each in settings.clients if each.id == client_id.casefold()), None)
    given = sha256(secret.encode()).hexdigest()
    if client is None or not hmac.compare_digest(given, client.sha256):
        return _refused(
            401,
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided, or no client with this id. `registry.clients` of the "
            "configuration has the ids, and the SHA-256 of each secret.",
        )
    wanted = form.get("scope") or form.get("resource") or origin
    audience = wanted.partition(" ")[0].removesuffix("/.default")
    now = int(time.time())
    claims = {
        "aud": audience, "iss": f"{origin}/{settings.tenant}/v2.0", "iat": now, "nbf": now, "exp": now + LIFETIME,
        "tid": settings.tenant, "appid": client.id, "azp": client.id, "oid": client.id, "sub": client.id, "ver": "2.0",
        "idtyp": "app",
    }  # fmt: skip
    token = jwt.encode(claims, key, _ALGORITHM)
    body = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}
    return Reply(200, body, {"Cache-Control": "no-store"})


def caller(authorization: str, settings: RegistrySettings, key: str, now: float) -> Caller:
    """Return the client whose token a request has. `now`: seconds since the epoch. Raises `ArmFailure` 401.

    A client that the configuration does not have any more has no valid token.
    """
    scheme, _, token = authorization.partition(" ")
    if not authorization:
        raise _unauthorised("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    if scheme.casefold() != "bearer":
        raise _unauthorised("AuthenticationFailedInvalidHeader", "The 'Authorization' header must be 'Bearer TOKEN'.")
    try:
        claims = _claims(token.strip(), key)
    except jwt.InvalidTokenError:
        raise _unauthorised("InvalidAuthenticationToken", "The access token is invalid.") from None
    if claims["exp"] <= now:
        raise _unauthorised("ExpiredAuthenticationToken", "The access token has expired.")
    client = next((each for each in settings.clients if each.id == claims["oid"]), None)
    if client is None or claims.get("tid") != settings.tenant:
        raise _unauthorised("InvalidAuthenticationToken", "The registry has no such client any more.")
    return Caller(client.id, client.name, client.roles)


@lru_cache(_KNOWN)
def _claims(token: str, key: str) -> Mapping[str, Any]:
    """Return the claims of a token that this registry signed. Raises `InvalidTokenError`."""
    options: Options = {"verify_aud": False, "verify_exp": False, "require": ["exp", "oid"]}
    return jwt.decode(token, key, [_ALGORITHM], options)


def challenge(origin: str, tenant: str) -> dict[str, str]:
    """Return the header that says where a token comes from."""
    return {"WWW-Authenticate": f'Bearer authorization_uri="{origin}/{tenant}", error="invalid_token"'}


def _credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.casefold() == "basic":
        try:
            name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
        except (Error, UnicodeDecodeError):
            return "", ""
        return unquote_plus(name), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _refused(status: int, error: str, why: str) -> Reply:
    return Reply(status, {"error": error, "error_description": why}, {"Cache-Control": "no-store"})


def _unauthorised(code: str, message: str) -> ArmFailure:
    return ArmFailure(401, code, message)
