"""Virtual networks with their subnets and peerings.

A subnet and a peering are resources of their own; the body of a virtual network shows them. Does not know endpoints,
except that a subnet with one cannot go.
"""

from typing import Final

from resolver.registry.model.access import check_linked
from resolver.registry.model.failure import bad_request
from resolver.registry.model.resource_id import ArmId, require_type
from resolver.registry.model.resource_name import check_distinct, check_name
from resolver.registry.model.subnet import Network, Subnet, check_apart, check_within, read_prefix
from resolver.registry.service.body import Body
from resolver.registry.service.call import ENDPOINT, VNET, Call
from resolver.registry.service.resources import child_of, head_of
from resolver.registry.store.row import Json, Row
from zones.azure.limits import Limit

SUBNETS: Final = f"{VNET}/subnets"
PEERINGS: Final = f"{VNET}/virtualNetworkPeerings"
_SUBNETS: Final = SUBNETS.casefold()
_PEERINGS: Final = PEERINGS.casefold()
_POLICIES: Final = ("Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled")
_SCALE: Final = "privateEndpointVNetPolicies"
_HIGH_SCALE: Final = "Basic"


# -- virtual networks


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a virtual network. Subnets and peerings of the body replace those that it has; without any, they stay."""
    head, given = head_of(call, found, body, was), body.object("properties")
    prefixes = given.object("addressSpace").texts("addressPrefixes")
    if not prefixes:
        raise given.invalid("addressSpace.addressPrefixes", "is missing")
    space = [read_prefix(each) for each in prefixes]
    check_apart(space, str(found))
    guid = was.json["properties"]["resourceGuid"] if was else call.new_guid()
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": guid,
        "addressSpace": {"addressPrefixes": list(prefixes)},
        "enableDdosProtection": False,
        _SCALE: _scale(call, found, given, was),
    }
    if "dhcpOptions" in given:
        properties["dhcpOptions"] = {"dnsServers": list(given.object("dhcpOptions").texts("dnsServers"))}
    row = call.tx.put(found, {**head, "properties": properties})
    if "subnets" in given:
        _replace(call, row, given.objects("subnets"), "subnets", _SUBNETS)
    else:
        for subnet in call.tx.children(row.key, _SUBNETS):
            check_within(_prefixes(subnet), space, subnet.id)
    if "virtualNetworkPeerings" in given:
        _replace(call, row, given.objects("virtualNetworkPeerings"), "virtualNetworkPeerings", _PEERINGS)
    return row


def limit_of_endpoints(vnet: Row) -> Limit:
    """Return the limit of private endpoints in a virtual network: a higher one with high-scale private endpoints."""
    high = vnet.json["properties"].get(_SCALE) == _HIGH_SCALE
    return Limit.ENDPOINTS_PER_HIGH_SCALE_VNET if high else Limit.ENDPOINTS_PER_VNET


def _scale(call: Call, found: ArmId, given: Body, was: Row | None) -> str:
    """Return whether high-scale private endpoints are enabled, in Azure's words. A request that does not say keeps it.

    Raises `ArmFailure` 400 where the network has too many endpoints to disable them.
    """
    before = was.json["properties"].get(_SCALE, "") if was else ""
    wanted = given.choice(_SCALE, ("Disabled", _HIGH_SCALE), before)
    limit = Limit.ENDPOINTS_PER_VNET
    if wanted != before == _HIGH_SCALE and limit.is_over(used := call.tx.count(ENDPOINT.casefold(), found.key)):
        raise bad_request(
            "OperationNotAllowed",
            f"{found} has {used:,} private endpoints. Without high-scale private endpoints it can have "
            f"{limit.maximum:,}. Delete some before you set {_SCALE} to {wanted}.",
            given.where(_SCALE),
        )
    return wanted


def delete(call: Call, row: Row) -> None:
    """Delete a virtual network with its subnets and peerings. Raises `ArmFailure` while an endpoint uses it."""
    for child in call.tx.children(row.key):
        (delete_subnet if child.type == _SUBNETS else delete_peering)(call, child)
    call.tx.delete(row)


def shown(call: Call, row: Row) -> Json:
    """Return a virtual network with its subnets and peerings."""
    body = row.json
    children = call.tx.children(row.key)
    body["properties"]["subnets"] = [shown_subnet(call, each) for each in children if each.type == _SUBNETS]
    body["properties"]["virtualNetworkPeerings"] = [each.json for each in children if each.type == _PEERINGS]
    return body


def _replace(call: Call, vnet: Row, given: list[Body], kind: str, folded: str) -> None:
    """Replace the children of one type by those of a body."""
    writes, deletes = (put_subnet, delete_subnet) if folded == _SUBNETS else (put_peering, delete_peering)
    owner = ArmId.parse(vnet.id)
    names = [check_name(each.needed("name"), each.where("name")) for each in given]
    check_distinct(names, vnet.id, f"properties.{kind}")
    children = [(owner.child(kind, name), each) for name, each in zip(names, given, strict=True)]
    wanted = {made.key: (made, each) for made, each in children}
    before = {child.key: child for child in call.tx.children(vnet.key, folded)}
    for key in before.keys() - wanted.keys():
        deletes(call, before[key])
    for key, (made, each) in wanted.items():
        writes(call, made, each, before.get(key))


# -- subnets


def put_subnet(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a subnet. Its prefixes are in the address space of the network, and overlap with no other subnet."""
    vnet, given = call.row(_vnet(found)), body.object("properties")
    prefixes = given.texts("addressPrefixes") or ((given.text("addressPrefix"),) if "addressPrefix" in given else ())
    subnet = Subnet(str(found), prefixes)
    check_within(subnet.prefixes, _space(vnet), str(found))
    others = [each for each in call.tx.children(vnet.key, _SUBNETS) if each.key != found.key]
    check_apart([*subnet.prefixes, *(prefix for each in others for prefix in _prefixes(each))], vnet.id)
    if was is not None and (used := call.tx.holders(was.key)):
        left = _prefixes(was)
        if not all(prefix in subnet.prefixes for prefix in left):
            raise bad_request(
                "InUsePrefixCannotBeDeleted",
                f"The subnet {found} has {len(used)} private endpoints or services, so that its prefixes "
                f"{', '.join(map(str, left))} cannot change.",
                str(found),
            )
    properties: Json = {"provisioningState": "Succeeded"}
    if len(prefixes) == 1:
        properties["addressPrefix"] = prefixes[0]
    else:
        properties["addressPrefixes"] = list(prefixes)
    for name, default in (
        ("privateEndpointNetworkPolicies", "Disabled"),
        ("privateLinkServiceNetworkPolicies", "Enabled"),
    ):
        properties[name] = given.choice(name, _POLICIES, default)
    properties["delegations"] = [each.given for each in given.objects("delegations")]
    for name in ("networkSecurityGroup", "routeTable", "natGateway"):
        if name in given:
            properties[name] = {"id": given.object(name).needed("id")}
    row = call.tx.put(found, {**child_of(found), "properties": properties}, parent=vnet.key)
    _touch(call, vnet)
    return row


