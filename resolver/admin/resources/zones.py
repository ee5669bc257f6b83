"""Zones as JSON, and which zone a name belongs to."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from resolver.admin.resources.model import ListParameters, Model, OneOf
from resolver.admin.resources.networks import network_names
from resolver.control.estate.estate import Estate
from zones.dns.name import Name, is_under, to_text
from zones.networks.network import NetworkMask

ZoneSource = Literal["endpoints", "file", "private-dns", "configuration"]
ZoneOrder = Literal["canonical", "text", "names"]


class ZoneItem(Model):
    """A zone that pldns answers, and its settings."""

    zone: str
    source: ZoneSource = Field(
        description="Where the zone comes from: served endpoints, a zone file, records of a private DNS zone (each "
        "with or without endpoints), or `zones.overrides`."
    )
    names: int = Field(description="Number of names that own records.")
    networks: list[str] = Field(description="Networks to which it is visible.")
    networks_total: int
    ttl: int = Field(description="TTL of private answers, in seconds.")
    negative_ttl: int | None = Field(description="TTL of negative answers; null: as the zone file's SOA says.")
    on_miss: str = Field(description="The answer for a name that the zone does not have.")
    chain: str = Field(description="Form of the answer for a public FQDN.")


class ZoneParameters(ListParameters):
    """Query parameters of `/v1/zones`."""

    zone: tuple[str, ...] = Field(default=(), description="Only this zone.")
    network: tuple[str, ...] = Field(default=(), description="Only zones that are visible to this network.")
    name: tuple[str, ...] = Field(default=(), description="Only the zone that this name belongs to.")
    source: tuple[Annotated[ZoneSource, OneOf(get_args(ZoneSource))], ...] = Field(
        default=(), description="Only zones that come from there."
    )
    search: str = Field(
        default="", max_length=255, description="Only zones with this text in their name, and the zone of this name."
    )
    order: Annotated[ZoneOrder, OneOf(get_args(ZoneOrder))] = Field(
        default="canonical",
        description="`canonical`: by labels from the right. `text`: as people sort. `names`: the most names first.",
    )


def zone(estate: Estate, origin: Name, names: int, mask: NetworkMask) -> ZoneItem:
    """Return one zone as JSON.

    `names`: how many of its names only endpoints hold; `mask`: the networks to which those names are visible.
    """
    file = estate.static.get(origin)
    policies = estate.policies
    terms = policies.of_file(origin, is_open=file.is_open) if file else policies.of(origin)
    networks, total = network_names(estate, visible(estate, origin, mask))
    return ZoneItem(
        zone=to_text(origin),
        source=source_of(estate, origin, names),
        names=size(estate, origin, names), networks=networks, networks_total=total,
        ttl=terms.ttl, negative_ttl=terms.negative_ttl, on_miss=terms.on_miss_text, chain=terms.chain,
    )  # fmt: skip


def visible(estate: Estate, origin: Name, mask: NetworkMask) -> NetworkMask:
    """Return the networks that a zone is visible to. `mask`: those of its names that only endpoints hold."""
    return estate.networks.all if origin in estate.static or origin in estate.policies.named else mask


def source_of(estate: Estate, origin: Name, names: int) -> ZoneSource:
    """Return where a zone comes from. `names`: how many of its names only endpoints hold."""
    if origin in estate.static:
        return static_source(estate, origin)
    return "endpoints" if names else "configuration"


def size(estate: Estate, origin: Name, names: int) -> int:
    """Return the number of names in a zone. `names`: how many of them only endpoints hold."""
    return names + (len(estate.static[origin].names) if origin in estate.static else 0)


def static_source(estate: Estate, origin: Name) -> Literal["file", "private-dns"]:
    """Return where the records of a static zone come from."""
    return "private-dns" if estate.static[origin].is_provided else "file"


def zone_of(estate: Estate, name: Name) -> Name | None:
    """Return the zone of a name: the longest one of the catalogue, the zone files and the private DNS zones."""
    found = static_zone_of(estate, name), estate.ledger.catalogue.zone_of(name)
    return max((zone for zone in found if zone), key=len, default=None)


def static_zone_of(estate: Estate, name: Name) -> Name | None:
    """Return the longest zone of the zone files and the private DNS zones at or above a name."""
    return max((origin for origin in estate.static if is_under(name, origin)), key=len, default=None)
