"""The authorization code flow with PKCE, as a client (RFC 6749 §4.1, RFC 7636, OpenID Connect Core 1.0 §3.1).

Makes the address to which a browser is sent, and exchanges the code that comes back for an ID token. Does not know
browsers, or what the ID token says (`oidc`).
"""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from resolver.admin.access.oidc_provider import Metadata, Provider, ProviderUnavailable, is_protected
from resolver.admin_settings import AdminOidc
from resolver.process import secret

SCOPE: Final = "openid profile"
"""What is asked for: an ID token with the name of the person. No token for an API, and none that renews another."""
_ENTRA: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")


class FlowSecrets(NamedTuple):
    """The values of one sign-in. `state` comes back with the code, `nonce` in the ID token (RFC 9700 §4.7)."""

    state: str
    nonce: str
    verifier: str
    """Only who knows it can exchange the code (RFC 7636 §4.1)."""


class _Reply(msgspec.Struct):
    """A response of the token endpoint (RFC 6749 §5). Access and refresh tokens in it are not read."""

    id_token: str = ""
    error: str = ""
    error_description: str = ""


class ExchangeRefused(Exception):  # noqa: N818 - the exchange was
    """The provider gives no token for the code. `code`: of its error (RFC 6749 §5.2). The message is one line."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def provider_name(given: AdminOidc) -> str:
    """Return what people call the provider."""
    host = urlsplit(given.issuers[0]).hostname or ""
    return "Microsoft Entra ID" if given.tenant or host in _ENTRA else host


async def address(
    provider: Provider, given: AdminOidc, secrets: FlowSecrets, redirect: str, *, choose_account: bool
) -> str:
    """Return the address at the provider that a browser is sent to. Raises `ProviderUnavailable`.

    `redirect`: where the provider sends the browser back. `choose_account`: the provider asks which account to use.
    """
    endpoint = (await provider.metadata()).authorization_endpoint
    _check(endpoint, "authorization_endpoint")
    challenge = base64.urlsafe_b64encode(sha256(secrets.verifier.encode()).digest()).decode().rstrip("=")
    values = {
        "response_type": "code",
        "response_mode": "query",
        "client_id": given.client_id,
        "redirect_uri": redirect,
        "scope": SCOPE,
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | ({"prompt": "select_account"} if choose_account else {})
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(values)}"


async def id_token(provider: Provider, given: AdminOidc, code: str, verifier: str, redirect: str) -> str:
    """Return the ID token that the provider gives for a code.

    Raises `ExchangeRefused`, `ProviderUnavailable`, and `NoSecret` where the client secret cannot be read.
    """
    metadata = await provider.metadata()
    _check(metadata.token_endpoint, "token_endpoint")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
        "client_id": given.client_id,
    }
    headers = {"Accept": "application/json"}
    if given.client_secret:
        password = secret.text(given.client_secret)
        if "client_secret_post" in metadata.token_endpoint_auth_methods_supported:
            form["client_secret"] = password
        else:
            headers["Authorization"] = _basic(given.client_id, password)
    status, body = await provider.post(metadata.token_endpoint, form, headers)
    try:
        reply = msgspec.json.decode(body, type=_Reply)
    except ValueError:
        raise ProviderUnavailable(f"{metadata.token_endpoint} answers {status} without JSON") from None
    if reply.error:
        raise ExchangeRefused(reply.error, f"{reply.error}: {reply.error_description}")
    if status != 200 or not reply.id_token:
        raise ProviderUnavailable(f"{metadata.token_endpoint} answers {status} without an ID token")
    return reply.id_token


def is_of_issuer(metadata: Metadata, query: Mapping[str, str]) -> bool:
    """Return whether an authorization response is of the issuer, as far as it says so (RFC 9207 §2.4)."""
    named = query.get("iss")
    return named == metadata.issuer or (named is None and not metadata.authorization_response_iss_parameter_supported)


def _check(endpoint: str, name: str) -> None:
    if not is_protected(endpoint):
        raise ProviderUnavailable(f"its metadata have no `{name}` with https://")


def _basic(user: str, password: str) -> str:
    """Return the header `Authorization` of a client (RFC 6749 §2.3.1)."""
    pair: Sequence[str] = (quote_plus(user), quote_plus(password))
    return f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"
