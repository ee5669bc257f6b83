"""What a person can do about a finding: a sentence for each code, and the commands with the ids of this finding.

Commands of the Azure CLI come first, then those of pldns. Each word from the estate is quoted for a shell. Does not
know how a command is shown.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from shlex import quote
from typing import Any, Final, NamedTuple

Json = Mapping[str, Any]
_MOST: Final = 6
"""Commands for one finding."""


class Advice(NamedTuple):
    """What to do. `commands` may be empty."""

    text: str
    commands: tuple[str, ...]


def advice(code: str, evidence: Json, subject: str) -> Advice:
    """Return what to do about a finding; nothing for an unknown code."""
    make = _COMMANDS.get(code)
    return Advice(_TEXTS.get(code, ""), tuple(islice(make(evidence, subject), _MOST)) if make else ())


_Commands = Callable[[Json, str], Iterator[str]]


def _show(ids: str) -> str:
    return f"az network private-endpoint show --ids {quote(ids)}"


def _delete(ids: str) -> str:
    return f"az network private-endpoint delete --ids {quote(ids)}"


def _is_endpoint(text: str) -> bool:
    return "/privateendpoints/" in text.lower()


def _contest(evidence: Json, subject: str) -> Iterator[str]:
    losers = [each["endpoint"] for each in evidence["losers"] if _is_endpoint(each["endpoint"])]
    yield from map(_delete, losers[:2])
    for each in evidence["losers"][:2]:
        yield f"pldns pin set {quote(subject)} {quote(each['endpoint'])} --reason '…'"


def _shared(evidence: Json, subject: str) -> Iterator[str]:
    for each in (*evidence["winners"][:1], *evidence["losers"][:2]):
        yield f"pldns pin set {quote(subject)} {quote(each['endpoint'])} --reason '…'"


def _endpoint(evidence: Json, subject: str) -> Iterator[str]:
    if _is_endpoint(subject):
        yield _show(subject)
    if target := evidence.get("target", ""):
        yield from _connections(target)


def _connections(target: str) -> Iterator[str]:
    if target.startswith("/"):
        yield f"az network private-endpoint-connection list --id {quote(target)}"


def _pending(evidence: Json, _: str) -> Iterator[str]:
    yield from _connections(evidence["target"])
    if evidence["target"].startswith("/"):
        yield "az network private-endpoint-connection approve --id CONNECTION --description '…'"


def _unconnected(evidence: Json, subject: str) -> Iterator[str]:
    yield from _connections(evidence["target"])
    if _is_endpoint(subject):
        yield _delete(subject)


def _reused(_: Json, subject: str) -> Iterator[str]:
    # A graph query reads all subscriptions at once. The address has no character that needs quotes there.
    query = (
        "resources | where type =~ 'microsoft.network/networkinterfaces' "
        "| mv-expand each = properties.ipConfigurations "
        f"| where each.properties.privateIPAddress == '{subject}' | project id"
    )
    if all(each in "0123456789abcdefABCDEF.:" for each in subject):
        yield f'az graph query -q "{query}"'


def _overlap(evidence: Json, _: str) -> Iterator[str]:
    for each in evidence["vnets"]:
        yield f"az network vnet show --ids {quote(each['vnet'])} --query addressSpace"


def _companions(evidence: Json, subject: str) -> Iterator[str]:
    for each in evidence["missing"]:
        if subject.startswith("/"):
            yield (
                "az network private-endpoint create --resource-group GROUP --name NAME --connection-name NAME "
                f"--subnet SUBNET --private-connection-resource-id {quote(subject)} --group-id {quote(each['needs'])}"
            )


def _held(_: Json, subject: str) -> Iterator[str]:
    yield f"pldns sync accept {quote(subject)}"
    yield f"pldns sync drop {quote(subject)}"


def _source(_: Json, subject: str) -> Iterator[str]:
    yield f"pldns sources --name {quote(subject)}"


_TEXTS: Final[Mapping[str, str]] = {
    "conflicting-address": (
        "Compare the targets. Delete the endpoint that is no longer needed, or pin the right one. If both are "
        "intended, put their virtual networks into different networks."
    ),
    "duplicate-endpoint": (
        "If both are intended, give each virtual network a network of its own. Otherwise delete the endpoint that"
        " is not needed."
    ),
    "shared-global-name": (
        "Keep one of the endpoints for all networks that share DNS, or configure networks that do not see each "
        "other's endpoints. Until then, pin the endpoint that matters."
    ),
    "endpoint-pending": "Ask the owner of the target to approve the connection.",
    "endpoint-rejected": "Delete the endpoint, or ask for approval again.",
    "endpoint-disconnected": "Delete the endpoint. Create a new one if the resource exists again.",
    "provisioning-failed": "Look at the endpoint's activity log, and repeat the change.",
    "endpoint-misplaced": "Export the endpoint and its virtual network again.",
    "name-missing": (
        "Export the network interfaces too. An endpoint of a Private Link service has no FQDN: add the items to "
        "`names` in the configuration."
    ),
    "companion-missing": "Create an endpoint for the missing group, or let the network reach the existing one.",
    "address-changed": "Nothing, if the network interface was changed on purpose.",
    "address-reused": (
        "In one virtual network, the inventory is older than the estate: export it again. In two, their address "
        "spaces overlap: give them networks that do not see each other."
    ),
    "network-overlap": (
        "List this exact prefix as `clients` of a network, or give the network of each virtual network a listener"
        " of its own (`dns.listeners`)."
    ),
    "wildcard-shared": (
        "Nothing where a private wildcard is served. Otherwise list the names that clients need under `names` in "
        "the configuration."
    ),
    "zone-unknown": "Compare the name with the expected zones. For a new service, put its zone into a zone file.",
    "static-shadows-endpoint": "Remove the name from the zone file, unless the file is meant to win.",
    "limit-near": (
        "Delete endpoints that nobody uses. Put new ones into another virtual network, or enable high-scale "
        "private endpoints."
    ),
    "pin-ignored": "Correct the id or the network of the pin, or remove the pin.",
    "name-ignored": "Correct the item of `names`, or remove it.",
    "except-ignored": "Correct the item of `except`, or remove it.",
    "forward-loop": (
        "Exclude the names from the conditional forwarder of that upstream, or give them an upstream group of "
        "their own."
    ),
    "invalid-record": "Correct the resource at the path that the finding names.",
    "source-disagreement": (
        "Remove the old export. Delete a record whose endpoint is gone. Attach a zone group to an endpoint "
        "without a record."
    ),
    "source-incomplete": "Export the whole list, or put the other pages beside the file.",
    "source-unreadable": "The message says what is wrong. What was read before is served.",
    "sync-held": "Compare what would be removed with the estate. Then accept or drop the sync.",
    "state-unwritable": "Make room on the disk of the state directory, or mend its permissions.",
    "state-set-aside": "Nothing. The damaged file is kept for a look at its content.",
}
_COMMANDS: Final[Mapping[str, _Commands]] = {
    "conflicting-address": _contest,
    "duplicate-endpoint": _contest,
    "shared-global-name": _shared,
    "endpoint-pending": _pending,
    "endpoint-rejected": _unconnected,
    "endpoint-disconnected": _unconnected,
    "provisioning-failed": _endpoint,
    "endpoint-misplaced": _endpoint,
    "name-missing": _endpoint,
    "companion-missing": _companions,
    "address-changed": _endpoint,
    "address-reused": _reused,
    "network-overlap": _overlap,
    "source-unreadable": _source,
    "sync-held": _held,
}
