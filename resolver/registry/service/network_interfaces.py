"""Network interfaces: each belongs to a private endpoint, is made and deleted with it, and cannot be changed."""

from resolver.registry.model.failure import bad_request
from resolver.registry.service.call import Call
from resolver.registry.store.row import Row


def delete(_call: Call, row: Row) -> None:
    """Refuse to delete the interface of an endpoint. Raises `ArmFailure` 400."""
    owner = row.json["properties"]["privateEndpoint"]["id"]
    raise bad_request(
        "NicInUseWithPrivateEndpoint",
        f"The network interface {row.id} belongs to the private endpoint {owner}. Delete the endpoint.",
        row.id,
    )
