"""What a target offers to endpoints: its sub-resources, and the members and names of each.

The type, name and location of a target say so; a host name in its properties counts too. A private link service has its
own `fqdns`.
"""

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from resolver.registry.model import fqdns
from resolver.registry.model.alias import Alias
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.fqdns import Member, Target
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.call import SERVICE, Call
from resolver.registry.store.row import Json, Row

LINK_RESOURCES: Final = "privateLinkResources"


def check_group(target: Row, groups: tuple[str, ...], path: str) -> str:
    """Return the one sub-resource that a connection is for; empty for a private link service. Raises `ArmFailure`."""
    return fqdns.check_groups(_target(target), groups, path)


def members_of(call: Call, link: Json) -> tuple[Member, ...]:
    """Return the members that an endpoint with this connection has, each with its names."""
    wanted = link["privateLinkServiceId"]
    alias = Alias.parse(wanted)
    key = call.tx.service_with(alias.key) if alias else ArmId.parse(wanted).key
    row = call.tx.get(key)
    if row is None:
        raise ArmFailure(
            404, "ResourceNotFound", f"The target {wanted} of the private endpoint does not exist.", wanted
        )
    if row.type == SERVICE.casefold():
        return fqdns.service_members(row.json["properties"]["fqdns"])
    return fqdns.members_of(_target(row), link["groupIds"][0])


def link_resources(call: Call, found: ArmId) -> list[Json]:
    """Return the `privateLinkResources` of a target: its sub-resources."""
    row = call.row(found)
    return [
        {
            "name": each.group,
            "id": str(found.child(LINK_RESOURCES, each.group)),
            "type": f"{found.type}/{LINK_RESOURCES}",
            "properties": {
                "groupId": each.group,
                "requiredMembers": list(each.required_members),
                "requiredZoneNames": list(each.required_zones),
            },
        }
        for each in fqdns.link_resources(_target(row))
    ]


def _target(row: Row) -> Target:
    body, found = row.json, ArmId.parse(row.id)
    guid = str(uuid5(NAMESPACE_URL, row.key))
    return Target(found.type, found.name, body["location"], guid, body.get("kind") or "", properties=body["properties"])
