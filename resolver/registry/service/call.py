"""One request to the registry: its transaction, who calls, and the time.

Owns the failures that all types of resources share. Does not know HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from resolver.registry.model.access import Caller
from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.limits import check_limit
from resolver.registry.model.resource_id import ArmId
from resolver.registry.store.row import Row
from resolver.registry.store.transaction import Transaction
from resolver.registry_settings import RegistrySettings
from zones.azure.limits import Limit
from zones.clocks import WallTime

GROUP: Final = "Microsoft.Resources/resourceGroups"
VNET: Final = "Microsoft.Network/virtualNetworks"
ENDPOINT: Final = "Microsoft.Network/privateEndpoints"
NIC: Final = "Microsoft.Network/networkInterfaces"
SERVICE: Final = "Microsoft.Network/privateLinkServices"
CONNECTIONS: Final = "privateEndpointConnections"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `new_guid` returns a new random GUID."""

    tx: Transaction
    caller: Caller
    settings: RegistrySettings
    now: WallTime
    new_guid: Callable[[], str]
    warnings: list[str] = field(default_factory=list)
    """What people should know of a request that succeeds, for the log."""

    def row(self, found: ArmId, path: str = "") -> Row:
        """Return a resource that exists.

        `path`: where in the body its id is; empty for the resource that is asked for. Raises `ArmFailure` 404, or 400
        `InvalidResourceReference` for an id of a body.
        """
        row = self.tx.get(found.key)
        if row is not None:
            return row
        if path:
            raise bad_request(
                "InvalidResourceReference",
                f"The resource {found} referenced at {path!r} was not found. Make sure that the referenced resource "
                "exists, and that both resources are in the same region.",
                path,
            )
        raise missing(found)

    def check_limit(self, limit: Limit, used: int, where: str, added: int = 1) -> None:
        """Check that `added` more fit in a limit, and note a warning where it is near. Raises `ArmFailure` 400."""
        if warning := check_limit(limit, used, where, added):
            self.warnings.append(warning)

    def location(self, text: str, found: ArmId) -> str:
        """Return a location of the registry, folded. Raises `ArmFailure` 400."""
        folded = text.replace(" ", "").casefold()
        if not folded:
            raise bad_request("LocationRequired", "The location property is required for this definition.", "location")
        if folded not in self.settings.locations:
            raise bad_request(
                "LocationNotAvailableForResourceType",
                f"The location {text[:60]!r} is not available for the resource type {found.type!r}. The registry has: "
                f"{', '.join(self.settings.locations)}.",
                "location",
            )
        return folded


def missing(found: ArmId) -> ArmFailure:
    """Return the failure for a resource, group or child that does not exist."""
    if not found.namespace:
        return ArmFailure(404, "ResourceGroupNotFound", f"Resource group {found.group!r} could not be found.")
    return ArmFailure(
        404,
        "ResourceNotFound",
        f"The Resource '{found.type}/{found.name}' under resource group {found.group!r} was not found.",
        str(found),
    )
