"""The served table: every row and zone file that a worker holds, and the one lookup over them.

Rows apply in place, one name at a time; each change reports which names' answers it could alter. Decides what a name
is to a network; refuses to know packets, caches, clients' addresses or why a claim won.

Names exist in one tree for each network: those that endpoints own (private and public), those of zone files, and the
apexes of zones. Wildcards, empty non-terminals and denials are judged on that tree (RFC 4592 §3.3.1, RFC 8020).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from zones.azure.catalogue import Catalogue
from zones.claims.policy import Policies, Terms
from zones.claims.row import ALONE, REFUSED
from zones.dns.name import MAX_NAME, Name, ancestry, canonical_key, is_wildcard, parent, reversed_address, wildcard
from zones.dns.record import AAAA, ANY, CNAME, DNAME, DS, NS, PTR, SOA, A, RRset, soa
from zones.dns.static import Match, StaticZone, of_type, synthesised
from zones.networks.prefixes import NONE
from zones.table.endpoint_data import Held, Owned
from zones.table.outcome import Alias, Deps, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong


@dataclass(slots=True)
class Touched:
    """What a change may alter: answers that depend on `names`, and any answer at or under `subtrees`."""

    names: set[Name] = field(default_factory=set)
    subtrees: set[Name] = field(default_factory=set)


class _Spot(NamedTuple):
    """Where in a network's tree a name is, or would be."""

    name: Name
    network: int
    file: StaticZone | None
    limit: int
    """What is longer than this many octets is not in the file (RFC 1034 §4.2.1, RFC 6672 §2.4)."""
    zone: Name | None
    """The longest zone at or above the name that the network sees."""
    encloser: Name
    """The longest ancestor with something below it; the closest encloser unless `closer` exists, with nothing below."""
    closer: Name
    """The name one label longer than it, on the way to the name (the "next closer name")."""
    is_parent: bool
    """Something exists below the name itself."""

    def is_in_file(self, name: Name) -> bool:
        """The file has this name, and not below a delegation or a DNAME."""
        return self.file is not None and len(name) <= self.limit and name in self.file.names


