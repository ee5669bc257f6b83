"""Pins as JSON, and the endpoint that a request means."""

from collections.abc import Iterable
from typing import Literal

from pydantic import AwareDatetime, Field

from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources.model import ListParameters, Model, Note, Parameters, Time, time_text
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import Endpoint
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import Name, from_text, to_text
from zones.findings.evidence import LISTED


class PinItem(Model):
    """Gives a name to an endpoint that claims the name, in the networks that the endpoint is visible to."""

    name: str = Field(description="The name, public or private.")
    endpoint: str = Field(description="The endpoint, as the pin names it.")
    network: str | None = Field(description="Only in this network; null: in all networks.")
    reason: str
    until: Time | None = Field(description="null: without an end.")
    origin: Literal["configuration", "operator"]
    by: str = Field(description="The operator, as in the audit log; empty for a pin of the configuration.")


class PinParameters(ListParameters):
    """Query parameters of `/v1/pins`."""

    name: tuple[str, ...] = Field(default=(), description="Only pins of this name.")
    network: tuple[str, ...] = Field(default=(), description="Only pins that count in this network.")


class PinRequest(Parameters):
    """The pin to make. It replaces an operator's pin of this name and network."""

    name: str = Field(description="The name, public or private.")
    endpoint: str = Field(description="An endpoint that claims the name: its id, or its name, as pldns prints them.")
    network: str | None = Field(default=None, description="Only in this network. Default: in all networks.")
    reason: Note = Field(description="Why the endpoint should have the name. At most 500 characters.")
    until: AwareDatetime | None = Field(default=None, description="When the pin ends. Default: never.")


class UnpinRequest(Parameters):
    """The pin of a name to remove."""

    network: str | None = Field(default=None, description="The network of the pin. Default: the pin of all networks.")


def pin(item: Pin) -> PinItem:
    """Return a pin as JSON."""
    return PinItem(
        name=to_text(from_text(item.name)), endpoint=item.endpoint, network=item.network, reason=item.reason,
        until=None if item.until is None else time_text(item.until),
        origin="operator" if item.by else "configuration", by=item.by,
    )  # fmt: skip


def of_operators(estate: Estate, now: WallTime) -> list[PinItem]:
    """Return the first 32 pins of operators that have not ended."""
    return [pin(each) for each in estate.operator_pins if not each.has_ended(now)][:LISTED]


def claimant(estate: Estate, name: Name, text: str) -> Endpoint:
    """Return the endpoint that a text means, among those that claim a name. Raises `Refused`."""
    claimants = {claim.endpoint: estate.ledger.holder(claim.endpoint) for claim in estate.ledger.find(name)}
    if not claimants:
        raise Refused(Code.NO_CLAIM, f"no endpoint claims {to_text(name)}")
    found = [each for each in claimants.values() if text.casefold() in _labels(each)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(
            Code.NO_CLAIM, f"several endpoints named `{text[:80]}` claim {to_text(name)}; use an id: {_listed(found)}"
        )
    raise Refused(
        Code.NO_CLAIM,
        f"no endpoint `{text[:80]}` claims {to_text(name)}; it has claims of {_listed(claimants.values())}",
    )


def _labels(endpoint: Endpoint) -> set[str]:
    """Return what people call an endpoint: its id, its name, and `NAME (RESOURCE GROUP)` as commands print ids."""
    labels = {endpoint.key, endpoint.id, endpoint.name}
    match endpoint.id.strip("/").split("/"):
        case [_, _, _, group, _, _, _, name]:
            labels.add(f"{name} ({group})")
    return {each.casefold() for each in labels}


def _listed(found: Iterable[Endpoint]) -> str:
    ids = sorted(each.id for each in found)
    return ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
