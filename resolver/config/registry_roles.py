"""The keys of roles in the registry: those of its clients, and of tokens of the admin interface."""

from pydantic import Field

from resolver.config.section import Section
from resolver.config.sources import Guid
from resolver.registry_roles import RegistryRoles


class RegistryRolesSection(Section):
    """Roles in the registry, by subscription."""

    owner: tuple[Guid, ...] = Field(
        default=(), description="Subscriptions in which everything is permitted, approving connections included."
    )
    consumer: tuple[Guid, ...] = Field(
        default=(),
        description="Subscriptions in which everything may be read, and resource groups, virtual networks and private "
        "endpoints may be changed. No connection may be approved.",
    )
    reader: tuple[Guid, ...] = Field(default=(), description="Subscriptions in which everything may be read.")

    def accepted(self) -> RegistryRoles:
        """Return the roles as settings."""
        return RegistryRoles(frozenset(self.owner), frozenset(self.consumer), frozenset(self.reader))