class Table:
    """Rows, zones and zone files of one generation, looked up per network."""

    def __init__(self, catalogue: Catalogue, policies: Policies) -> None:
        self._catalogue = catalogue
        self._policies = policies
        self.owned = Owned(catalogue)
        self.unsynced = False
        """A source has never had data: catalogue names that nobody claims are SERVFAIL."""
        self.stale = False
        """Some source of endpoints could not be read for a while."""
        self.awaited: frozenset[Name] = frozenset()
        """Zones whose content has not come yet: names at and under them are SERVFAIL."""
        self.static: dict[Name, StaticZone] = {}
        self._above_files: Counter[Name] = Counter()
        self.named = policies.named
        """Zones that the configuration names."""
        self._above_named = frozenset(above for zone in self.named for above in ancestry(zone)[1:])

    @property
    def masks(self) -> dict[int, int]:
        """Networks of each class, by class number."""
        return self.owned.masks

    @masks.setter
    def masks(self, masks: dict[int, int]) -> None:
        self.owned.masks = masks

    # -- changes

    def apply(self, name: Name, row: bytes) -> Touched:
        """Set the whole state of one private name; an empty row means it is gone.

        Raises `KeyError` for a class whose mask is not known; nothing has changed then.
        """
        return Touched(self.owned.apply(name, row))

    def apply_static(self, origin: Name, name: Name, rrsets: tuple[RRset, ...], *, is_open: bool) -> Touched:
        """Set the whole state of one name of a zone file, or of what a private DNS zone lends (`StaticZone.is_open`).

        A zone is served as soon as it has its SOA. That is in all its negative answers, so a change of it touches
        whatever is under it, as a change of a delegation or a DNAME does.
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
        if any(of_type(old, kind) != of_type(rrsets, kind) for kind in redirecting):
            touched.subtrees.add(name)
        if not zone.names:
            del self.static[origin]
        return touched

    def remove_static(self, origin: Name, name: Name) -> Touched:
        """Remove one name of a static zone that the table holds. Raises `KeyError` where it holds no such zone."""
        return self.apply_static(origin, name, (), is_open=self.static[origin].is_open)

    def _move_apex(self, origin: Name, step: int, moved: set[Name]) -> None:
        """The ancestors of a zone file's apex exist while it is served."""
        for above in ancestry(origin)[1:] if step else ():
            self._above_files[above] += step
            if self._above_files[above] == (step > 0):  # the first came or the last went
                moved.add(above)
            if not self._above_files[above]:
                del self._above_files[above]

    def sweep(self, generation: int) -> Iterator[Touched]:
        """After a snapshot: remove the rows that it did not bring; one bucket at a time, so that queries go on."""
        stamp = generation & 0xFF
        for bucket in self.owned.rows:
            touched = Touched()
            for name in [name for name, row in bucket.items() if row[0] != stamp]:
                touched.names |= self.owned.apply(name, b"")
            yield touched

    def __len__(self) -> int:
        """How many private names are held."""
        return len(self.owned.rows)

    # -- lookup

    def lookup(self, name: Name, qtype: int, network: int) -> Outcome:
        """What `name` and `qtype` are to the network with this index (`NONE`: a client in no network).

        The steps stand in their order of precedence: the first that applies decides.
        """
        if self.awaited and not self.awaited.isdisjoint(ancestry(name)):
            return Failure("unsynced", name, (name,))
        file = self._file_over(name)
        if qtype == DS and file and name == file.origin:
            above = self._file_over(parent(name))
            file = above if above and above.match(name, DS).exact else file  # above the cut (RFC 4035 §3.1.4.1)
        match = file.match(name, qtype) if file else None
        if file and match and match.exact:
            return self._of_file(file, match, name, qtype, (name,))
        held = self.owned.held(name, network)
        if held:
            return self._of_claim(held, name, qtype, network, (name, held.private))
        spot = self._spot(name, network, file, match)
        covering, deps = self._starred(spot, qtype)
        if covering:
            return self._of_claim(covering, name, qtype, network, deps, made=True)
        if file and match and spot.zone == file.origin:
            return self._covered(file, match, spot, qtype, deps)
        if self.unsynced and self._catalogue.covers(name):
            return Failure("unsynced", name, deps)
        if spot.zone is not None and not self.owned.places.is_opt_in(spot.zone):
            return self._missed(spot.zone, spot, qtype, deps)
        return self._pointer(name, qtype, network, deps) or Outside(deps)

    # -- where a name is

    def _file_over(self, name: Name) -> StaticZone | None:
        """The longest zone of a file at or above the name."""
        for at in ancestry(name) if self.static else ():
            file = self.static.get(at)
            if file and file.soa:
                return file
        return None

    def _zone_over(self, path: list[Name], network: int) -> Name | None:
        """The longest zone on the path that the network sees."""
        inside = network != NONE
        for at in path:
            if inside and (at in self.named or self.owned.zones.sees(at, network)):
                return at
            file = self.static.get(at) if self.static else None
            if file and file.soa:
                return at
        return None

    def _spot(self, name: Name, network: int, file: StaticZone | None, match: Match | None) -> _Spot:
        path = ancestry(name)
        limit = len(match.at) if match and match.kind in {"cut", "dname"} else MAX_NAME
        at = len(path) - 2  # the root always exists
        while at >= 0 and self._is_parent(path[at], network, file, limit):
            at -= 1
        closer = max(at, 0)
        encloser = path[min(closer + 1, len(path) - 1)]
        return _Spot(name, network, file, limit, self._zone_over(path, network), encloser, path[closer], at < 0)

    def _is_parent(self, name: Name, network: int, file: StaticZone | None, limit: int) -> bool:
        """Something exists below this name for the network."""
        return (
            (network != NONE and (self.owned.tree.sees(name, network) or name in self._above_named))
            or name in self._above_files
            or (file is not None and len(name) < limit and file.has_below(name))
        )

    def _is_open(self, spot: _Spot) -> bool:
        """The name does not exist, nor does any below the encloser: a wildcard there, in the same zone, covers it."""
        if spot.is_parent or (spot.zone is not None and len(spot.encloser) < len(spot.zone)):
            return False
        if spot.is_in_file(spot.closer):
            return False
        return self.owned.held(spot.closer, spot.network) is None

    def _around(self, spot: _Spot) -> Deps:
        """Names whose change could make something else of one that is not held itself.

        What comes into being above it brings the next closer name to life, or is the wildcard; what goes takes the
        encloser with it; a zone that comes into sight or goes out of it is told by its apex.
        """
        zones = self.owned.places.zones(spot.name)
        return (spot.name, spot.closer, spot.encloser, wildcard(spot.encloser), *zones)

    # -- what endpoints own

    def _starred(self, spot: _Spot, qtype: int) -> tuple[Held | None, Deps]:
        """The wildcard claim that covers a name. A public name is covered where its private name is, too."""
        deps = self._around(spot)
        star = wildcard(spot.encloser)
        variant = self.owned.variant(star, spot.network)
        if not (variant or self.owned.is_public_star(star)) or not self._is_open(spot):
            return None, deps
        if variant:
            return Held(spot.name, variant), deps
        for private in self.owned.places.candidates(spot.name):
            file = self._file_over(private)
            inner = self._spot(private, spot.network, file, file.match(private, qtype) if file else None)
            deps += self._around(inner)
            at = wildcard(inner.encloser)
            variant = self.owned.variant(at, spot.network)
            if variant and star in self.owned.publics(variant, at) and self._is_open(inner):
                return Held(private, variant), deps
        return None, deps

    def _of_claim(self, held: Held, name: Name, qtype: int, network: int, deps: Deps, *, made: bool = False) -> Outcome:
        """A CNAME from a public name; addresses; NODATA for any other type; SERVFAIL for a refused contest.

        With `chain: flat` the addresses stand at the public name itself.
        """
        private, variant = held
        zone = self._zone_over(ancestry(private), network)
        terms = self._policies.of(zone)
        alone = bool(variant.flags & ALONE)
        home = name if zone is None or alone else zone
        if name != private and terms.chain == "cname":
            cname = RRset(name, CNAME, terms.ttl, (private,))
            if qtype in {CNAME, ANY}:
                return Found((cname,), home, "private", deps, wildcard=made)
            return Alias((cname,), private, home, "private", deps, wildcard=made)
        if variant.flags & REFUSED:
            return Failure("refused", home, deps)
        rdatas = {A: variant.a, AAAA: variant.aaaa, ANY: variant.a or variant.aaaa}.get(qtype, ())
        if not rdatas:
            record = soa(name, terms.negative_ttl or 0) if alone or name != private else self._soa_of(home)
            return NoData(record, home, "private", deps, wildcard=made)
        rtype = (A if variant.a else AAAA) if qtype == ANY else qtype
        return Found((RRset(name, rtype, terms.ttl, rdatas),), home, "private", deps, wildcard=made)

    def _soa_of(self, zone: Name) -> RRset:
        """The SOA of a negative answer: a file's own (RFC 2308 §5), or one made for a zone of endpoints."""
        file = self.static.get(zone)
        if file is None or file.soa is None:
            return soa(zone, self._policies.of(zone).negative_ttl or 0)
        wanted = self._policies.of_file(zone, is_open=file.is_open).negative_ttl
        minimum = int.from_bytes(file.soa.rdatas[0][-4:], "big")
        return RRset(zone, SOA, min(file.soa.ttl, minimum) if wanted is None else wanted, file.soa.rdatas)

    # -- what zone files say

    def _of_file(self, file: StaticZone, match: Match, name: Name, qtype: int, deps: Deps) -> Outcome:
        """Records of a file, at the name itself, from a wildcard or through a DNAME."""
        made = not match.exact
        if match.kind == "nodata":
            return NoData(self._soa_of(file.origin), file.origin, "static", deps, wildcard=made)
        if match.kind == "dname":
            cname = synthesised(name, match.rrsets[0])
            if cname is None:
                return TooLong(match.rrsets, file.origin, deps)
            if qtype in {CNAME, ANY}:  # it is what was asked for
                return Found((*match.rrsets, cname), file.origin, "static", deps, wildcard=True)
            target = Name(cname.rdatas[0].lower())
            return Alias((*match.rrsets, cname), target, file.origin, "static", deps)
        owned = tuple(RRset(name, r.type, r.ttl, r.rdatas) for r in match.rrsets)
        if match.kind == "cname":
            target = Name(owned[0].rdatas[0].lower())
            return Alias(owned, target, file.origin, "static", deps, wildcard=made)
        return Found(owned, file.origin, "static", deps, wildcard=made)

    def _covered(self, file: StaticZone, match: Match, spot: _Spot, qtype: int, deps: Deps) -> Outcome:
        """A file's delegation, DNAME, empty non-terminal, wildcard or miss."""
        origin = file.origin
        if match.kind == "cut":
            hosts = tuple(Name(target.lower()) for target in match.rrsets[0].rdatas)
            return Referral(match.at, match.rrsets[0], file.glue(match.rrsets[0]), origin, deps + hosts)
        if match.kind == "dname":
            return self._of_file(file, match, spot.name, qtype, deps)
        record = self._soa_of(origin)
        if spot.is_parent:
            return NoData(record, origin, "static", deps)
        if match.at == wildcard(spot.encloser) and self._is_open(spot):
            return self._of_file(file, match, spot.name, qtype, deps)
        if file.is_open and self.unsynced and self._catalogue.covers(spot.name):
            return Failure("unsynced", spot.name, deps)
        terms = self._policies.of_file(origin, is_open=file.is_open)
        return _by_policy(terms, origin, record, "policy" if file.is_open else "static", deps)

    # -- what nobody holds

    def _missed(self, zone: Name, spot: _Spot, qtype: int, deps: Deps) -> Outcome:
        """Inside a zone of endpoints, and nobody holds the name."""
        terms = self._policies.of(zone)
        record = self._soa_of(zone)
        if spot.name == zone:
            if qtype in {SOA, ANY}:
                return Found((record,), zone, "private", deps)
            if qtype == DS:
                return Outside(deps)  # the parent's word, which a validator needs
            return NoData(record, zone, "private", deps)
        if spot.is_parent or spot.is_in_file(spot.name):  # there as a delegation, which ends at the zone's apex
            return NoData(record, zone, "private", deps)
        return _by_policy(terms, zone, record, "policy", deps)

    def _pointer(self, name: Name, qtype: int, network: int, deps: Deps) -> Outcome | None:
        """The public FQDN of a served address. Nothing else in the reverse tree is ours."""
        address = reversed_address(name)
        if address is None:
            return None
        hosts = [host for host in self.owned.pointing(address, network) if not is_wildcard(host)]
        if not hosts:
            return None
        terms = self._policies.of(None)
        if qtype not in {PTR, ANY}:
            return NoData(soa(name, terms.negative_ttl or 0), name, "ptr", deps)
        return Found((RRset(name, PTR, terms.ttl, (min(hosts, key=canonical_key),)),), name, "ptr", deps)

    # -- listings, for people

    def zones(self, network: int) -> list[Name]:
        """Every zone that the network sees, in canonical order."""
        found = {origin for origin, file in self.static.items() if file.soa}
        if network != NONE:
            found |= self.named
            found.update(zone for zone in self.owned.zones.names() if self.owned.zones.sees(zone, network))
        return sorted(found, key=canonical_key)

    def is_zone(self, name: Name) -> bool:
        """True for a zone of endpoints, of a file or of the configuration: a name that no client made up."""
        return name in self.static or name in self.named or self.owned.zones.counts(name)

    def is_bare(self, name: Name) -> bool:
        """Nothing stands at this very name or below it, for any network: what it is, its ancestors decide."""
        owned = self.owned
        if owned.rows.get(name) is not None or owned.tree.counts(name) or owned.zones.counts(name):
            return False
        return not (name in self.named or name in self._above_named or name in self.static or name in self._above_files)

    def each(self, keep: Callable[[Name], bool] = bool) -> Iterator[tuple[Name, bytes]]:
        """All rows whose name `keep` wants."""
        for bucket in self.owned.rows:
            yield from ((name, row) for name, row in bucket.items() if keep(name))


def _by_policy(terms: Terms, zone: Name, record: RRset, origin: str, deps: Deps) -> Outcome:
    """What a zone's miss policy makes of a name that it does not hold."""
    if terms.on_miss == "nxdomain":
        return NxDomain(record, zone, origin, deps)
    if terms.on_miss == "nodata":
        return NoData(record, zone, origin, deps, wildcard=True)
    if terms.on_miss == "servfail":
        return Failure("miss", zone, deps)
    return Outside(deps, zone, terms.on_miss.partition(":")[2])
