"""Sentences about claims: why a claim won or lost in the network of a client."""

from collections.abc import Iterable, Mapping
from typing import Final

from resolver.admin.resources.model import clock_text
from resolver.control.estate.estate import Estate
from resolver.control.estate.provenance import ClaimStanding, Standing
from zones.azure.endpoint import ConnectionState, ResourceId
from zones.claims.contest import Rule
from zones.claims.policy import Pin
from zones.dns.name import to_text

_WON: Final[Mapping[Rule, str]] = {
    Rule.NONE: "the only claim that is visible here",
    Rule.NEAREST: "the nearest endpoint: in a home virtual network of the client's network, or in its region",
    Rule.INCUMBENT: "the incumbent: it had the name before {others}",
    Rule.OLDEST: "seen before {others}",
    Rule.RESOURCE_ID: "seen at the same time as {others}, and its resource id is the lowest",
    Rule.MERGE: "the conflict policy `merge` serves all claims",
}
_LOST: Final[Mapping[Rule, str]] = {
    Rule.NEAREST: "{others} is nearer to the client's network",
    Rule.INCUMBENT: "{others} is the incumbent: it had the name before",
    Rule.OLDEST: "{others} was seen first",
    Rule.RESOURCE_ID: "{others} was seen at the same time, and has a lower resource id",
}


def claim_reason(estate: Estate, each: ClaimStanding, network: str) -> str:
    """Return why a claim has its standing in a network, which is `none` for a client in no network."""
    others = _named(estate, each.others)
    match each.standing:
        case Standing.WON if each.pin:
            return f"pinned by {_pin(each.pin)}"
        case Standing.WON:
            return _WON.get(each.rule, str(each.rule)).format(others=others)
        case Standing.LOST if each.pin:
            return f"pinned to {others} by {_pin(each.pin)}"
        case Standing.LOST:
            return _LOST.get(each.rule, str(each.rule)).format(others=others)
        case Standing.ELSEWHERE:
            return f"{to_text(each.claim.public)} leads to the private name of {others} here (rule: {each.rule})"
        case Standing.UNDECIDED:
            return f"the conflict policy `refuse` chooses none of the endpoints; {others} claims the name too"
        case Standing.DISPLACED:
            return "it was removed, and a live claim has its name or one of its addresses"
        case Standing.NOT_SERVED:
            holder = estate.ledger.holder(each.claim.endpoint)
            if holder.state is ConnectionState.APPROVED:
                return f"the endpoint is not served: its provisioning state is {holder.provisioning}"
            return f"the connection is {holder.state}; only an Approved one is served"
        case Standing.EXCEPTED:
            return f"`except` of the network {network} hides it"
        case Standing.SHADOWED:
            return "a zone file or a private DNS zone has this name, and takes precedence"
        case Standing.NOT_VISIBLE:
            return _not_visible(estate, each, network)


def _not_visible(estate: Estate, each: ClaimStanding, network: str) -> str:
    names = estate.networks.listed(estate.ledger.sees(each.claim))
    seen = f"it is visible to {_listed(names)}" if names else "it is visible to no network"
    if estate.networks.all and network == "none":
        return f"no network holds the client's address; {seen}"
    return f"{seen}, not to {network}"


def _pin(pin: Pin) -> str:
    origin = pin.by or "`conflicts.pins`"
    reason = f" ({pin.reason})" if pin.reason else ""
    return f"{origin}{reason}" + (f" until {clock_text(pin.until)}" if pin.until is not None else "")


def _named(estate: Estate, keys: Iterable[ResourceId]) -> str:
    return _listed([estate.ledger.holder(key).name for key in keys]) or "no other endpoint"


def _listed(names: Iterable[str]) -> str:
    """Return names as a list in a sentence: the first four, and the number of the others."""
    found = list(names)
    text = ", ".join(found[:4])
    return f"{text} and {len(found) - 4} more" if len(found) > 4 else text
