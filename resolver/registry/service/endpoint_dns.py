"""The names of an endpoint: on its network interface, in `customDnsConfigs`, and in the record sets of a zone group.

The consumer learns the names with the approval, not before: those of a private link service are its owner's.
"""

from ipaddress import ip_address

from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.call import ENDPOINT, Call
from resolver.registry.service.endpoint_body import connection_in, link_of
from resolver.registry.service.target_members import members_of
from resolver.registry.store.row import Json, Row
from zones.azure.catalogue import catalogue
from zones.dns import name

ZONE_GROUPS = f"{ENDPOINT}/privateDnsZoneGroups"


def reveal(call: Call, body: Json) -> Json:
    """Put the names of an approved endpoint on its network interface and into its body, and return the body."""
    link = link_of(body)
    nic = call.row(ArmId.parse(body["properties"]["networkInterfaces"][0]["id"]))
    shown = nic.json
    members = {each.name.casefold(): each.fqdns for each in members_of(call, link)}
    configurations = shown["properties"]["ipConfigurations"]
    for configuration in configurations:
        properties = configuration["properties"]["privateLinkConnectionProperties"]
        properties["fqdns"] = list(members.get(properties["requiredMemberName"].casefold(), ()))
    call.tx.put(ArmId.parse(nic.id), shown)
    return with_names(call, body)


def with_names(call: Call, body: Json) -> Json:
    """Set `customDnsConfigs` in the body of an endpoint, and the records of its zone group. Return the body.

    Azure empties `customDnsConfigs` while a zone group is attached.
    """
    names = names_of(call, body)
    groups = call.tx.children(body["id"].casefold(), ZONE_GROUPS.casefold())
    for group in groups:
        _put_records(call, group, body, names)
    body["properties"]["customDnsConfigs"] = (
        [] if groups else [{"fqdn": fqdn, "ipAddresses": addresses} for fqdn, addresses in names.items()]
    )
    return body


def names_of(call: Call, body: Json) -> dict[str, list[str]]:
    """Return the addresses by FQDN that the network interface of an endpoint shows."""
    nic = call.row(ArmId.parse(body["properties"]["networkInterfaces"][0]["id"]))
    found: dict[str, list[str]] = {}
    for configuration in nic.json["properties"]["ipConfigurations"]:
        properties = configuration["properties"]
        for fqdn in properties["privateLinkConnectionProperties"]["fqdns"]:
            found.setdefault(fqdn, []).append(properties["privateIPAddress"])
    return found


def _put_records(call: Call, group: Row, endpoint: Json, names: dict[str, list[str]]) -> None:
    """Write the record sets of a zone group: for each of its zones, those names that belong into the zone.

    There are none while the endpoint, in its new state, is not approved.
    """
    body, link = group.json, link_of(endpoint)
    approved = connection_in(endpoint).carries_traffic
    for config in body["properties"]["privateDnsZoneConfigs"]:
        zone = config["properties"]["privateDnsZoneId"].rpartition("/")[2]
        config["properties"]["recordSets"] = _records(zone, link, names) if approved else []
    call.tx.put(ArmId.parse(group.id), body, parent=group.parent)


def _records(zone: str, link: Json, names: dict[str, list[str]]) -> list[Json]:
    origin = name.from_text(zone)
    target = link["privateLinkServiceId"]
    kind = ArmId.parse(target).type if target.startswith("/") else ""
    records: list[Json] = []
    for fqdn, addresses in names.items():
        mapped = catalogue().map(name.from_text(fqdn), kind, link["groupIds"])
        if mapped and mapped.zone == origin:
            records += _record_sets(name.to_text(mapped.name), zone, addresses)
    return records


def _record_sets(fqdn: str, zone: str, addresses: list[str]) -> list[Json]:
    """Return the record sets of a name: A for its IPv4 addresses, AAAA for its IPv6 addresses."""
    found = {
        kind: [each for each in addresses if ip_address(each).version == version]
        for kind, version in (("A", 4), ("AAAA", 6))
    }
    return [
        {
            "recordType": kind,
            "recordSetName": fqdn.removesuffix(f".{zone.casefold()}"),
            "fqdn": fqdn,
            "ttl": 10,
            "ipAddresses": values,
            "provisioningState": "Succeeded",
        }
        for kind, values in found.items()
        if values
    ]
