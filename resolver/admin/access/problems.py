"""The errors of the admin interface, each with a code that stays the same: the `type` of its problem details.

Does not know routes. Text and title are for people and may change.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final

from resolver.http_protocol import Response, problem, type_of

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_BEARER: Final = MappingProxyType({"WWW-Authenticate": 'Bearer realm="pldns"'})


class Code(Enum):
    """Code, status and meaning of each error."""

    INVALID_PARAMETER = "invalid-parameter", 400, "A query parameter is missing, given twice or invalid."
    UNKNOWN_PARAMETER = "unknown-parameter", 400, "The path has no such query parameter."
    UNKNOWN_VALUE = "unknown-value", 400, "A query parameter has a value that does not exist, such as a zone."
    INVALID_BODY = "invalid-body", 400, "The body is not JSON, or has an unknown, missing or invalid key."
    INVALID_CURSOR = "invalid-cursor", 400, "The cursor is not one of this list with these parameters."
    TOKEN_MISSING = "token-missing", 401, "The request proves no identity, and needs one."
    TOKEN_INVALID = "token-invalid", 401, "The token is wrong, revoked or expired."
    ROLE_TOO_LOW = "role-too-low", 403, "The identity has a role that may not do this."
    CERTIFICATE_UNKNOWN = "certificate-unknown", 403, "The configuration has no role for the client certificate."
    CROSS_SITE = "cross-site", 403, "A change with a session cookie does not come from the page of pldns."
    USER_REFUSED = "user-refused", 403, "The user may not use the Unix socket."
    UNKNOWN_SOURCE = "unknown-source", 404, "There is no source of this name."
    UNKNOWN_ZONE = "unknown-zone", 404, "There is no such zone."
    UNKNOWN_NETWORK = "unknown-network", 404, "There is no network of this name."
    UNKNOWN_PIN = "unknown-pin", 404, "No operator has pinned the name there."
    UNKNOWN_FINDING = "unknown-finding", 404, "There is no finding with this id, or it is not acknowledged."
    UNKNOWN_TOKEN = "unknown-token", 404, "There is no token of this name."
    NO_REGISTRY = "no-registry", 404, "The configuration has no registry."
    REGISTRY_INVALID = "registry-invalid", 400, "The registry refuses the request: a value is wrong."
    REGISTRY_FORBIDDEN = "registry-forbidden", 403, "The identity has no role in the registry that permits this."
    REGISTRY_MISSING = "registry-missing", 404, "The registry has no such resource that the identity sees."
    REGISTRY_CONFLICT = "registry-conflict", 409, "The registry refuses the request because of what it has already."
    BODY_TOO_SLOW = "body-too-slow", 408, "The body did not arrive in time."
    NOTHING_HELD = "nothing-held", 409, "No sync is held."
    NAME_TAKEN = "name-taken", 409, "Another one has the name."
    NO_CLAIM = "no-claim", 409, "No endpoint claims the name, or none that the request names, or several of that name."
    LIMIT_REACHED = "limit-reached", 409, "As many are kept as may be."
    CONFIGURED = "configured", 409, "The configuration has it, and only the configuration can change it."
    CHANGED = "changed", 412, "The resource is not in the state that `If-Match` names."
    NOT_JSON = "not-json", 415, "The content type of the body is not `application/json`."
    FOREIGN_HOST = "foreign-host", 421, "The Host header does not name this interface."
    CONFIGURATION_REFUSED = "configuration-refused", 422, "The configuration has mistakes; the old one stays in effect."
    NOT_READY = "not-ready", 503, "The daemon is not ready."
    NO_WORKER = "no-worker", 503, "No worker answers."
    NO_SUPERVISOR = "no-supervisor", 503, "The supervisor does not answer."
    NO_PROVIDER = "no-provider", 503, "The keys of the OpenID provider cannot be read."
    REGISTRY_UNAVAILABLE = "registry-unavailable", 503, "The database of the registry cannot be used now."
    NO_HISTORY = "no-history", 503, "The history cannot be read."
    TOO_MANY_STREAMS = "too-many-streams", 503, "As many event streams are open as may be."
    STATE_UNWRITABLE = "state-unwritable", 503, "The state directory cannot be written."

    def __init__(self, code: str, status: int, meaning: str) -> None:
        self.code = code
        self.status = status
        self.meaning = meaning

    @property
    def type(self) -> str:
        """The `type` of problem details."""
        return type_of(self.code)


class Refused(Exception):  # noqa: N818 - the request was
    """A request that gets this error. `detail`: a sentence for people. `nearest`: values that may be meant.

    `azure`: Azure's code, of an error of the registry.
    """

    def __init__(
        self, code: Code, detail: str, headers: Mapping[str, str] = _NONE, nearest: Sequence[str] = (), azure: str = ""
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = headers
        self.nearest = nearest
        self.azure = azure

    def response(self) -> Response:
        """Return the response to the request."""
        headers = _BEARER if self.code.status == 401 else self.headers
        more: dict[str, object] = {"nearest": list(self.nearest)} if self.nearest else {}
        more |= {"azure": self.azure} if self.azure else {}
        return problem(self.code.status, self.detail, headers, self.code.code, more)
