"""Claims on a name as JSON. A claim is an endpoint's statement that a name has certain addresses."""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from pydantic import Field

from resolver.admin.resources.endpoints import address_texts
from resolver.admin.resources.model import ListParameters, Model, OneOf, Time, clock_text
from resolver.admin.resources.names import NameItem, name_item
from resolver.admin.resources.networks import network_names
from resolver.control.estate.estate import Estate
from zones.claims import contest
from zones.clocks import WallTime
from zones.dns.name import Name, from_text, to_text

ClaimState = Literal["served", "not-served", "lingering"]


class ClaimItem(Model):
    """An endpoint's claim that a name has these addresses."""

    name: str = Field(description="Private name.")
    public: str = Field(description="Public FQDN, as the network interface has it.")
    configured: bool = Field(
        description="`names` in the configuration gives the FQDN; the network interface does not list it."
    )
    zone: str | None = Field(description="Private zone of the name; null for a name in no private-link zone.")
    endpoint: str = Field(description="Resource id of the endpoint.")
    addresses: list[str]
    state: str = Field(description="State of the endpoint's private link connection.")
    served: bool = Field(description="Whether the claim may be served.")
    networks: list[str] = Field(description="Networks to which it is visible.")
    networks_total: int
    first_seen: Time
    lingers_until: Time | None = Field(
        description="The claim was removed. Until this time it is still served where no live claim has its name or "
        "addresses."
    )
    source: str = Field(description="Name of the source that the endpoint was read from.")
    where: str = Field(description="File or subscription of that source.")


class ClaimList(Model):
    """A page of claims."""

    items: list[ClaimItem]
    next: str | None = Field(description="`cursor` of the next page; null on the last one.")
    records: list[NameItem] = Field(
        description="With the parameter `name`: the private names of the claims on this page, with their answers."
    )


class ClaimParameters(ListParameters):
    """Query parameters of `/v1/claims`."""

    name: tuple[str, ...] = Field(default=(), description="Only claims on this public or private name.")
    zone: tuple[str, ...] = Field(default=(), description="Only claims on names in this zone.")
    network: tuple[str, ...] = Field(default=(), description="Only claims that are visible to this network.")
    state: tuple[Annotated[ClaimState, OneOf(get_args(ClaimState))], ...] = Field(
        default=(), description="Only claims in this state."
    )


def claim_state(estate: Estate, claim: contest.Claim) -> ClaimState:
    """Return whether a claim may be served, or was removed and lingers."""
    if estate.ledger.tombstones.until(claim) is not None:
        return "lingering"
    return "served" if estate.ledger.holder(claim.endpoint).served else "not-served"


def answers(estate: Estate, names: Iterable[Name], now: WallTime) -> list[NameItem]:
    """Return the answers of private names, each once; those without any are left out."""
    found = (name_item(estate, each, now) for each in dict.fromkeys(names))
    return [each for each in found if each is not None]


def configured(estate: Estate) -> list[ClaimItem]:
    """Return the claims whose FQDN `names` in the configuration gives, in the order of the configuration."""
    fqdns = dict.fromkeys(from_text(entry.name) for entry in estate.settings.names)
    found = (claim for fqdn in fqdns for claim in estate.ledger.find(fqdn) if claim.public == fqdn)
    return [item for claim in found if (item := claim_item(estate, claim)).configured]


def claim_item(estate: Estate, claim: contest.Claim) -> ClaimItem:
    """Return one claim as JSON."""
    holder, lingers = estate.ledger.holder(claim.endpoint), estate.ledger.tombstones.until(claim)
    networks, total = network_names(estate, estate.ledger.sees(claim))
    return ClaimItem(
        name=to_text(claim.name), public=to_text(claim.public), configured=holder.has_configured(claim.public),
        zone=to_text(claim.zone) if claim.zone else None,
        endpoint=holder.id, addresses=address_texts(claim.addresses), state=holder.state, served=holder.served,
        networks=networks, networks_total=total, first_seen=clock_text(claim.first_seen),
        lingers_until=None if lingers is None else clock_text(lingers), source=holder.source, where=holder.where,
    )  # fmt: skip
