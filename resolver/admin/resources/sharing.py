"""How several control planes share the registry, as JSON."""

from typing import TYPE_CHECKING

from pydantic import Field

from resolver.admin.resources.model import Model

if TYPE_CHECKING:  # only a configuration with a registry loads the registry
    from resolver.registry.portal import Portal


class SharingItem(Model):
    """The registry's connection to the database that several control planes share (docs/registry.md)."""

    leads: bool = Field(description="This control plane reads remote sources for all.")
    leader: str = Field(description="The name of the machine that became the leader last; empty before the first.")
    fault: str = Field(description="Why the registry refuses writes; empty while the connection is open.")


def sharing(registry: "Portal | None") -> SharingItem | None:
    """Return how the registry is shared; None where there is no registry, or where it is alone."""
    found = registry.sharing if registry else None
    return SharingItem(leads=found.leads, leader=found.leader, fault=found.fault) if found else None
