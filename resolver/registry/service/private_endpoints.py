"""Private endpoints: a connection to a target, and the addresses that it has until its deletion.

An endpoint gets its network interface and its addresses in the transaction that creates it. Afterwards only its tags,
its request message and its application security groups change. Names and states are those of the page "What is a
private endpoint?".
"""

from typing import Final, NamedTuple

from resolver.registry.model.access import may_approve
from resolver.registry.model.alias import Alias, is_alias
from resolver.registry.model.connection import Action, Connection, Side, approval
from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.ip_versions import IP_VERSION_TYPES, check_ip_versions
from resolver.registry.model.placement import (
    IpConfiguration,
    check_alias_is_manual,
    check_placement,
    check_static_allowed,
)
from resolver.registry.model.registration import NETWORK
from resolver.registry.model.resource_id import ArmId, require_type
from resolver.registry.model.resource_name import check_name
from resolver.registry.service import (
    connections,
    endpoint_dns,
    endpoint_limits,
    network_interfaces,
    private_link_services,
    registrations,
    target_members,
)
from resolver.registry.service.body import Body
from resolver.registry.service.call import ENDPOINT, SERVICE, Call
from resolver.registry.service.endpoint_body import AUTOMATIC, MANUAL, connection_in, link_of, with_connection
from resolver.registry.service.resources import head_of
from resolver.registry.service.virtual_networks import SUBNETS, subnet_of
from resolver.registry.store.row import Json, Row

_KEPT: Final = ("applicationSecurityGroups",)
_SECURITY_GROUP: Final = "Microsoft.Network/applicationSecurityGroups"