def delete_subnet(call: Call, row: Row) -> None:
    """Delete a subnet. Raises `ArmFailure` 400 while an endpoint uses it."""
    if used := call.tx.holders(row.key):
        raise bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {row.id} is in use by {used[0]} and cannot be deleted. Delete its {len(used)} private endpoints "
            "and services first.",
            row.id,
        )
    call.tx.delete(row)
    _touch(call, call.row(_vnet(ArmId.parse(row.id))))


def shown_subnet(call: Call, row: Row) -> Json:
    """Return a subnet with the endpoints that have an address from it."""
    body = row.json
    if endpoints := call.tx.ids_in(row.key, ENDPOINT.casefold()):
        body["properties"]["privateEndpoints"] = [{"id": each} for each in endpoints]
    return body


def subnet_of(row: Row) -> Subnet:
    """Return the prefixes of a subnet."""
    properties = row.json["properties"]
    return Subnet(row.id, properties.get("addressPrefixes") or [properties["addressPrefix"]])


def _prefixes(row: Row) -> tuple[Network, ...]:
    return subnet_of(row).prefixes


def _space(vnet: Row) -> list[Network]:
    return [read_prefix(each) for each in vnet.json["properties"]["addressSpace"]["addressPrefixes"]]


def _vnet(child: ArmId) -> ArmId:
    parent = child.parent
    assert parent is not None  # noqa: S101 - a child has one
    return parent


