"""Explains Azure's errors to the operator of pldns in one line: what is wrong, and how to fix it.

Pure. Knows Azure's error codes and texts. Does not know when they occur.
"""

import re
from collections.abc import Iterable
from typing import Final

SKEW: Final = 300.0
"""Seconds that a clock may be wrong before Azure refuses tokens because of it."""
_LONGEST: Final = 300  # characters of a quotation from Azure

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/[^/]+")
_CODE: Final = re.compile(r"AADSTS([0-9]+)")
_ENTRA: Final = {
    "90002": "there is no such tenant: credential.tenant_id (AZURE_TENANT_ID) or `cloud` is wrong",
    "900023": "there is no such tenant: credential.tenant_id (AZURE_TENANT_ID) or `cloud` is wrong",
    "700016": "the tenant does not know this application: credential.client_id, tenant_id or `cloud` is wrong",
    "500011": "the tenant does not know the Resource Manager of this `cloud`: it belongs to another one",
    "7000215": "the client secret is wrong; it has to be the secret's value, not its id",
    "7000222": "the client secret has expired: make a new one",
    "700027": "the certificate is not registered with the application",
    "700024": "the proof of identity is not valid now: set this machine's clock (NTP), or renew the token's file",
    "700211": "no federated credential of the application has the issuer of this workload's token",
    "700213": "no federated credential of the application has the subject of this workload's token",
}
_NONE: Final = (
    "no identity: give this machine a managed identity, or set `credential`; "
    "see docs/azure.md for the credentials that are tried, in their order"
)
_UNASSIGNED: Final = (
    "the managed identity is not assigned to this machine: assign it, or correct `client_id` "
    "(credential.client_id, AZURE_CLIENT_ID)"
)
_UNKNOWN: Final = re.compile(r"No User Assigned|identity not found|has not been assigned", re.IGNORECASE)
_NOBODY: Final = re.compile(r"no response from the IMDS endpoint")
_UNREACHED: Final = re.compile(r"Cannot connect to host (\S+) ssl:\S+ \[(.*)\]")
_UNAVAILABLE: Final = re.compile(
    r"unavailable|not fully configured|not (be )?found|not installed|isn't available|no accounts|requires|'az login'",
    re.IGNORECASE,
)


def reader(subscription: str) -> str:
    """Return the advice for a subscription that the identity may not read."""
    return f"no permission: {_role(f'/subscriptions/{subscription}')}"


def unlisted(subscription: str) -> str:
    """Return the advice for a configured subscription that is not in the list of subscriptions."""
    return (
        f"no permission, or no such subscription in the identity's tenant: {_role(f'/subscriptions/{subscription}')}; "
        "or correct its id in `subscriptions`"
    )


def _role(scope: str) -> str:
    """Return which role to assign. Without a scope, it is needed on every subscription."""
    if not scope:
        return "give the identity the role Reader on the subscriptions"
    return (
        f"give the identity the role Reader on {scope} "
        f"(az role assignment create --role Reader --scope {scope} --assignee ITS-OBJECT-ID)"
    )


def answered(status: int, code: str, message: str, path: str, ahead: float) -> str:
    """Explain an error response of the Resource Manager. The local clock is `ahead` seconds ahead of Azure's."""
    if status == 401:
        return _unauthorised(code, message, ahead)
    if status == 403:
        named = _SUBSCRIPTION.match(path)
        return f"{path}: no permission (HTTP 403 {code}): {_role(named[0] if named else '')}"
    said = _short(message)
    return f"{path}: HTTP {status}" + (f" {code}" if code else "") + (f": {said}" if said else "")


def _unauthorised(code: str, message: str, ahead: float) -> str:
    if abs(ahead) > SKEW:
        return f"tokens are refused: {clock(ahead)}"
    if "Tenant" in code or "issuer" in message:
        return (
            "tokens are refused: the identity is in another tenant than the subscriptions; "
            "use one of their tenant (credential.tenant_id)"
        )
    if "Audience" in code or "audience" in message:
        return "tokens are refused: they are for another cloud; set the source's `cloud` to that of its `management`"
    return f"tokens are refused (HTTP 401 {code}): {_short(message) or 'Azure does not say why'}"


def clock(ahead: float) -> str:
    """Explain that the local clock is wrong."""
    side = "ahead of" if ahead > 0 else "behind"
    return f"this machine's clock is {abs(ahead):.0f} s {side} Azure's; set it (NTP)"


def no_token(message: str, ahead: float = 0.0) -> str:
    """Explain why there is no token, from the error message of azure-identity."""
    if abs(ahead) > SKEW:
        return f"no token: {clock(ahead)}"
    if found := _CODE.search(message):
        said = _ENTRA.get(found[1], "")
        return f"no token: {said} (AADSTS{found[1]})" if said else f"no token: {_short(message[found.start() :])}"
    if _UNKNOWN.search(message):
        return f"no token: {_UNASSIGNED}"
    attempts = list(_attempts(message))
    failed = [attempt for attempt in attempts if not _UNAVAILABLE.search(attempt)]
    if (attempts and not failed) or (not attempts and _NOBODY.search(message)):
        return _NONE
    return f"no token: {_meant(failed[0] if failed else message)}"


def _meant(message: str) -> str:
    if found := _UNREACHED.search(message):
        return f"{found[1]} issues tokens and cannot be reached: {_short(found[2])}; see docs/azure.md"
    return _short(message)


def _attempts(message: str) -> Iterable[str]:
    """Return the message of each credential in a chain: a line that begins with its name, and the lines after it."""
    return re.findall(r"^\t(\w+: .*(?:\n(?!\t\w+: |To mitigate).*)*)", message, re.MULTILINE)


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
