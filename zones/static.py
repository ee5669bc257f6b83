"""Zone files as they are served: RFC 1034 §4.3.2 lookup with wildcards (RFC 4592), DNAME (RFC 6672), delegations.

Holds records that `zonefile` has read; knows no endpoints, networks or policies.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from zones.name import ROOT, Name, from_labels, is_under, labels, parent, wildcard
from zones.record import AAAA, ANY, CNAME, DNAME, DS, NS, SOA, A, RRset


@dataclass(frozen=True, slots=True)
class Match:
    """What a zone file says to a name. `kind`: `records`, `cname`, `dname`, `nodata`, `cut`, `miss`.

    `exact`: the name itself is in the file and authoritative; else a wildcard, an ancestor or nothing matched.
    """

    kind: str
    exact: bool
    rrsets: tuple[RRset, ...] = ()
    at: Name = ROOT
    """The cut, the DNAME's owner or the wildcard."""
    deps: tuple[Name, ...] = ()


class StaticZone:
    """One zone of files, changed name by name."""

    def __init__(self, origin: Name) -> None:
        self.origin = origin
        self.names: dict[Name, tuple[RRset, ...]] = {}
        self._below: Counter[Name] = Counter()
        """How many names stand below an ancestor: what makes an empty non-terminal exist."""

    @property
    def soa(self) -> RRset | None:
        """The SOA at the apex; None while the zone is being loaded."""
        return _of_type(self.names.get(self.origin, ()), SOA)

    def put(self, name: Name, rrsets: tuple[RRset, ...]) -> list[Name]:
        """Set the whole state of one name; none means it is gone. Returns the names whose existence it touches."""
        was = name in self.names
        if rrsets:
            self.names[name] = rrsets
        else:
            self.names.pop(name, None)
        touched = [name]
        if was != bool(rrsets):
            for ancestor in self._ancestors(name):
                self._below[ancestor] += 1 if rrsets else -1
                if not self._below[ancestor]:
                    del self._below[ancestor]
                touched.append(ancestor)
        return touched

    def _ancestors(self, name: Name) -> Iterable[Name]:
        """Ancestors inside the zone, nearest first, apex last."""
        while name != self.origin:
            name = parent(name)
            yield name

    def exists(self, name: Name) -> bool:
        """It has records or is an empty non-terminal."""
        return name in self.names or name in self._below

    def match(self, name: Name, qtype: int) -> Match:
        """What the file says to `name`, which is in the zone."""
        path = [name, *self._ancestors(name)]
        for at in reversed(path):  # from the apex down, as the tree is walked in RFC 1034 §4.3.2
            rrsets = self.names.get(at, ())
            if at != self.origin and (ns := _of_type(rrsets, NS)) and not (at == name and qtype == DS):
                return Match("cut", exact=False, rrsets=(ns,), at=at, deps=(at, name))
            if at != name and (dname := _of_type(rrsets, DNAME)):
                return Match("dname", exact=False, rrsets=(dname,), at=at, deps=(at, name))
        if name in self.names:
            return self._records(self.names[name], name, qtype, exact=True, deps=tuple(path))
        if name in self._below:
            return Match("nodata", exact=False, deps=tuple(path))
        below, encloser = name, parent(name)
        while not self.exists(encloser) and encloser != self.origin:
            below, encloser = encloser, parent(encloser)
        star = wildcard(encloser)
        deps = (*self._ancestors(below), below, star)
        if star in self.names:
            return self._records(self.names[star], star, qtype, exact=False, deps=deps)
        return Match("miss", exact=False, deps=deps)

    def _records(
        self, rrsets: tuple[RRset, ...], at: Name, qtype: int, *, exact: bool, deps: tuple[Name, ...]
    ) -> Match:
        if (cname := _of_type(rrsets, CNAME)) and qtype not in {CNAME, ANY}:
            return Match("cname", exact=exact, rrsets=(cname,), at=at, deps=deps)
        # RFC 8482 §4.1: one RRset is enough for ANY.
        found = rrsets[0] if qtype == ANY else _of_type(rrsets, qtype)
        if found is None:
            return Match("nodata", exact=exact, at=at, deps=deps)
        return Match("records", exact=exact, rrsets=(found,), at=at, deps=deps)

    def glue(self, ns: RRset) -> tuple[RRset, ...]:
        """Addresses that the file holds for the targets of `ns` (RFC 1034 §4.2.1)."""
        out: list[RRset] = []
        for target in ns.rdatas:
            host = Name(target.lower())
            if is_under(host, self.origin):
                out += [rrset for rrset in self.names.get(host, ()) if rrset.type in {A, AAAA}]
        return tuple(out)


def synthesised(name: Name, dname: RRset) -> RRset | None:
    """The CNAME that a DNAME makes for `name` (RFC 6672 §2.2); None where it would be longer than 255 octets."""
    prefix = labels(name)[: len(labels(name)) - len(labels(dname.owner))]
    target = from_labels(prefix)[:-1] + dname.rdatas[0]
    return RRset(name, CNAME, dname.ttl, (target,)) if len(target) <= 255 else None


def _of_type(rrsets: Iterable[RRset], rtype: int) -> RRset | None:
    return next((rrset for rrset in rrsets if rrset.type == rtype), None)
