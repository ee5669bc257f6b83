"""The roles that somebody has in the registry, by subscription. As in `resolver.settings`: plain values, all valid."""

import msgspec


class RegistryRoles(msgspec.Struct, frozen=True):
    """The subscriptions in which somebody has a role. Ids are GUIDs in lower case."""

    owner: frozenset[str] = frozenset()
    """Subscriptions in which they may do everything, approving connections included."""
    consumer: frozenset[str] = frozenset()
    """Subscriptions in which they may change virtual networks and private endpoints, and read everything."""
    reader: frozenset[str] = frozenset()
    """Subscriptions in which they may read everything."""

    @property
    def visible(self) -> frozenset[str]:
        """The subscriptions in which they have any role. They see nothing of the others."""
        return self.owner | self.consumer | self.reader
