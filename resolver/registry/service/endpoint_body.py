"""The body of a private endpoint: where its one connection is in it.

Azure has the connection in one of two lists, after the way in which the consumer asked for it.
"""

from typing import Final

from resolver.registry.model.connection import Action, Connection, Side
from resolver.registry.store.row import Json
from zones.azure.endpoint import ConnectionState

AUTOMATIC: Final = "privateLinkServiceConnections"
MANUAL: Final = "manualPrivateLinkServiceConnections"
_STATE: Final = "privateLinkServiceConnectionState"


def link_of(body: Json) -> Json:
    """Return the properties of the connection in the body of an endpoint."""
    properties = body["properties"]
    link: Json = (properties[AUTOMATIC] or properties[MANUAL])[0]["properties"]
    return link


def connection_in(body: Json) -> Connection:
    """Return the connection of an endpoint."""
    link = link_of(body)
    state = link[_STATE]
    return Connection(
        ConnectionState.read(state["status"]), state["description"], state["actionsRequired"], link["requestMessage"]
    )


def with_connection(body: Json, connection: Connection) -> Json:
    """Set the state of the connection in a body, and return the body."""
    link_of(body).update({_STATE: connection.shown(), "requestMessage": connection.request_message})
    return body


def check_changeable(body: Json) -> None:
    """Check that the consumer may change an endpoint. Raises `ArmFailure` 400 for one that is Disconnected."""
    connection_in(body).after(Side.CONSUMER, Action.UPDATE)
