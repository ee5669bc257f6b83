"""Target resources: what private endpoints connect to, of any type in the catalogue of private-link resources.

The registry keeps the body of a target as its owner gives it.
"""

from typing import Final

from resolver.registry.model.resource_id import ArmId
from resolver.registry.service import connections
from resolver.registry.service.body import Body
from resolver.registry.service.call import CONNECTIONS, Call
from resolver.registry.service.resources import head_of
from resolver.registry.store.row import Json, Row

_KEPT: Final = ("sku", "identity", "plan")


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Write a target."""
    head = head_of(call, found, body, was)
    kept: Json = {name: body.object(name).given for name in _KEPT if name in body}
    kept |= {"kind": body.text("kind")} if "kind" in body else {}
    kept |= {"zones": list(body.texts("zones"))} if "zones" in body else {}
    properties = {**body.object("properties").given, "provisioningState": "Succeeded"}
    properties.pop(CONNECTIONS, None)
    return call.tx.put(found, {**head, **kept, "properties": properties})


def delete(call: Call, row: Row) -> None:
    """Delete a target. Its endpoints are Disconnected from now on."""
    for connection in connections.of_target(call, row):
        connections.delete(call, connection)
    call.tx.delete(row)


def shown(call: Call, row: Row) -> Json:
    """Return a target with its connections."""
    body = row.json
    body["properties"][CONNECTIONS] = [each.json for each in connections.of_target(call, row)]
    return body
