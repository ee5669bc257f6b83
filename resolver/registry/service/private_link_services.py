"""Private link services: services of one's own behind an alias, with the lists of who sees and who is approved.

The registry keeps the ids of load balancers as they are given: it has no load balancers.
"""

from typing import Final

from resolver.registry.model.access import check_linked
from resolver.registry.model.alias import Alias, alias_of
from resolver.registry.model.failure import bad_request
from resolver.registry.model.fqdns import service_members
from resolver.registry.model.limits import check_limit
from resolver.registry.model.resource_id import ArmId, require_type
from resolver.registry.model.resource_name import check_name
from resolver.registry.model.service_access import ServiceAccess
from resolver.registry.service import connections
from resolver.registry.service.addresses import SubnetAddresses
from resolver.registry.service.body import Body
from resolver.registry.service.call import CONNECTIONS, SERVICE, Call
from resolver.registry.service.resources import head_of
from resolver.registry.service.virtual_networks import SUBNETS
from resolver.registry.store.row import Json, Row
from zones.azure.limits import Limit

_FRONTEND: Final = "Microsoft.Network/loadBalancers/frontendIPConfigurations"
_POLICIES: Final = "privateLinkServiceNetworkPolicies"


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a private link service. Its alias stays the same for its life."""
    head, given = head_of(call, found, body, was), body.object("properties")
    if was is None:
        used = call.tx.count(SERVICE.casefold(), found.subscription.casefold())
        call.check_limit(Limit.SERVICES_PER_SUBSCRIPTION, used, f"/subscriptions/{found.subscription}")
    visibility = given.object("visibility").texts("subscriptions")
    approved = given.object("autoApproval").texts("subscriptions")
    ServiceAccess.of(visibility, approved)
    names = given.texts("fqdns")
    service_members(names)
    before = was.json["properties"] if was else None
    alias = before["alias"] if before else str(alias_of(found.name, call.new_guid(), head["location"]))
    frontends = [_frontend(each) for each in given.objects("loadBalancerFrontendIpConfigurations")]
    _check_balancers(call, found, frontends)
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": before["resourceGuid"] if before else call.new_guid(),
        "alias": alias,
        "fqdns": list(names),
        "visibility": {"subscriptions": list(visibility)},
        "autoApproval": {"subscriptions": list(approved)},
        "enableProxyProtocol": given.switch("enableProxyProtocol", default=False),
        "loadBalancerFrontendIpConfigurations": frontends,
        "ipConfigurations": before["ipConfigurations"] if before else _nat(call, found, given),
        "networkInterfaces": [],
    }
    row = call.tx.put(found, {**head, "properties": properties})
    if before is None:
        parsed = Alias.parse(alias)
        assert parsed is not None  # noqa: S101 - it was made here
        call.tx.set_alias(parsed.key, row.key)
    return row


def delete(call: Call, row: Row) -> None:
    """Delete a service. Raises `ArmFailure` 400 while it has connections, as in Azure."""
    if held := connections.of_target(call, row):
        raise bad_request(
            "PrivateLinkServiceInUse",
            f"The private link service {row.id} has {len(held)} private endpoint connections. Delete these first.",
            row.id,
        )
    call.tx.drop_alias(row.key)
    call.tx.release(row.key, call.now)
    call.tx.delete(row)


def shown(call: Call, row: Row) -> Json:
    """Return a service with its connections."""
    body = row.json
    body["properties"][CONNECTIONS] = [each.json for each in connections.of_target(call, row)]
    return body


def visible(row: Row, subscription: str) -> bool:
    """Return whether a subscription may connect to a service without a role on it."""
    return _access(row).is_visible_to(subscription)


def approves(row: Row, subscription: str) -> bool:
    """Return whether a service approves the connections of a subscription by itself."""
    return _access(row).approves(subscription)


def visible_by_alias(call: Call, text: str, subscription: str) -> bool:
    """Return whether there is a service with this alias that a subscription may connect to."""
    alias = Alias.parse(text)
    row = call.tx.get(call.tx.service_with(alias.key)) if alias else None
    return row is not None and visible(row, subscription)


def approving(call: Call, subscription: str, location: str) -> list[str]:
    """Return the ids of the services of a location that approve the connections of a subscription by themselves."""
    rows = (row for each in call.settings.subscriptions for row in call.tx.listed(SERVICE.casefold(), each.id))
    return [row.id for row in rows if row.json["location"] == location and approves(row, subscription)]


def _access(row: Row) -> ServiceAccess:
    properties = row.json["properties"]
    lists = (properties[name]["subscriptions"] for name in ("visibility", "autoApproval"))
    return ServiceAccess.of(*lists)


def _check_balancers(call: Call, found: ArmId, frontends: list[Json]) -> None:
    """Check the limit of services behind one load balancer. A request that names none is refused."""
    if not frontends:
        raise bad_request(
            "PrivateLinkServiceMissingLoadBalancer",
            f"The private link service {found} needs `loadBalancerFrontendIpConfigurations`, at least one.",
            "properties.loadBalancerFrontendIpConfigurations",
        )
    others = [
        each for each in call.tx.listed(SERVICE.casefold(), found.subscription.casefold()) if each.key != found.key
    ]
    for balancer in {_balancer(each) for each in frontends}:
        used = sum(
            balancer in map(_balancer, each.json["properties"]["loadBalancerFrontendIpConfigurations"])
            for each in others
        )
        call.check_limit(Limit.SERVICES_PER_LOAD_BALANCER, used, balancer)


def _frontend(given: Body) -> Json:
    path = given.where("id")
    return {"id": str(require_type(ArmId.parse(given.needed("id"), path), _FRONTEND, path))}


def _balancer(frontend: Json) -> str:
    text: str = frontend["id"]
    return text.casefold().partition("/frontendipconfigurations/")[0]


def _nat(call: Call, found: ArmId, given: Body) -> list[Json]:
    """Return the NAT addresses of a new service, each taken from its subnet."""
    asked = given.objects("ipConfigurations")
    check_limit(Limit.ADDRESSES_PER_SERVICE, 0, str(found), len(asked))
    shown = []
    for i, each in enumerate(asked):
        named = each.object("properties")
        path = named.where("subnet.id")
        subnet_id = require_type(ArmId.parse(named.object("subnet").needed("id"), path), SUBNETS, path)
        check_linked(call.caller, subnet_id, "join/action", path)
        subnet = call.row(subnet_id, path)
        if subnet.json["properties"][_POLICIES] != "Disabled":
            raise bad_request(
                "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled",
                f"The subnet {subnet.id} has network policies for private link services. Set its `{_POLICIES}` to "
                "Disabled first.",
                path,
            )
        static = named.text("privateIPAddress")
        address = str(SubnetAddresses(call, subnet).take(found, static))
        name = check_name(each.needed("name"), each.where("name"))
        shown.append(
            {
                "name": name,
                "id": f"{found}/ipConfigurations/{name}",
                "type": f"{SERVICE}/ipConfigurations",
                "properties": {
                    "provisioningState": "Succeeded",
                    "privateIPAddress": address,
                    "privateIPAllocationMethod": "Static" if static else "Dynamic",
                    "privateIPAddressVersion": "IPv4",
                    "primary": named.switch("primary", default=i == 0),
                    "subnet": {"id": subnet.id},
                },
            }
        )
    if not shown:
        raise given.invalid("ipConfigurations", "must have at least one NAT address")
    return shown
