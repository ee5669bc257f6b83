"""The served table: every row and zone file that a worker holds, and the one lookup over them.

Rows apply in place, one name at a time; each change reports which names' answers it could alter. Decides what a name
is to a network; refuses to know packets, caches, clients' addresses or why a claim won.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from zones.catalogue import Catalogue
from zones.name import (
    Name,
    canonical_key,
    is_under,
    is_wildcard,
    parent,
    reverse,
    reversed_address,
    wildcard,
)
from zones.network import NONE
from zones.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral
from zones.policy import Policies, Terms
from zones.record import AAAA, ANY, CNAME, DNAME, DS, PTR, SOA, A, RRset, soa
from zones.served import ALONE, BY_RULE, REFUSED, Variant, unpack
from zones.static import Match, StaticZone, synthesised

_BUCKETS: Final = 64  # no dict grows past some 200,000 entries: one insert that resizes a larger one takes 50 ms


@dataclass(slots=True)
class Touched:
    """What a change may alter: answers that depend on `names`, and any answer at or under `subtrees`."""

    names: set[Name] = field(default_factory=set)
    subtrees: set[Name] = field(default_factory=set)


class Table:
    """Rows, zones and zone files of one generation, looked up per network."""

    def __init__(self, catalogue: Catalogue, policies: Policies) -> None:
        self._catalogue = catalogue
        self._policies = policies
        self.masks: dict[int, int] = {}
        """Networks of each class, by class number."""
        self.unsynced = False
        """A source has never had data: catalogue names that nobody claims are SERVFAIL."""
        self.awaited: frozenset[Name] = frozenset()
        """Zones whose content has not come yet: names at and under them are SERVFAIL."""
        self.static: dict[Name, StaticZone] = {}
        self._rows: list[dict[Name, bytes]] = [{} for _ in range(_BUCKETS)]
        self._below: dict[Name, dict[int, int]] = {}
        """Ancestor to classes of the rows below it, counted: zones that a network sees, empty non-terminals."""
        self._addresses: list[dict[bytes, Name | tuple[Name, ...]]] = [{} for _ in range(_BUCKETS)]
        self._alone_stars: set[Name] = set()
        """Parents of wildcards that stand in no zone of the catalogue."""

    # -- changes

    def apply(self, name: Name, row: bytes) -> Touched:
        """Set the whole state of one private name; an empty row means it is gone."""
        bucket = self._rows[hash(name) % _BUCKETS]
        old = bucket.get(name, b"")
        if row:
            bucket[name] = row
        else:
            bucket.pop(name, None)
        touched = Touched()
        if old[1:] == row[1:]:
            return touched
        touched.names.add(name)
        before, after = list(unpack(old)), list(unpack(row))
        self._move_addresses(name, before, after, touched)
        self._move_ancestors(name, before, after, touched)
        return touched

    def _move_addresses(self, name: Name, before: list[Variant], after: list[Variant], touched: Touched) -> None:
        gone = {address for variant in before for address in (*variant.a, *variant.aaaa)}
        held = {address for variant in after for address in (*variant.a, *variant.aaaa)}
        touched.names.update(reverse(address) for address in gone | held)
        if is_wildcard(name):
            return
        for address in gone ^ held:
            bucket = self._addresses[hash(address) % _BUCKETS]
            names = {*_names(bucket.get(address, ())), name} if address in held else {*_names(bucket[address])} - {name}
            if len(names) > 1:
                bucket[address] = tuple(sorted(names))
            elif names:
                bucket[address] = names.pop()
            else:
                del bucket[address]

    def _move_ancestors(self, name: Name, before: list[Variant], after: list[Variant], touched: Touched) -> None:
        was, now = {v.networks for v in before}, {v.networks for v in after}
        alone = any(v.flags & ALONE for v in (*before, *after))
        apex = None if alone else self._catalogue.zone_of(name)
        at = name
        while at != apex and parent(at)[0]:
            at = parent(at)
            if alone and at in self._alone_stars:
                touched.subtrees.add(at)
            counts = self._below.setdefault(at, {})
            existed = self._mask(counts)
            for number in now - was:
                counts[number] = counts.get(number, 0) + 1
            for number in was - now:
                counts[number] -= 1
                if not counts[number]:
                    del counts[number]
            if existed != self._mask(counts):
                touched.names.add(at)
            if not counts:
                del self._below[at]
        if alone and is_wildcard(name):
            touched.subtrees.add(parent(name))
            (self._alone_stars.add if after else self._alone_stars.discard)(parent(name))

    def _mask(self, counts: Iterable[int]) -> int:
        out = 0
        for number in counts:
            out |= self.masks[number]
        return out

    def apply_static(self, origin: Name, name: Name, rrsets: tuple[RRset, ...]) -> Touched:
        """Set the whole state of one name of a zone file. A new or vanished zone touches all that is under it."""
        zone = self.static.get(origin)
        if zone is None:
            zone = self.static[origin] = StaticZone(origin)
        old = zone.names.get(name, ())
        touched = Touched(set(zone.put(name, rrsets)))
        if not zone.names:
            del self.static[origin]
        cuts = any(rrset.type in {2, DNAME} for rrset in (*old, *rrsets))
        if name == origin or cuts or is_wildcard(name):
            touched.subtrees.add(parent(name) if is_wildcard(name) else name)
        return touched

    def sweep(self, generation: int) -> Iterator[Touched]:
        """After a snapshot: remove the rows that it did not bring; one bucket at a time, so that queries go on."""
        stamp = generation & 0xFF
        for bucket in self._rows:
            touched = Touched()
            for name in [name for name, row in bucket.items() if row[0] != stamp]:
                change = self.apply(name, b"")
                touched.names |= change.names
                touched.subtrees |= change.subtrees
            yield touched

    def __len__(self) -> int:
        """How many private names are held."""
        return sum(map(len, self._rows))

    # -- lookup

    def lookup(self, name: Name, qtype: int, network: int) -> Outcome:
        """What `name` and `qtype` are to the network with this index (`NONE`: a client in no network)."""
        file = self._file_of(name)
        match = file.match(name, qtype) if file else None
        if file and match and match.exact:
            return self._of_file(file, match, name, qtype)
        owned = self._owned(name, qtype, network, file.origin if file else None)
        if owned is not None:
            return owned
        zone = self._endpoint_zone(name, network)
        if file and match and (zone is None or len(zone) <= len(file.origin)):
            return self._covered(file, match, name, qtype, network)
        if (self.unsynced and self._catalogue.covers(name)) or self._is_awaited(name):
            return Failure("unsynced", name, self._deps(name, network))
        if zone is not None:
            return self._missed(zone, name, qtype, network)
        pointer = self._pointer(name, qtype, network)
        return pointer or Outside(self._deps(name, network))

    def _is_awaited(self, name: Name) -> bool:
        return any(is_under(name, zone) for zone in self.awaited)

    def _file_of(self, name: Name) -> StaticZone | None:
        """The longest zone of a file at or above the name."""
        if not self.static:
            return None
        at = name
        while True:
            if at in self.static:
                return self.static[at] if self.static[at].soa else None
            if not at[0]:
                return None
            at = parent(at)

    def _of_file(self, file: StaticZone, match: Match, name: Name, qtype: int) -> Outcome:
        """What a matched name of a file answers: records, an alias, or no data."""
        synthetic = not match.exact
        if match.kind == "nodata":
            return NoData(self._soa_of(file), file.origin, "static", match.deps)
        owned = tuple(RRset(name, r.type, r.ttl, r.rdatas) for r in match.rrsets)
        if match.kind == "cname":
            target = Name(match.rrsets[0].rdatas[0].lower())
            return Alias(owned, target, file.origin, "static", match.deps, wildcard=synthetic)
        if match.kind == "dname":
            cname = synthesised(name, match.rrsets[0])
            if cname is None:  # RFC 6672 §2.2: YXDOMAIN; there is no answer that a client could follow
                return Failure("toolong", file.origin, match.deps)
            answer = match.rrsets if qtype == DNAME else (*match.rrsets, cname)
            return Alias(answer, Name(cname.rdatas[0].lower()), file.origin, "static", match.deps)
        return Found(owned, file.origin, "static", match.deps, wildcard=synthetic)

    def _soa_of(self, file: StaticZone) -> RRset:
        found = file.soa
        assert found is not None  # noqa: S101 - _file_of gives only zones that have one
        wanted = self._policies.of_file(file.origin).negative_ttl
        minimum = int.from_bytes(found.rdatas[0][-4:], "big")
        return RRset(found.owner, SOA, min(found.ttl, minimum) if wanted is None else wanted, found.rdatas)

    def _covered(self, file: StaticZone, match: Match, name: Name, qtype: int, network: int) -> Outcome:
        """Row 8: a file's wildcard, delegation, DNAME or miss, unless endpoints make the name or its encloser exist."""
        origin = file.origin
        if match.kind == "cut":
            return Referral(match.at, match.rrsets[0], file.glue(match.rrsets[0]), origin, match.deps)
        deps = (*match.deps, *self._deps(name, network))
        if match.kind != "dname" and self._exists_below(name, network):
            return NoData(self._soa_of(file), origin, "private", deps)
        blocked = is_wildcard(match.at) and self._encloser(name, network, parent(match.at)) != parent(match.at)
        if match.kind != "miss" and not blocked:
            return self._of_file(file, match, name, qtype)
        terms = self._policies.of_file(origin)
        return self._by_policy(terms, origin, self._soa_of(file), "static", deps)

    # -- endpoints

    def _variant(self, name: Name, network: int) -> Variant | None:
        """The state of a private name in a network."""
        if network == NONE:
            return None
        row = self._rows[hash(name) % _BUCKETS].get(name)
        if row is not None:
            for variant in unpack(row):
                if self.masks[variant.networks] >> network & 1:
                    return variant
        return None

    def _owned(self, name: Name, qtype: int, network: int, floor: Name | None) -> Outcome | None:
        """Rows 5 to 7: the name belongs to an endpoint that this network sees, exactly or by a wildcard of its own."""
        if network == NONE:
            return None
        variant = self._variant(name, network)
        if variant:
            return self._addresses_at(name, variant, qtype, (name,))
        mappings = self._catalogue.candidates(name)
        for private, zone in mappings:
            variant = self._variant(private, network)
            if variant and name in self._publics(variant, private):
                return self._public(name, private, zone, variant, qtype, (private,))
        star = self._star(name, network, floor)
        if star:
            at, variant = star
            return self._addresses_at(name, variant, qtype, self._deps(name, network), star=at)
        for private, zone in mappings:
            star = self._star(private, network, None)
            if star:
                at, variant = star
                if any(is_under(name, parent(p)) for p in self._publics(variant, at) if is_wildcard(p)):
                    return self._public(name, private, zone, variant, qtype, self._deps(name, network), star=at)
        return None

    def _publics(self, variant: Variant, private: Name) -> tuple[Name, ...]:
        if variant.flags & BY_RULE:
            derived = self._catalogue.public(private)
            return (derived,) if derived else ()
        return variant.publics

    def _public(
        self, name: Name, private: Name, zone: Name, variant: Variant, qtype: int,
        deps: tuple[Name, ...], star: Name | None = None,
    ) -> Outcome:  # fmt: skip
        """A public FQDN: a CNAME into the private zone, or the addresses themselves with `chain: flat`."""
        terms = self._policies.of(zone)
        if terms.chain == "flat":
            return self._addresses_at(name, variant, qtype, deps, star=star, zone=zone)
        cname = RRset(name, CNAME, terms.ttl, (private,))
        if qtype in {CNAME, ANY}:
            return Found((cname,), zone, "private", deps, wildcard=star is not None)
        return Alias((cname,), private, zone, "private", deps, wildcard=star is not None)

    def _addresses_at(
        self, name: Name, variant: Variant, qtype: int, deps: tuple[Name, ...],
        *, star: Name | None = None, zone: Name | None = None,
    ) -> Outcome:  # fmt: skip
        """The addresses of a variant at `name`; NODATA for any other type; SERVFAIL for a refused contest."""
        home = zone or (None if variant.flags & ALONE else self._catalogue.zone_of(star or name))
        terms = self._policies.of(home)
        if variant.flags & REFUSED:
            return Failure("refused", home or name, deps)
        owner_zone = home if home and not zone else name
        rdatas = {A: variant.a, AAAA: variant.aaaa, ANY: variant.a or variant.aaaa}.get(qtype, ())
        if not rdatas:
            return NoData(soa(owner_zone, terms.negative_ttl or 0), home or name, "private", deps)
        rtype = (A if variant.a else AAAA) if qtype == ANY else qtype
        return Found((RRset(name, rtype, terms.ttl, rdatas),), home or name, "private", deps, wildcard=star is not None)

    def _star(self, name: Name, network: int, floor: Name | None) -> tuple[Name, Variant] | None:
        """The wildcard that covers a private name: below its closest encloser, in the same zone (RFC 4592 §3.3.1).

        `floor` is the origin of a file zone over the name: a wildcard above it does not reach in.
        """
        apex = self._catalogue.zone_of(name)
        if apex is None and not self._alone_stars:
            return None
        at = name
        while at not in (apex, floor) and at[0]:
            at = parent(at)
            if apex is None and at not in self._alone_stars and not self._exists(at, network):
                continue
            if apex is None or at == apex or self._exists(at, network):
                variant = self._variant(wildcard(at), network)
                return (wildcard(at), variant) if variant else None
        return None

    def _exists(self, name: Name, network: int) -> bool:
        return self._exists_below(name, network) or self._variant(name, network) is not None

    def _exists_below(self, name: Name, network: int) -> bool:
        """Some name below this one exists for the network: a zone it sees, or an empty non-terminal."""
        counts = self._below.get(name)
        return network != NONE and bool(counts) and bool(self._mask(counts or ()) >> network & 1)

    def _endpoint_zone(self, name: Name, network: int) -> Name | None:
        """The longest endpoint zone at or above the name that the network sees."""
        if network == NONE:
            return None
        derived = self._catalogue.zone_of(name)
        # Opt-in zones (privatelink.azure.com) hold their claims and deny nothing else.
        if derived is not None and not (self._exists_below(derived, network) and self._catalogue.covers(derived)):
            derived = None
        at = name
        named = self._policies.named
        while named and at[0] and at != derived:
            if at in named and at not in self.static:
                return at
            at = parent(at)
        return derived

    def _missed(self, zone: Name, name: Name, qtype: int, network: int) -> Outcome:
        """Row 10: inside an endpoint zone, and nobody holds the name."""
        terms = self._policies.of(zone)
        record = soa(zone, terms.negative_ttl or 0)
        deps = self._deps(name, network)
        if name == zone:
            if qtype in {SOA, ANY}:
                return Found((record,), zone, "private", deps)
            if qtype == DS:
                return Outside(deps)  # the parent's word, which a validator needs
            return NoData(record, zone, "private", deps)
        if self._exists_below(name, network):
            return NoData(record, zone, "private", deps)
        return self._by_policy(terms, zone, record, "policy", deps)

    def _by_policy(self, terms: Terms, zone: Name, record: RRset, origin: str, deps: tuple[Name, ...]) -> Outcome:
        if terms.on_miss == "nxdomain":
            return NxDomain(record, zone, origin, deps)
        if terms.on_miss == "nodata":
            return NoData(record, zone, origin, deps)
        if terms.on_miss == "servfail":
            return Failure("miss", zone, deps)
        return Outside(deps, zone, terms.on_miss.partition(":")[2])

    def _encloser(self, name: Name, network: int, stop: Name) -> Name:
        """The closest ancestor that endpoints make exist, no higher than `stop`."""
        at = parent(name)
        while at != stop and at[0] and not self._exists(at, network):
            at = parent(at)
        return at

    def _deps(self, name: Name, network: int) -> tuple[Name, ...]:
        """Names whose change could make something else of a name that is not held exactly.

        In a zone that the network does not see, the first row in it changes its apex; in one that it sees, only the
        next closer name, the closest encloser and its wildcard matter (RFC 4592 §3.3.1).
        """
        out = [name]
        for private in (name, *(mapping.name for mapping in self._catalogue.candidates(name))):
            apex = self._catalogue.zone_of(private)
            if apex is None:
                continue
            closer = at = private
            while at != apex:
                closer, at = at, parent(at)
                if self._exists(at, network):
                    break
            out += (private, closer, at, wildcard(at), apex)
        return tuple(dict.fromkeys(out))

    # -- reverse

    def _pointer(self, name: Name, qtype: int, network: int) -> Outcome | None:
        """Row 11: the public FQDN of a served address. Nothing else in the reverse tree is ours."""
        address = reversed_address(name)
        if address is None or network == NONE:
            return None
        hosts: set[Name] = set()
        for private in _names(self._addresses[hash(address) % _BUCKETS].get(address, ())):
            variant = self._variant(private, network)
            if variant and address in (*variant.a, *variant.aaaa):
                hosts.update(p for p in self._publics(variant, private) or (private,) if not is_wildcard(p))
        if not hosts:
            return None
        terms = self._policies.of(None)
        if qtype not in {PTR, ANY}:
            return NoData(soa(name, terms.negative_ttl or 0), name, "ptr", (name,))
        return Found((RRset(name, PTR, terms.ttl, (min(hosts, key=canonical_key),)),), name, "ptr", (name,))

    # -- listings, for people

    def zones(self, network: int) -> list[Name]:
        """Every zone that the network sees, in canonical order."""
        endpoint = {n for n in self._below if self._catalogue.zone_of(n) == n and self._exists_below(n, network)}
        named = set(self._policies.named) if network != NONE else set()
        return sorted(endpoint | named | set(self.static), key=canonical_key)

    def is_zone(self, name: Name) -> bool:
        """True for a zone of the catalogue, of a file or of the configuration: a name that no client made up."""
        return name in self.static or name in self._policies.named or self._catalogue.zone_of(name) == name

    def each(self, keep: Callable[[Name], bool] = bool) -> Iterator[tuple[Name, bytes]]:
        """All rows whose name `keep` wants."""
        for bucket in self._rows:
            yield from ((name, row) for name, row in bucket.items() if keep(name))


def _names(value: Name | tuple[Name, ...] | tuple[()]) -> tuple[Name, ...]:
    return value if isinstance(value, tuple) else (value,)
