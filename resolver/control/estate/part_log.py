"""The parts of sources that have changed since somebody looked, for one reader: the hub.

Does not know what changed in a part. Pure.
"""

from collections.abc import Iterable

Place = tuple[str, str]
"""A source and the name of one of its parts."""


class PartLog:
    """Records nothing until `begin`."""

    def __init__(self) -> None:
        self._places: set[Place] | None = None
        self._everything = False
        self._zones = False

    def begin(self) -> None:
        """Record from now on."""
        self._places = set()

    def changed(self, places: Iterable[Place]) -> None:
        """Record parts that have new data, or are gone."""
        if self._places is not None:
            self._places.update(places)

    def zones_changed(self) -> None:
        """Record that a private DNS zone has changed."""
        self._zones = True

    def replaced(self) -> None:
        """Record that the inventory is another one, whose parts may all differ."""
        self._everything = self._zones = True

    def take(self) -> tuple[set[Place] | None, bool]:
        """Return the parts, None for all parts, and whether a private DNS zone changed. Record from none again."""
        places, everything, zones = self._places or set(), self._everything, self._zones
        self._places, self._everything, self._zones = set(), False, False
        return (None if everything else places), zones
