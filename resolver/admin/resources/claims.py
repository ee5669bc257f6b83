"""Claims on a name as JSON. A claim is an endpoint's statement that a name has certain addresses."""

from pydantic import Field

from resolver.admin.resources.endpoints import address_texts
from resolver.admin.resources.model import Model, Parameters, Time, clock_text
from resolver.admin.resources.names import NameItem, name_item
from resolver.admin.resources.networks import network_names
from resolver.control.estate.estate import Estate
from zones.claims import contest
from zones.clocks import WallTime
from zones.dns.name import Name, from_text, to_text


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
    """All claims on a name, and the private names that they are about, with their answers."""

    items: list[ClaimItem]
    next: str | None = Field(default=None, description="Always null: all claims are on this page.")
    records: list[NameItem]


class ClaimParameters(Parameters):
    """Query parameters of `/v1/claims`."""

    name: str = Field(description="A public or private name.")


def claims(estate: Estate, name: Name, now: WallTime) -> ClaimList:
    """Return all claims on a public or private name, and the answers of each private name that they are about."""
    found = estate.ledger.find(name)
    private = dict.fromkeys(claim.name for claim in found)
    records = (name_item(estate, each, now) for each in private)
    return ClaimList(
        items=[claim_item(estate, claim) for claim in found], records=[each for each in records if each is not None]
    )


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
