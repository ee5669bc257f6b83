"""The token endpoint of a managed identity, as in App Service, and the Resource Manager's errors for tokens.

Tokens look like real ones (three parts, with claims) but have no signature: only tokens from this endpoint are valid.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final, NamedTuple

import msgspec

from tests.fake_azure.replies import FakeReply, Refusal
from tests.fake_azure.shapes import TENANT

APPLICATION: Final = "0a0a0a0a-0000-4000-a000-0000000000aa"
PRINCIPAL: Final = "0b0b0b0b-0000-4000-a000-0000000000bb"
API: Final = "2019-08-01"
AUDIENCES: Final = ("https://management.azure.com", "https://management.core.windows.net")
"""The audience of a token for the Resource Manager."""


class Token(NamedTuple):
    """A token that was issued."""

    audience: str
    start: float
    end: float


class Identity:
    """One identity, both system-assigned and user-assigned by its client id."""

    def __init__(self, secret: str, clock: Callable[[], float]) -> None:
        self.secret = secret
        self.lifetime = 3600.0 * 24
        self.audiences: tuple[str, ...] = AUDIENCES
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def revoke(self) -> None:
        """Revoke all tokens that were issued so far."""
        self._tokens.clear()

    def issue(self, query: Mapping[str, str], headers: Mapping[str, str]) -> FakeReply:
        """Answer a request to the token endpoint."""
        if not compare_digest(headers.get("X-IDENTITY-HEADER", ""), self.secret):
            return _failed(401, "The X-IDENTITY-HEADER is missing or not the one of this site.")
        if query.get("api-version") != API or not query.get("resource"):
            return _failed(400, "Bad request: api-version and resource are needed.")
        if query.get("client_id", APPLICATION) != APPLICATION:
            return _failed(400, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.")  # fmt: skip  # noqa: E501
        now, resource = self._clock(), query["resource"]
        token = Token(resource.rstrip("/"), now, now + self.lifetime)
        text = _jwt(token, len(self._tokens))
        self._tokens[text] = token
        body = {
            "access_token": text,
            "expires_on": str(int(token.end)),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": APPLICATION,
        }
        return FakeReply(200, msgspec.json.encode(body))

    def check(self, authorization: str, skew: float = 0, *, expired: bool = False) -> None:
        """Raise the refusal of an invalid Authorization header. The clock of the API is wrong by `skew` seconds."""
        if not authorization:
            raise _unauthorised("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        scheme, _, text = authorization.partition(" ")
        token = self._tokens.get(text)
        if scheme.casefold() != "bearer" or token is None:
            raise _unauthorised("InvalidAuthenticationToken", "The access token is invalid.")
        if token.audience not in self.audiences:
            expected = ", ".join(f"'{audience}/'" for audience in self.audiences)
            said = f"The access token has been obtained for wrong audience or resource '{token.audience}'. "
            said += f"It should exactly match with one of the allowed audiences {expected}."
            raise _unauthorised("InvalidAuthenticationTokenAudience", said)
        now = self._clock() + skew
        if expired or now > token.end:
            said = f"The access token expiry UTC time '{_utc(min(token.end, now))}' is earlier than current UTC time '{_utc(now)}'."  # noqa: E501
            raise _unauthorised("ExpiredAuthenticationToken", said)
        if now < token.start - 300:  # Azure tolerates five minutes
            said = f"The access token is not valid before UTC time '{_utc(token.start)}'; current UTC time is '{_utc(now)}'."  # noqa: E501
            raise _unauthorised("InvalidAuthenticationToken", said)


def _unauthorised(code: str, message: str) -> Refusal:
    challenge = f'Bearer authorization_uri="https://login.windows.net/{TENANT}", error="invalid_token", error_description="{message}"'  # noqa: E501
    return Refusal(401, code, message, {"WWW-Authenticate": challenge})


def _failed(status: int, message: str) -> FakeReply:
    body = {"statusCode": status, "message": message, "correlationId": "00000000-0000-4000-a000-00000000c0de"}
    return FakeReply(status, msgspec.json.encode(body))


def _jwt(token: Token, number: int) -> str:
    claims = {
        "aud": token.audience, "iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "iat": int(token.start),
        "nbf": int(token.start), "exp": int(token.end), "appid": APPLICATION, "oid": PRINCIPAL, "uti": f"fake-{number}",
    }  # fmt: skip
    parts = ({"typ": "JWT", "alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts) + ".fake"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%m/%d/%Y %I:%M:%S %p")
