"""Static zones: the RFC 1034 §4.3.2 lookup, with wildcards (RFC 4592), DNAME (RFC 6672) and delegations.

The records come from zone files or from private DNS zones. Does not know endpoints, networks and policies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from zones.dns.name import ROOT, Name, from_labels, labels, parent, wildcard
from zones.dns.record import AAAA, ANY, CNAME, DNAME, DS, NS, SOA, A, RRset

MatchKind = Literal["records", "cname", "dname", "nodata", "cut", "miss"]
"""`cut`: the name is at or below a zone cut, and `rrsets` has its NS records. `miss`: the zone does not have the name.

`nodata`: the name exists, but not the type. The other kinds name the RRset in `rrsets`.
"""


@dataclass(frozen=True, slots=True)
class Match:
    """The result of a lookup in a static zone.

    `exact` is True where the zone is authoritative for records of the name itself. It is False where a wildcard, an
    ancestor or nothing matched.
    """

    kind: MatchKind
    exact: bool
    rrsets: tuple[RRset, ...] = ()
    at: Name = ROOT
    """The owner of the records: the name, the zone cut, the DNAME's owner or the wildcard. The root for a miss."""


class StaticZone:
    """One static zone. It is changed name by name."""

    def __init__(self, origin: Name, *, is_open: bool) -> None:
        self.origin = origin
        self.names: dict[Name, tuple[RRset, ...]] = {}
        self.soa: RRset | None = None
        """The SOA at the apex; None while the zone is being loaded."""
        self.is_open = is_open
        """True for a zone of endpoints to which a private DNS zone provides records.

        A name that an open zone does not have follows the zone's miss policy. A closed zone answers NXDOMAIN.
        """
        self._below: Counter[Name] = Counter()
        """The number of names below each ancestor. An ancestor without records is an empty non-terminal."""

    def put(self, name: Name, rrsets: tuple[RRset, ...]) -> set[Name]:
        """Replace all records of one name; an empty tuple removes the name.

        Return the names that begin or cease to exist by that, empty non-terminals among them.
        """
        was = name in self.names
        if rrsets:
            self.names[name] = rrsets
        else:
            self.names.pop(name, None)
        if name == self.origin:
            self.soa = of_type(rrsets, SOA)
        if was == bool(rrsets):
            return set()
        moved = {name}
        for ancestor in self._ancestors(name):
            self._below[ancestor] += 1 if rrsets else -1
            if self._below[ancestor] == bool(rrsets):  # the first came or the last went
                moved.add(ancestor)
            if not self._below[ancestor]:
                del self._below[ancestor]
        return moved

    def _ancestors(self, name: Name) -> Iterator[Name]:
        """Yield the ancestors inside the zone, from the parent to the apex."""
        while name != self.origin:
            name = parent(name)
            yield name

    def has_below(self, name: Name) -> bool:
        """Return True where the zone has names below this one, so that the name exists (RFC 8020)."""
        return name in self._below

    def match(self, name: Name, qtype: int) -> Match:
        """Look up a name at or below the origin. The zone has its SOA record already."""
        path = [name, *self._ancestors(name)]
        for at in reversed(path):  # from the apex down, as RFC 1034 §4.3.2 walks the tree
            rrsets = self.names.get(at)
            if not rrsets:
                continue
            if at != self.origin and (ns := of_type(rrsets, NS)) and not (at == name and qtype == DS):
                return Match("cut", exact=False, rrsets=(ns,), at=at)
            if at != name and (dname := of_type(rrsets, DNAME)):
                return Match("dname", exact=False, rrsets=(dname,), at=at)
        if name in self.names:
            return _records(self.names[name], name, qtype, exact=True)
        if name in self._below:
            return Match("nodata", exact=False, at=name)
        encloser = next(at for at in path[1:] if at in self.names or at in self._below or at == self.origin)
        star = wildcard(encloser)
        if star in self.names:
            return _records(self.names[star], star, qtype, exact=False)
        if star in self._below:  # an empty non-terminal is a source of synthesis, too (RFC 4592 §2.2.2)
            return Match("nodata", exact=False, at=star)
        return Match("miss", exact=False)

    def glue(self, ns: RRset) -> tuple[RRset, ...]:
        """Return the addresses that the zone has for the targets of `ns` (RFC 1034 §4.2.1)."""
        out: list[RRset] = []
        for target in ns.rdatas:
            held = self.names.get(Name(target.lower()), ())
            out += [rrset for rrset in held if rrset.type in {A, AAAA}]
        return tuple(out)


def _records(rrsets: tuple[RRset, ...], at: Name, qtype: int, *, exact: bool) -> Match:
    # RFC 8482 §4.1: one RRset is enough for ANY.
    if found := rrsets[0] if qtype == ANY else of_type(rrsets, qtype):
        return Match("records", exact=exact, rrsets=(found,), at=at)
    if cname := of_type(rrsets, CNAME):
        return Match("cname", exact=exact, rrsets=(cname,), at=at)
    return Match("nodata", exact=exact, at=at)


def synthesised(name: Name, dname: RRset) -> RRset | None:
    """Return the CNAME that a DNAME makes for `name` (RFC 6672 §2.2); None where the target exceeds 255 octets."""
    prefix = labels(name)[: len(labels(name)) - len(labels(dname.owner))]
    target = from_labels(prefix)[:-1] + dname.rdatas[0]
    return RRset(name, CNAME, dname.ttl, (target,)) if len(target) <= 255 else None


def of_type(rrsets: Iterable[RRset], rtype: int) -> RRset | None:
    """Return the RRset of this type; None where there is none."""
    return next((rrset for rrset in rrsets if rrset.type == rtype), None)
