"""Which pins to check again when claims change. `Conflicts` has the pins; `zones.findings.checks` checks them."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from zones.azure.catalogue import Catalogue
from zones.claims.policy import Conflicts
from zones.dns.name import Name


class PinIndex:
    """Pinned names by the private names that they can lead to."""

    def __init__(self, conflicts: Conflicts, catalogue: Catalogue) -> None:
        self._pinned = conflicts.pins
        self._by_private: dict[Name, tuple[Name, ...]] = {}
        for pinned in conflicts.pins:
            for name in (pinned, *(mapping.name for mapping in catalogue.candidates(pinned))):
                self._by_private[name] = (*self._by_private.get(name, ()), pinned)
        self._unchecked = set(conflicts.pins)
        """All pins are checked with the first change: a pinned name may never be claimed."""

    def __bool__(self) -> bool:
        return bool(self._by_private)

    def affected(self, claimed: Iterable[Name]) -> AbstractSet[Name]:
        """Return the private names among `claimed` that a pin can decide."""
        return self._by_private.keys() & claimed

    def touch(self, names: Iterable[Name]) -> None:
        """Check the pins of these private names again."""
        self._unchecked.update(pinned for name in names for pinned in self._by_private.get(name, ()))

    def touch_all(self) -> None:
        """Check every pin again."""
        self._unchecked.update(self._pinned)

    def take(self) -> set[Name]:
        """Return the pinned names to check, and forget them."""
        names, self._unchecked = self._unchecked, set()
        return names
