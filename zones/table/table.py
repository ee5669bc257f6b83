"""The served table: all rows, zones and static zones that a worker holds, changed in place, one name at a time.

Every change reports which names' answers it could alter, so that a worker evicts those and no others. The lookup is in
`zones.table.lookup`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from zones.claims.row import ClassNumber
from zones.dns.name import Name, ancestry, canonical_key
from zones.dns.record import DNAME, NS, RRset
from zones.dns.static import StaticZone
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.lookup import Lookup


@dataclass(slots=True)
class Touched:
    """The answers that a change may alter: those that depend on `names`, and all at or under `subtrees`."""

    names: set[Name] = field(default_factory=set)
    subtrees: set[Name] = field(default_factory=set)


class Table(Lookup):
    """The rows, zones and static zones of one generation."""

    @property
    def masks(self) -> dict[ClassNumber, NetworkMask]:
        """Mask of networks by class number."""
        return self.endpoints.masks

    @masks.setter
    def masks(self, masks: dict[ClassNumber, NetworkMask]) -> None:
        self.endpoints.masks = masks

    # -- changes

    def apply(self, name: Name, row: bytes) -> Touched:
        """Replace the row of one private name; an empty row removes the name.

        Raises `KeyError` for a class whose mask is not known. Nothing has changed then.
        """
        return Touched(self.endpoints.apply(name, row))

    def apply_static(self, origin: Name, name: Name, rrsets: tuple[RRset, ...], *, is_open: bool) -> Touched:
        """Replace all records of one name of a static zone; an empty tuple removes the name. See `StaticZone.is_open`.

        A zone is served as soon as it has its SOA. All its negative answers hold the SOA, so a change of the SOA
        touches everything below the apex, as a change of a delegation or a DNAME does for its owner.
        """
        zone = self.static.get(origin) or StaticZone(origin, is_open=is_open)
        old, old_soa = zone.names.get(name, ()), zone.soa
        touched = Touched()
        if zone.is_open != is_open:
            zone.is_open = is_open
            touched.subtrees.add(origin)
        if old == rrsets:
            return touched
        self.static[origin] = zone
        touched.names = {name} | zone.put(name, rrsets)
        if zone.soa != old_soa:
            touched.subtrees.add(origin)
            self._move_apex(origin, bool(zone.soa) - bool(old_soa), touched.names)
        redirecting = (DNAME,) if name == origin else (NS, DNAME)
        if [each for each in old if each.type in redirecting] != [each for each in rrsets if each.type in redirecting]:
            touched.subtrees.add(name)
        if not zone.names:
            del self.static[origin]
        return touched

    def remove_static(self, origin: Name, name: Name) -> Touched:
        """Remove one name of a static zone that the table holds. Raises `KeyError` where it holds no such zone."""
        return self.apply_static(origin, name, (), is_open=self.static[origin].is_open)

    def _move_apex(self, origin: Name, step: int, moved: set[Name]) -> None:
        """Count the ancestors of an apex: they exist while the zone is served. `step` is 1, -1 or 0."""
        for above in ancestry(origin)[1:] if step else ():
            self._above_static[above] += step
            if self._above_static[above] == (step > 0):  # from none to one, or from one to none
                moved.add(above)
            if not self._above_static[above]:
                del self._above_static[above]

    def sweep(self, generation: int) -> Iterator[Touched]:
        """Remove the rows that the snapshot of this generation did not have.

        One shard at a time, so that a worker answers queries in between.
        """
        stamp = generation & 0xFF
        for shard in self.endpoints.rows.shards():
            touched = Touched()
            for name in [name for name, row in shard.items() if row[0] != stamp]:
                touched.names |= self.endpoints.apply(name, b"")
            yield touched

    def __len__(self) -> int:
        """Return the number of private names with a row."""
        return len(self.endpoints.rows)

    # -- listings

    def zones(self, network: NetworkIndex) -> list[Name]:
        """Return every zone that is visible to a network, in canonical order."""
        found = {origin for origin, file in self.static.items() if file.soa}
        if network != NONE:
            found |= self.named
            found.update(zone for zone in self.endpoints.zones.names() if self.endpoints.zones.sees(zone, network))
        return sorted(found, key=canonical_key)

    def is_zone(self, name: Name) -> bool:
        """Return whether the name is a zone of endpoints, a static zone or a zone that the configuration names."""
        return name in self.static or name in self.named or self.endpoints.zones.counts(name)

    def is_bare(self, name: Name) -> bool:
        """Return whether no network has anything at or below this name, so that only its ancestors decide about it.

        A public name from which the catalogue derives a private name may still be owned by the row there.
        """
        data = self.endpoints
        if data.rows.get(name) is not None or data.tree.counts(name) or data.zones.counts(name):
            return False
        if name in data.explicit:
            return False
        return not (
            name in self.named or name in self._above_named or name in self.static or name in self._above_static
        )

    def each(self, keep: Callable[[Name], bool] = bool) -> Iterator[tuple[Name, bytes]]:
        """(name, row) of every name that `keep` accepts, in no order."""
        for shard in self.endpoints.rows.shards():
            yield from ((name, row) for name, row in shard.items() if keep(name))
