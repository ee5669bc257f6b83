"""Private endpoints as JSON."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated

from pydantic import Field

from resolver.admin.resources.model import ListParameters, Model, OneOf
from resolver.admin.resources.networks import network_names
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ConfiguredRecord, ConnectionState, ResourceId
from zones.dns.name import to_text


class EndpointRecord(Model):
    """An FQDN and the addresses that the endpoint's network interface has for it."""

    fqdn: str
    configured: bool = Field(description="`names` in the configuration gives the FQDN; the interface does not list it.")
    addresses: list[str]
    group: str = Field(description="Group id (sub-resource), for example `blob`.")
    member: str = Field(description="Required member of the group, for example `default`.")


class EndpointItem(Model):
    """A private endpoint."""

    id: str = Field(description="Azure resource id.")
    name: str
    state: str = Field(description="State of the private link connection, for example `Approved`.")
    provisioning: str = Field(description="Provisioning state.")
    served: bool = Field(description="Whether its claims may be served.")
    target: str = Field(description="Resource id or alias of the private link resource.")
    groups: list[str] = Field(description="Group ids (sub-resources).")
    region: str
    vnet: str = Field(description="Resource id of its virtual network.")
    networks: list[str] = Field(description="Networks to which it is visible.")
    networks_total: int
    records: list[EndpointRecord]
    source: str = Field(description="Name of the source that it was read from.")
    where: str = Field(description="File or subscription of that source.")


class EndpointParameters(ListParameters):
    """Query parameters of `/v1/endpoints`."""

    state: tuple[Annotated[ConnectionState, OneOf(ConnectionState)], ...] = Field(
        default=(), description="Only endpoints whose connection has this state."
    )
    network: tuple[str, ...] = Field(default=(), description="Only endpoints that are visible to this network.")
    zone: tuple[str, ...] = Field(default=(), description="Only endpoints with a private name in this zone.")
    name: tuple[str, ...] = Field(
        default=(), description="Only endpoints with this public FQDN or private name, or of this name themselves."
    )


def endpoint(estate: Estate, key: ResourceId) -> EndpointItem | None:
    """Return one endpoint as JSON; None when no endpoint has this key (any more)."""
    found = estate.ledger.endpoints.get(key)
    if found is None:
        return None
    networks, total = network_names(estate, estate.networks.sees(found))
    return EndpointItem(
        id=found.id, name=found.name, state=found.state, provisioning=found.provisioning, served=found.served,
        target=found.target, groups=list(found.groups), region=found.region, vnet=found.vnet,
        networks=networks, networks_total=total,
        records=[
            EndpointRecord(
                fqdn=to_text(record.fqdn), configured=isinstance(record, ConfiguredRecord),
                addresses=address_texts(record.addresses), group=record.group, member=record.member,
            )
            for record in found.records
        ],
        source=found.source, where=found.where,
    )  # fmt: skip


def address_texts(packed: Iterable[bytes]) -> list[str]:
    """Return packed IP addresses as text."""
    return [str(ip_address(address)) for address in packed]