def _touch(call: Call, vnet: Row) -> None:
    """Write a virtual network again, whose body shows a child that changed: its ETag changes too."""
    call.tx.put(ArmId.parse(vnet.id), vnet.json)


# -- peerings


def put_peering(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a peering. It is Connected when the other network has a peering back, and else Initiated."""
    vnet, given = call.row(_vnet(found)), body.object("properties")
    path = given.where("remoteVirtualNetwork.id")
    remote_id = require_type(ArmId.parse(given.object("remoteVirtualNetwork").needed("id"), path), VNET, path)
    check_linked(call.caller, remote_id, "peer/action", path)
    remote = call.row(remote_id, path)
    if remote.key == vnet.key:
        raise bad_request("InvalidRequestContent", "A virtual network cannot be a peer of itself.", path)
    if was is not None and _remote(was) != remote.key:
        raise bad_request(
            "RemoteVnetCannotBeChanged",
            f"The peering {found} is with {_remote(was)}. Delete it, and make another.",
            path,
        )
    for other in call.tx.children(vnet.key, _PEERINGS):
        if other.key != found.key and _remote(other) == remote.key:
            raise bad_request(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"The peering {other.id} is with {remote.id} already.",
                path,
            )
    back = next((each for each in call.tx.children(remote.key, _PEERINGS) if _remote(each) == vnet.key), None)
    properties: Json = {
        "provisioningState": "Succeeded",
        "peeringState": "Connected" if back else "Initiated",
        "peeringSyncLevel": "FullyInSync" if back else "RemoteNotInSync",
        "remoteVirtualNetwork": {"id": remote.id},
        "remoteAddressSpace": remote.json["properties"]["addressSpace"],
        "remoteVirtualNetworkAddressSpace": remote.json["properties"]["addressSpace"],
        "allowVirtualNetworkAccess": given.switch("allowVirtualNetworkAccess", default=True),
    }
    for name in ("allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways"):
        properties[name] = given.switch(name, default=False)
    row = call.tx.put(found, {**child_of(found), "properties": properties}, parent=vnet.key)
    _touch(call, vnet)
    if back:
        _set_state(call, back, "Connected", "FullyInSync")
    return row


def delete_peering(call: Call, row: Row) -> None:
    """Delete a peering. The one back, if there is one, is Disconnected then."""
    call.tx.delete(row)
    vnet = call.row(_vnet(ArmId.parse(row.id)))
    _touch(call, vnet)
    for back in call.tx.children(_remote(row), _PEERINGS):
        if _remote(back) == vnet.key:
            _set_state(call, back, "Disconnected", "RemoteNotInSync")


def _set_state(call: Call, peering: Row, state: str, level: str) -> None:
    body = peering.json
    body["properties"] |= {"peeringState": state, "peeringSyncLevel": level}
    call.tx.put(ArmId.parse(peering.id), body, parent=peering.parent)
    _touch(call, call.row(_vnet(ArmId.parse(peering.id))))


def _remote(peering: Row) -> str:
    remote: str = peering.json["properties"]["remoteVirtualNetwork"]["id"]
    return remote.casefold()
