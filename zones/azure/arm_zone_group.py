"""Parses DNS zone groups: `az network private-endpoint dns-zone-group list`, and the REST body (API 2025-05-01).

`arm` finds the rows. Does not validate names and addresses, and does not know whether the endpoint of a group exists.
"""

from typing import Final

from msgspec import Struct

from zones.azure.endpoint import ResourceId
from zones.azure.resource import InvalidId, ZoneConfig, ZoneGroup, ZoneRecord, resource_id

ZONE_GROUP: Final = "microsoft.network/privateendpoints/privatednszonegroups"
_OF_ENDPOINT: Final = "/privatednszonegroups/"


class RecordSetJson(Struct, gc=False, rename="camel"):
    """An item of `recordSets`."""

    record_set_name: str | None = None
    fqdn: str | None = None
    ip_addresses: tuple[str, ...] | None = None


class ZoneConfigBodyJson(Struct, gc=False, rename="camel"):
    """The properties of a zone config."""

    private_dns_zone_id: str | None = None
    record_sets: tuple[RecordSetJson, ...] | None = None


class ZoneConfigJson(ZoneConfigBodyJson, gc=False, rename="camel"):
    """An item of `privateDnsZoneConfigs`."""

    properties: ZoneConfigBodyJson | None = None


def zone_group(key: ResourceId, text: str, configs: tuple[ZoneConfigJson, ...]) -> ZoneGroup:
    """Return the zone group with this normalised id. `text` is its id as written."""
    endpoint = ResourceId(key.partition(_OF_ENDPOINT)[0])
    return ZoneGroup(endpoint, text, tuple(_config(config.properties or config) for config in configs))


def _config(body: ZoneConfigBodyJson) -> ZoneConfig:
    text = body.private_dns_zone_id or ""
    try:
        zone: str = resource_id(text)
    except InvalidId:
        zone = text.casefold()
    origin = zone.rpartition("/")[2]
    return ZoneConfig(zone, tuple(_record(each, origin) for each in body.record_sets or ()))


def _record(given: RecordSetJson, origin: str) -> ZoneRecord:
    """Read a record set. Its own FQDN counts; without one, its relative name in the zone."""
    name = given.fqdn or ""
    if not name and given.record_set_name and origin:
        name = origin if given.record_set_name == "@" else f"{given.record_set_name}.{origin}"
    return ZoneRecord(name.casefold().removesuffix("."), given.ip_addresses or ())
