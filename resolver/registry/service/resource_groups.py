"""Resource groups: the folders of all other resources. A group that is deleted takes its resources with it."""

from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call
from resolver.registry.service.resources import head_of
from resolver.registry.store.row import Row


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a group."""
    made = head_of(call, found, body, was)
    return call.tx.put(found, {**made, "properties": {"provisioningState": "Succeeded"}})
