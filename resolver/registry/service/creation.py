"""Makes the bodies of Azure's API from short requests, and writes them: endpoints, virtual networks and targets.

A resource group that does not exist is made too. Nothing that exists is changed.
"""

from typing import Final

from resolver.registry.model.access import check_access, check_subscription
from resolver.registry.model.alias import is_alias
from resolver.registry.model.failure import bad_request
from resolver.registry.model.fqdns import group_ids, link_types
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.short_request import EndpointRequest, NetworkRequest, TargetRequest
from resolver.registry.service import lists, named, resources, target_members
from resolver.registry.service.body import Body
from resolver.registry.service.call import ENDPOINT, VNET, Call
from resolver.registry.service.endpoint_body import AUTOMATIC, MANUAL
from resolver.registry.service.resources import Precondition
from resolver.registry.service.types import type_of
from resolver.registry.store.row import Json, Row

_NEW: Final = Precondition(none_match="*")


def endpoint(call: Call, wanted: EndpointRequest) -> Row:
    """Make a private endpoint. Raises `ArmFailure`."""
    subnet = ArmId.parse(named.subnet(call, wanted.subnet).id)
    vnet = call.row(ArmId(subnet.subscription, subnet.group).resource(VNET, subnet.names[0]))
    found = ArmId(subnet.subscription, wanted.group or subnet.group).resource(ENDPOINT, wanted.name)
    target = wanted.target if wanted.target.startswith("/") or is_alias(wanted.target) else ""
    target = target or named.target(call, wanted.target).id
    link: Json = {
        "privateLinkServiceId": target,
        "groupIds": _groups(call, target, wanted.sub_resource),
        "requestMessage": wanted.message,
    }
    connections = {MANUAL if wanted.manual else AUTOMATIC: [{"name": wanted.name, "properties": link}]}
    properties: Json = {"subnet": {"id": str(subnet)}, **connections}
    if wanted.addresses:
        properties["ipConfigurations"] = _static(call, link, wanted.addresses)
    return _made(call, found, {"location": vnet.json["location"], "properties": properties})


def network(call: Call, wanted: NetworkRequest) -> Row:
    """Make a virtual network with subnets. Raises `ArmFailure`."""
    subnets = [{"name": name, "properties": {"addressPrefix": prefix}} for name, prefix in wanted.subnets]
    properties = {"addressSpace": {"addressPrefixes": list(wanted.prefixes)}, "subnets": subnets}
    found = ArmId(_subscription(call, wanted.subscription), wanted.group).resource(VNET, wanted.name)
    return _made(call, found, {"location": wanted.location, "properties": properties})


def target(call: Call, wanted: TargetRequest) -> Row:
    """Make a target. Raises `ArmFailure`."""
    found = ArmId(_subscription(call, wanted.subscription), wanted.group).resource(_type(wanted.type), wanted.name)
    kind = {"kind": wanted.kind} if wanted.kind else {}
    return _made(call, found, {"location": wanted.location, "properties": {}, **kind})


def _made(call: Call, found: ArmId, body: Json) -> Row:
    check_subscription(call.caller, [each.id for each in call.settings.subscriptions], found.subscription)
    found = ArmId.parse(str(found))  # refuses what no id can have
    group = ArmId(found.subscription, found.group)
    if call.tx.get(group.key) is None:
        check_access(call.caller, group, "write")
        resources.put(call, type_of(group), group, Body({"location": body["location"]}), _NEW)
    check_access(call.caller, found, "write")
    resources.put(call, type_of(found), found, Body(body), _NEW)
    return call.row(found)


def _groups(call: Call, target: str, sub_resource: str) -> list[str]:
    """Return the sub-resource of a connection: without one in the request, the only one that the target has."""
    row = None if sub_resource or is_alias(target) else call.tx.get(ArmId.parse(target).key)
    if row is None:
        return [sub_resource] if sub_resource else []
    known = list(group_ids(row.type, row.json["location"]))
    if len(known) > 1:
        raise bad_request(
            "InvalidGroupId", f"{row.id} has several sub-resources. Choose one: {', '.join(known)}.", "sub_resource"
        )
    return known


def _static(call: Call, link: Json, addresses: tuple[str, ...]) -> list[Json]:
    members = target_members.members_of(call, link)
    if len(members) != len(addresses):
        raise bad_request(
            "PrivateEndpointIpConfigurationInvalidMember",
            f"The target needs {len(members)} addresses, for {', '.join(each.name for each in members)}. The request "
            f"has {len(addresses)}.",
            "addresses",
        )
    return [
        {
            "name": f"static{number}",
            "properties": {"groupId": member.group, "memberName": member.name, "privateIPAddress": address},
        }
        for number, (member, address) in enumerate(zip(members, addresses, strict=True), 1)
    ]


def _subscription(call: Call, text: str) -> str:
    if text:
        return lists.subscription_named(call, text)
    seen = lists.visible_subscriptions(call)
    if len(seen) != 1:
        known = ", ".join(f"{name} ({found})" for found, name in seen.items()) or "none"
        raise bad_request("SubscriptionNotFound", f"Name the subscription. {call.caller.name} sees: {known}.")
    return next(iter(seen))


def _type(text: str) -> str:
    folded = text.casefold()
    fitting = [kind for kind in link_types() if folded in {kind.casefold(), kind.casefold().partition("/")[2]}]
    if len(fitting) == 1:
        return fitting[0]
    example = " or ".join(fitting) or "for example Microsoft.Storage/storageAccounts"
    raise bad_request(
        "InvalidResourceType",
        f"{text[:80]!r} is not the type of a target. Write the full type: {example}. `pldns catalogue` lists types.",
        "type",
    )
