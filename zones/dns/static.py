"""Zone files as they are served: RFC 1034 §4.3.2 lookup with wildcards (RFC 4592), DNAME (RFC 6672), delegations.

Holds records that `zonefile` has read; knows no endpoints, networks or policies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zones.dns.name import ROOT, Name, from_labels, is_under, labels, parent, wildcard
from zones.dns.record import AAAA, ANY, CNAME, DNAME, DS, NS, SOA, A, RRset


@dataclass(frozen=True, slots=True)
class Match:
    """What a zone file says to a name. `kind`: `records`, `cname`, `dname`, `nodata`, `cut`, `miss`.

    `exact`: the name itself is in the file and authoritative; else a wildcard, an ancestor or nothing matched.
    """

    kind: str
    exact: bool
    rrsets: tuple[RRset, ...] = ()
    at: Name = ROOT
    """Where the records stand: the name, the cut, the DNAME's owner or the wildcard; of a miss, the root."""


class StaticZone:
    """One zone of files, changed name by name."""

    def __init__(self, origin: Name, *, is_open: bool) -> None:
        self.origin = origin
        self.names: dict[Name, tuple[RRset, ...]] = {}
        self.soa: RRset | None = None
        """The SOA at the apex; None while the zone is being loaded."""
        self.is_open = is_open
        """What it lacks is judged as in a zone of endpoints: it is one, of which a private DNS zone lends records."""
        self._below: Counter[Name] = Counter()
        """How many names stand below an ancestor: what makes an empty non-terminal exist."""

    def put(self, name: Name, rrsets: tuple[RRset, ...]) -> set[Name]:
        """Set the whole state of one name; none means it is gone. Returns the names that it makes exist or vanish."""
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
        """Ancestors inside the zone, nearest first, apex last."""
        while name != self.origin:
            name = parent(name)
            yield name

    def has_below(self, name: Name) -> bool:
        """The file has names below this one: it exists, if only as an empty non-terminal."""
        return name in self._below

    def match(self, name: Name, qtype: int) -> Match:
        """What the file says to `name`, which is in the zone; the zone has its apex."""
        path = [name, *self._ancestors(name)]
        for at in reversed(path):  # from the apex down, as the tree is walked in RFC 1034 §4.3.2
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
        return Match("miss", exact=False)

    def glue(self, ns: RRset) -> tuple[RRset, ...]:
        """Addresses that the file holds for the targets of `ns` (RFC 1034 §4.2.1)."""
        out: list[RRset] = []
        for target in ns.rdatas:
            host = Name(target.lower())
            if is_under(host, self.origin):
                out += [rrset for rrset in self.names.get(host, ()) if rrset.type in {A, AAAA}]
        return tuple(out)


def _records(rrsets: tuple[RRset, ...], at: Name, qtype: int, *, exact: bool) -> Match:
    # RFC 8482 §4.1: one RRset is enough for ANY.
    if found := rrsets[0] if qtype == ANY else of_type(rrsets, qtype):
        return Match("records", exact=exact, rrsets=(found,), at=at)
    if cname := of_type(rrsets, CNAME):
        return Match("cname", exact=exact, rrsets=(cname,), at=at)
    return Match("nodata", exact=exact, at=at)


def synthesised(name: Name, dname: RRset) -> RRset | None:
    """The CNAME that a DNAME makes for `name` (RFC 6672 §2.2); None where it would be longer than 255 octets."""
    prefix = labels(name)[: len(labels(name)) - len(labels(dname.owner))]
    target = from_labels(prefix)[:-1] + dname.rdatas[0]
    return RRset(name, CNAME, dname.ttl, (target,)) if len(target) <= 255 else None


def of_type(rrsets: Iterable[RRset], rtype: int) -> RRset | None:
    """The RRset of this type."""
    return next((rrset for rrset in rrsets if rrset.type == rtype), None)