class _Request(NamedTuple):
    """The connection that a body asks for. `list` is the one of the two lists in which it is."""

    list: str
    name: str
    target: Row
    by_alias: str
    groups: tuple[str, ...]
    message: str
    path: str


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Create an endpoint, or change what may change of one that exists. Raises `ArmFailure`."""
    head, given = head_of(call, found, body, was), body.object("properties")
    return _create(call, found, head, given) if was is None else _update(call, found, head, given, was)


def delete(call: Call, row: Row) -> None:
    """Delete an endpoint in any state, with its network interface. Its addresses are free after a while."""
    connection_in(row.json).after(Side.CONSUMER, Action.DELETE)
    for child in call.tx.children(row.key):  # the network interface, and a zone group
        call.tx.delete(child)
    connections.forget(call, row)
    call.tx.release(row.key, call.now)
    call.tx.delete(row)


# -- creation


def _create(call: Call, found: ArmId, head: Json, given: Body) -> Row:
    subnet, vnet = _place(call, found, head["location"], given)
    request = _request(call, found, given)
    endpoint_limits.check(call, found, vnet, request.target, request.groups)
    if _static(given):
        check_static_allowed(ArmId.parse(request.target.id).type, given.where("ipConfigurations"))
    kind = given.choice("ipVersionType", tuple(IP_VERSION_TYPES))
    target = request.target
    check_ip_versions(kind, subnet_of(subnet), head["location"], target.type, target.json["location"])
    connection = _connection(call, found, request)
    link: Json = {
        "provisioningState": "Succeeded",
        "privateLinkServiceId": request.by_alias or request.target.id,
        "groupIds": list(request.groups),
    }
    wanted, members = map(_configuration, _static(given)), target_members.members_of(call, link)
    placed = network_interfaces.placed(call, found, subnet, members, IP_VERSION_TYPES[kind], wanted)
    nic = network_interfaces.made(call, found, subnet, placed, head["location"], connection, given)
    linked = {
        "name": request.name,
        "id": f"{found}/{request.list}/{request.name}",
        "type": f"{ENDPOINT}/{request.list}",
        "properties": link,
    }
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": call.new_guid(),
        AUTOMATIC: [linked] if request.list == AUTOMATIC else [],
        MANUAL: [linked] if request.list == MANUAL else [],
        "customNetworkInterfaceName": given.text("customNetworkInterfaceName"),
        "subnet": {"id": subnet.id},
        "ipConfigurations": [_static_shown(each) for each in _static(given)],
        "applicationSecurityGroups": _groups(given),
        "customDnsConfigs": [],
        "networkInterfaces": [{"id": nic.id}],
        "ipVersionType": kind,
    }
    body = with_connection({**head, "properties": properties}, connection)
    if connection.carries_traffic:
        body = endpoint_dns.with_names(call, body)
    connections.made(call, found, head["location"], request.target, request.groups, connection)
    return call.tx.put(found, body, network=subnet.parent)


def _place(call: Call, found: ArmId, location: str, given: Body) -> tuple[Row, Row]:
    """Return the subnet and the virtual network of a new endpoint: in its subscription and location."""
    path = given.where("subnet.id")
    named = require_type(ArmId.parse(given.object("subnet").needed("id"), path), SUBNETS, path)
    vnet_id = ArmId.parse(str(named).partition("/subnets/")[0], path)
    if named.subscription.casefold() != found.subscription.casefold():
        check_placement(found, location, vnet_id, location)  # raises before the network is looked for elsewhere
    subnet, vnet = call.row(named, path), call.row(vnet_id, path)
    check_placement(found, location, vnet_id, vnet.json["location"])
    return subnet, vnet


def _request(call: Call, found: ArmId, given: Body) -> _Request:
    """Return the one connection that a body asks for, with its target. Raises `ArmFailure` 400."""
    asked = [(name, each) for name in (AUTOMATIC, MANUAL) for each in given.objects(name)]
    if len(asked) != 1:
        raise bad_request(
            "InvalidRequestContent",
            f"A private endpoint has one connection, in `{AUTOMATIC}` or `{MANUAL}`. This one has {len(asked)}.",
            given.path,
        )
    kind, connection = asked[0]
    link = connection.object("properties")
    wanted, path = link.needed("privateLinkServiceId"), link.where("privateLinkServiceId")
    by_alias = ""
    check_alias_is_manual(wanted, manual=kind == MANUAL, path=path)
    if is_alias(wanted):
        alias = Alias.parse(wanted)
        target = call.tx.get(call.tx.service_with(alias.key)) if alias else None
        if target is None or not private_link_services.visible(target, found.subscription):
            raise bad_request(
                "PrivateLinkServiceAliasNotFound",
                f"There is no private link service with the alias {wanted[:200]!r} that is visible to the subscription "
                f"{found.subscription}.",
                path,
            )
        by_alias = wanted.strip()
    else:
        target = call.row(ArmId.parse(wanted, path), path)
    registrations.check(call, ArmId.parse(target.id).subscription, NETWORK, path)
    if target.type == SERVICE.casefold() and not by_alias:
        _check_visible(call, found, target, path)
    group = target_members.check_group(target, link.texts("groupIds"), link.where("groupIds"))
    name = check_name(connection.text("name") or found.name, connection.where("name"))
    return _Request(kind, name, target, by_alias, (group,) if group else (), link.text("requestMessage"), path)


def _check_visible(call: Call, found: ArmId, service: Row, path: str) -> None:
    owned = may_approve(call.caller, ArmId.parse(service.id))
    if not owned and not private_link_services.visible(service, found.subscription):
        raise ArmFailure(
            403,
            "LinkedAuthorizationFailed",
            f"{call.caller.shown} has no permission on {service.id}, and the private link service is not "
            f"visible to the subscription {found.subscription}.",
            path,
        )


def _connection(call: Call, found: ArmId, request: _Request) -> Connection:
    target = request.target
    listed = target.type == SERVICE.casefold() and private_link_services.approves(target, found.subscription)
    how = approval(
        manual=request.list == MANUAL,
        caller_may_approve=may_approve(call.caller, ArmId.parse(target.id)),
        subscription_is_listed=listed,
    )
    return Connection.requested(how, request.message)


# -- static addresses


def _static(given: Body) -> list[Body]:
    return given.objects("ipConfigurations")


def _configuration(each: Body) -> IpConfiguration:
    named = each.object("properties")
    address = named.needed("privateIPAddress")
    name = check_name(each.needed("name"), each.where("name"))
    return IpConfiguration(name, named.text("groupId"), named.text("memberName"), address)


def _static_shown(each: Body) -> Json:
    given = _configuration(each)
    return {
        "name": given.name,
        "properties": {"groupId": given.group, "memberName": given.member, "privateIPAddress": given.address},
    }


# -- changes


def _update(call: Call, found: ArmId, head: Json, given: Body, was: Row) -> Row:
    body = was.json
    before = connection_in(body)
    connection = before.after(Side.CONSUMER, Action.UPDATE)
    assert connection is not None  # noqa: S101 - only a deletion ends a connection
    _check_same(call, found, given, body)
    asked = [each for name in (AUTOMATIC, MANUAL) for each in given.objects(name)]
    message = asked[0].object("properties").text("requestMessage", before.request_message)
    body.pop("tags", None)  # those of the request replace them, also where it has none
    body = with_connection({**body, **head}, connection.with_message(message))
    for name in _KEPT:
        if name in given:
            body["properties"][name] = _groups(given)
    return call.tx.put(found, body)


def _check_same(call: Call, found: ArmId, given: Body, body: Json) -> None:
    """Check that a request for an endpoint that exists changes nothing that lasts. Raises `ArmFailure`."""
    properties, link = body["properties"], link_of(body)
    subnet = given.object("subnet").text("id", properties["subnet"]["id"])
    if subnet.casefold() != properties["subnet"]["id"].casefold():
        raise _lasting(found, given.where("subnet"))
    request = _request(call, found, given)
    same = (link["privateLinkServiceId"].casefold(), [each.casefold() for each in link["groupIds"]])
    asked = (request.by_alias or request.target.id).casefold(), [each.casefold() for each in request.groups]
    if same != asked or not properties[request.list]:
        raise _lasting(found, request.path)
    if (
        "ipConfigurations" in given
        and [_static_shown(each) for each in _static(given)] != properties["ipConfigurations"]
    ):
        raise _lasting(found, given.where("ipConfigurations"))
    if (
        given.choice("ipVersionType", tuple(IP_VERSION_TYPES), properties["ipVersionType"])
        != properties["ipVersionType"]
    ):
        raise _lasting(found, given.where("ipVersionType"))
    name = given.text("customNetworkInterfaceName", properties["customNetworkInterfaceName"])
    if name != properties["customNetworkInterfaceName"]:
        raise _lasting(found, given.where("customNetworkInterfaceName"))


def _lasting(found: ArmId, path: str) -> ArmFailure:
    return ArmFailure(
        409,
        "PropertyChangeNotAllowed",
        f"`{path}` of the private endpoint {found} cannot change during its life. Delete the endpoint, and create "
        "another one.",
        path,
    )


def _groups(given: Body) -> list[Json]:
    asked = [(each.needed("id"), each.where("id")) for each in given.objects("applicationSecurityGroups")]
    return [{"id": str(require_type(ArmId.parse(text, path), _SECURITY_GROUP, path))} for text, path in asked]
