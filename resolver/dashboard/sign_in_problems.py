"""Why signing in has failed, in words: what is wrong, and what to do.

The address of the form has the code of a problem and never a text, so that nobody can make the page say something.
Does not know how a problem is found.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from resolver.admin.access.oidc import Fault


class Problem(Enum):
    """Code, what is wrong, and what to do. `{provider}` is what people call the provider."""

    TOKEN_INVALID = (
        "token-invalid", "The token is wrong, revoked or expired.",
        "Copy the whole token, or ask for a new one.",
    )  # fmt: skip
    ROLE_TOO_LOW = (
        "role-too-low", "The access token has none of the app roles that pldns knows.",
        "Ask an administrator to assign you an app role, then get a new token.",
    )  # fmt: skip
    ACCESS_DENIED = (
        "access-denied", "{provider} did not let you in, or somebody cancelled the sign-in.",
        "Sign in again. If it fails again, ask an administrator to assign you to the application of pldns.",
    )  # fmt: skip
    INTERACTION_REQUIRED = (
        "interaction-required", "{provider} wants something from you first, such as a second factor or your consent.",
        "Sign in again, and answer what {provider} asks.",
    )  # fmt: skip
    NO_ROLE = (
        "no-role", "You have signed in, but your account has no role in pldns.",
        "Ask an administrator to assign you an app role of pldns, or use another account.",
    )  # fmt: skip
    NO_PROVIDER = (
        "no-provider", "pldns cannot reach {provider}.",
        "Try again in a minute, or use a token. The log of pldns says what does not answer.",
    )  # fmt: skip
    PROVIDER_FAILED = (
        "provider-failed", "{provider} could not sign you in now.",
        "Try again in a minute, or use a token.",
    )  # fmt: skip
    CLIENT_REFUSED = (
        "client-refused", "{provider} does not accept pldns as an application.",
        "An administrator must check `client_id`, `client_secret` and the redirect URI. The log has the reason.",
    )  # fmt: skip
    NO_SECRET = (
        "no-secret", "pldns cannot read the client secret that its configuration names.",
        "An administrator must mend it. The log of pldns has the reason.",
    )  # fmt: skip
    UNKNOWN = (
        "unknown-sign-in", "This sign-in was not begun in this browser, or another one was begun after it.",
        "Sign in again, and finish it in the same tab. The browser must accept cookies of this page.",
    )  # fmt: skip
    TOO_OLD = (
        "sign-in-too-old", "The sign-in took longer than 10 minutes.",
        "Sign in again.",
    )  # fmt: skip
    USED = (
        "sign-in-used", "This sign-in was finished before. Its address works once.",
        "Sign in again.",
    )  # fmt: skip
    CODE_REFUSED = (
        "code-refused", "{provider} did not accept the code of this sign-in: it has expired, or was used before.",
        "Sign in again.",
    )  # fmt: skip
    WRONG_AUDIENCE = (
        "wrong-audience", "{provider} issued a token for another application.",
        "An administrator must check `admin.oidc.client_id`.",
    )  # fmt: skip
    WRONG_TENANT = (
        "wrong-tenant", "Your account is of another organisation.",
        "Use an account of the organisation that runs this pldns.",
    )  # fmt: skip
    EXPIRED = (
        "token-expired", "The token of {provider} had expired when it came.",
        "An administrator must check the clock of the machine on which pldns runs.",
    )  # fmt: skip
    CLOCK = (
        "clock-differs", "The clocks of pldns and of {provider} differ by more than a minute.",
        "An administrator must check the clock of the machine on which pldns runs.",
    )  # fmt: skip
    ID_TOKEN_INVALID = (
        "id-token-invalid", "The token of {provider} is not valid.",
        "Sign in again. The log of pldns has the reason.",
    )  # fmt: skip
    FOREIGN_HOST = (
        "foreign-host", "pldns does not know the name under which you have opened it.",
        "An administrator must add the host name to `admin.hosts`.",
    )  # fmt: skip
    NOT_ENCRYPTED = (
        "not-encrypted", "This page is not encrypted, so {provider} must not send you back to it.",
        "Open the page with https://.",
    )  # fmt: skip

    def __init__(self, code: str, meaning: str, advice: str) -> None:
        self.code = code
        self.meaning = meaning
        self.advice = advice


_ERRORS: Final[Mapping[str, Problem]] = {
    "access_denied": Problem.ACCESS_DENIED,
    "interaction_required": Problem.INTERACTION_REQUIRED,
    "login_required": Problem.INTERACTION_REQUIRED,
    "account_selection_required": Problem.INTERACTION_REQUIRED,
    "consent_required": Problem.INTERACTION_REQUIRED,
    "server_error": Problem.PROVIDER_FAILED,
    "temporarily_unavailable": Problem.PROVIDER_FAILED,
    "invalid_grant": Problem.CODE_REFUSED,
}
"""By error of the provider (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core 1.0 §3.1.2.6). Others concern the client."""
_FAULTS: Final[Mapping[Fault, Problem]] = {
    Fault.PROVIDER: Problem.NO_PROVIDER,
    Fault.EXPIRED: Problem.EXPIRED,
    Fault.EARLY: Problem.CLOCK,
    Fault.AUDIENCE: Problem.WRONG_AUDIENCE,
    Fault.TENANT: Problem.WRONG_TENANT,
    Fault.ROLE: Problem.NO_ROLE,
    Fault.INVALID: Problem.ID_TOKEN_INVALID,
}
_REFERENCE: Final = re.compile(r"AADSTS[0-9]{4,8}")


def of_error(error: str) -> Problem:
    """Return the problem that an error of the provider is."""
    return _ERRORS.get(error, Problem.CLIENT_REFUSED)


def of_fault(fault: Fault) -> Problem:
    """Return the problem that a token with this fault is."""
    return _FAULTS[fault]


def of_code(code: str) -> Problem | None:
    """Return the problem with this code; None where there is none."""
    return next((each for each in Problem if each.code == code), None)


def reference(text: str) -> str:
    """Return the code that Entra ID gives an error, from its description; empty without one."""
    found = _REFERENCE.search(text)
    return found[0] if found else ""
