"""DNS zone groups of private endpoints: which private DNS zones get the records of an endpoint.

The zones need not be in this registry: pldns answers the names in any case.
"""

from typing import Final

from resolver.registry.model.failure import bad_request
from resolver.registry.model.limits import check_limit
from resolver.registry.model.resource_id import ArmId, require_type
from resolver.registry.model.resource_name import check_distinct, check_name
from resolver.registry.service import endpoint_dns
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call
from resolver.registry.service.endpoint_body import check_changeable
from resolver.registry.service.resources import child_of
from resolver.registry.store.row import Json, Row
from zones.azure.limits import Limit
from zones.dns.name import InvalidName, from_text

ZONE: Final = "Microsoft.Network/privateDnsZones"


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write the zone group of an endpoint, which has one at most, with five zones at most."""
    parent = found.parent
    assert parent is not None  # noqa: S101 - a zone group has one
    endpoint, given = call.row(parent), body.object("properties").objects("privateDnsZoneConfigs")
    check_changeable(endpoint.json)
    if was is None:
        check_limit(
            Limit.ZONE_GROUPS_PER_ENDPOINT, len(call.tx.children(endpoint.key, found.type.casefold())), endpoint.id
        )
    check_limit(Limit.ZONES_PER_ZONE_GROUP, 0, str(found), len(given))
    configs: list[Json] = []
    for each in given:
        named = each.object("properties")
        path = named.where("privateDnsZoneId")
        zone = require_type(ArmId.parse(named.needed("privateDnsZoneId"), path), ZONE, path)
        _check_zone(zone, path)
        name = check_name(each.text("name") or zone.name.replace(".", "-"), each.where("name"))
        shown = {"privateDnsZoneId": str(zone), "recordSets": []}
        configs.append(
            {
                "name": name,
                "id": f"{found}/privateDnsZoneConfigs/{name}",
                "type": f"{found.type}/privateDnsZoneConfigs",
                "properties": shown,
            }
        )
    check_distinct((each["name"] for each in configs), str(found), "properties.privateDnsZoneConfigs")
    properties: Json = {"provisioningState": "Succeeded", "privateDnsZoneConfigs": configs}
    call.tx.put(found, {**child_of(found), "properties": properties}, parent=endpoint.key)
    _refresh(call, endpoint)
    return call.row(found)


def _check_zone(zone: ArmId, path: str) -> None:
    try:
        from_text(zone.name)
    except InvalidName as error:
        raise bad_request(
            "InvalidRequestContent", f"{zone.name[:80]!r} cannot be the name of a DNS zone: {error}.", path
        ) from None


def delete(call: Call, row: Row) -> None:
    """Delete a zone group. The endpoint shows its names in `customDnsConfigs` again."""
    call.tx.delete(row)
    endpoint = call.tx.get(row.parent)
    if endpoint is not None:
        _refresh(call, endpoint)


def _refresh(call: Call, endpoint: Row) -> None:
    call.tx.put(ArmId.parse(endpoint.id), endpoint_dns.with_names(call, endpoint.json))
