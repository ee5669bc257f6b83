"""Private endpoint connections: what the owner of a target sees and decides of an endpoint that connects to it.

The endpoint and the connection always have the same state: both are written in one transaction.
"""

from resolver.registry.model.connection import Action, Connection, Side, action_of
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service import endpoint_dns
from resolver.registry.service.body import Body
from resolver.registry.service.call import CONNECTIONS, Call, missing
from resolver.registry.service.endpoint_body import connection_in, with_connection
from resolver.registry.store.row import Json, Row


def made(
    call: Call, endpoint: ArmId, location: str, target: Row, groups: tuple[str, ...], connection: Connection
) -> Row:
    """Write the connection of a new endpoint, which is in `location`, to a target."""
    owner = ArmId.parse(target.id)
    found = owner.child(CONNECTIONS, f"{endpoint.name}.{call.new_guid()}")
    properties: Json = {
        "privateEndpoint": {"id": str(endpoint)},
        "privateLinkServiceConnectionState": connection.shown(),
        "provisioningState": "Succeeded",
    }
    if groups:
        properties["groupIds"] = list(groups)
    else:
        properties["linkIdentifier"] = str(call.tx.serial)  # unique, as the number in the PROXY protocol must be
        properties["privateEndpointLocation"] = location
    body: Json = {"name": found.name, "id": str(found), "type": found.type, "properties": properties}
    row = call.tx.put(found, body, parent=target.key)
    call.tx.connect(endpoint.key, row.key, target.key)
    return row


def put(call: Call, found: ArmId, body: Body, was: Row | None) -> Row:
    """Approve or reject a connection that exists. Raises `ArmFailure` 404 and 400."""
    if was is None:
        raise missing(found)
    state = body.object("properties").object("privateLinkServiceConnectionState")
    action = action_of(state.needed("status"))
    description = state.text("description") if "description" in state else None
    actions = state.text("actionsRequired") if "actionsRequired" in state else None
    if action is Action.REMOVE:
        raise state.invalid("status", "must be Approved or Rejected; delete the connection to remove it")
    return _decide(call, was, action, description, actions)


def delete(call: Call, row: Row) -> None:
    """Remove a connection. Its endpoint is Disconnected from now on, and can only be deleted."""
    _decide(call, row, Action.REMOVE, None, None)


def of_target(call: Call, target: Row) -> list[Row]:
    """Return the connections of a target."""
    return call.tx.children(target.key, f"{target.type}/{CONNECTIONS}".casefold())


def forget(call: Call, endpoint: Row) -> None:
    """Remove the connection of an endpoint that is deleted, from the owner's side too."""
    row = call.tx.get(call.tx.connection_of(endpoint.key))
    if row is not None:
        call.tx.delete(row)
    call.tx.disconnect(endpoint.key)


def _decide(call: Call, row: Row, action: Action, description: str | None, actions: str | None) -> Row:
    endpoint = call.tx.get(call.tx.endpoint_of(row.key))
    if endpoint is None:
        raise ArmFailure(404, "NotFound", f"The private endpoint of the connection {row.id} does not exist.")
    body = endpoint.json
    before = connection_in(body)
    after = before.after(Side.OWNER, action, description=description, actions_required=actions)
    assert after is not None  # noqa: S101 - only the consumer ends a connection
    body = with_connection(body, after)
    body = (endpoint_dns.reveal if after.carries_traffic else endpoint_dns.with_names)(call, body)
    call.tx.put(ArmId.parse(endpoint.id), body)
    if not after.owner_has_it:
        call.tx.delete(row)
        call.tx.disconnect(endpoint.key)
        return row
    shown = row.json
    shown["properties"]["privateLinkServiceConnectionState"] = after.shown()
    return call.tx.put(ArmId.parse(row.id), shown, parent=row.parent)
