"""A second, slow implementation of the lookup, without indexes, as a reference for the table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from zones.azure.catalogue import catalogue
from zones.claims.policy import Policies, ZonePolicy
from zones.claims.row import ALONE, BY_RULE, REFUSED, ClassNumber, Variant, pack
from zones.dns.name import Name, canonical_key, from_text, is_under, is_wildcard, parent, reverse, wildcard
from zones.dns.record import ANY, RRset, soa
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import (
    Alias,
    DataOrigin,
    Failure,
    FailureReason,
    Found,
    NoData,
    NxDomain,
    Outcome,
    Outside,
    Referral,
    TooLong,
)
from zones.table.table import Table

A, NS, CNAME, SOA, PTR, MX, AAAA, DNAME, DS, HTTPS = 1, 2, 5, 6, 12, 15, 28, 39, 43, 65
TYPES = (A, AAAA, NS, CNAME, SOA, PTR, MX, DNAME, DS, HTTPS, ANY)
NETWORKS = (NONE, NetworkIndex(0), NetworkIndex(1), NetworkIndex(2))
ROOT = Name(b"\x00")

# -- a state: the input of the table


class ReferenceVariant(NamedTuple):
    """One variant of a private name, in the networks of `mask`."""

    private: Name
    mask: int
    a: tuple[bytes, ...]
    aaaa: tuple[bytes, ...]
    publics: tuple[Name, ...]
    refused: bool

    @property
    def zone(self) -> Name | None:
        return catalogue().zone_of(self.private)


Records = dict[Name, tuple[RRset, ...]]


@dataclass
class State:
    claims: list[ReferenceVariant] = field(default_factory=list)
    files: dict[Name, Records] = field(default_factory=dict)
    defaults: ZonePolicy = field(default_factory=ZonePolicy)
    overrides: dict[str, ZonePolicy] = field(default_factory=dict)
    unsynced: bool = False
    awaited: frozenset[Name] = frozenset()

    def rows(self) -> dict[Name, bytes]:
        variants: dict[Name, list[Variant]] = {}
        for claim in self.claims:
            derived = catalogue().public(claim.private)
            by_rule = claim.publics == (derived,)
            flags = REFUSED * claim.refused | BY_RULE * by_rule | ALONE * (claim.zone is None)
            variants.setdefault(claim.private, []).append(
                Variant(ClassNumber(100 + claim.mask), flags, claim.a, claim.aaaa, () if by_rule else claim.publics)
            )
        return {name: pack(each, 1) for name, each in variants.items()}

    def table(self) -> Table:
        table = Table(catalogue(), Policies(self.defaults, self.overrides))
        table.masks = {ClassNumber(100 + mask): NetworkMask(mask) for mask in range(1, 8)}
        table.unsynced, table.awaited = self.unsynced, self.awaited
        for name, row in self.rows().items():
            table.apply(name, row)
        for origin, records in self.files.items():
            for name, rrsets in records.items():
                table.apply_static(origin, name, rrsets, is_open=False)
        return table


# -- the reference


def ancestors(name: Name) -> list[Name]:
    return [name] if name == ROOT else [name, *ancestors(parent(name))]


class Reference:
    """The rules in order of precedence, over lists."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.files = {o: r for o, r in state.files.items() if any(rr.type == SOA for rr in r.get(o, ()))}
        self.named = {from_text(text): policy for text, policy in state.overrides.items()}
        self.alive = {network: {up for name in self.names(network) for up in ancestors(name)} for network in NETWORKS}

    def lookup(self, name: Name, qtype: int, network: NetworkIndex) -> Outcome:
        if any(is_under(name, zone) for zone in self.state.awaited):
            return Failure(FailureReason.UNSYNCED, name, ())
        origin = self.file_over(name)
        if qtype == DS and origin == name:
            return self.from_parent(name)
        if origin is not None and self.is_authoritative(origin, name, qtype) and name in self.files[origin]:
            return self.records(self.files[origin][name], origin, name, name, qtype)
        owner = self.owner(name, network)
        if owner is not None:
            return self.owned(*owner, name, qtype, network, made=False)
        owner = self.wildcard_owner(name, network)
        if owner is not None:
            return self.owned(*owner, name, qtype, network, made=True)
        zone = self.zone_over(name, network)
        if origin is not None and zone == origin:
            return self.covered_by_file(origin, name, qtype, network)
        if self.state.unsynced and catalogue().covers(name):
            return Failure(FailureReason.UNSYNCED, name, ())
        if zone is not None and (catalogue().covers(zone) or catalogue().zone_of(zone) != zone):
            return self.missed(zone, name, qtype, network)
        return self.pointer(name, qtype, network) or Outside(())

    # existence

    def seen(self, network: NetworkIndex) -> list[ReferenceVariant]:
        return [claim for claim in self.state.claims if network != NONE and claim.mask >> network & 1]

    def file_over(self, name: Name) -> Name | None:
        return max((o for o in self.files if is_under(name, o)), key=len, default=None)

    def zone_over(self, name: Name, network: NetworkIndex) -> Name | None:
        zones = set(self.files)
        if network != NONE:
            zones |= set(self.named)
            zones |= {claim.zone for claim in self.seen(network) if claim.zone is not None}
        return max((zone for zone in zones if is_under(name, zone)), key=len, default=None)

    def redirection(self, origin: Name, name: Name, qtype: int) -> RRset | None:
        """Return the delegation at or above a name, or the DNAME above it: the first one below the apex."""
        above = [at for at in self.files[origin] if is_under(name, at)]
        for at in sorted(above, key=len):
            for rrset in self.files[origin][at]:
                if rrset.type == NS and at != origin and not (at == name and qtype == DS):
                    return rrset
            for rrset in self.files[origin][at]:
                if rrset.type == DNAME and at != name:
                    return rrset
        return None

    def is_authoritative(self, origin: Name, name: Name, qtype: int) -> bool:
        return self.redirection(origin, name, qtype) is None

    def names(self, network: NetworkIndex) -> Iterator[Name]:
        """Return all names that exist for this network."""
        for claim in self.seen(network):
            yield claim.private
            yield from claim.publics
        for origin, records in self.files.items():
            for name in records:
                if self.file_over(name) == origin and self.is_authoritative(origin, name, DS):
                    yield name
        if network != NONE:
            yield from self.named

    def exists(self, name: Name, network: NetworkIndex) -> bool:
        return name in self.alive[network]

    def star(self, name: Name, network: NetworkIndex) -> Name | None:
        """Return the wildcard that covers a name: under its closest encloser, in its zone."""
        if self.exists(name, network):
            return None
        encloser = parent(name)
        while encloser != ROOT and not self.exists(encloser, network):
            encloser = parent(encloser)
        zone = self.zone_over(name, network)
        return wildcard(encloser) if zone is None or is_under(encloser, zone) else None

    # endpoints

    def owner(self, name: Name, network: NetworkIndex) -> tuple[ReferenceVariant, Name] | None:
        """Return the claim on a name, and its private name."""
        for claim in self.seen(network):
            if claim.private == name:
                return claim, name
        for claim in self.explicit(name, network):
            return claim, claim.private
        for mapping in catalogue().candidates(name):
            for claim in self.seen(network):
                if claim.private == mapping.name and name in claim.publics:
                    return claim, mapping.name
        return None

    def explicit(self, public: Name, network: NetworkIndex) -> list[ReferenceVariant]:
        """Return the claims to which a public name leads although the catalogue does not derive their private name."""
        derived = {mapping.name for mapping in catalogue().candidates(public)}
        found = [claim for claim in self.seen(network) if public in claim.publics and claim.private not in derived]
        return sorted(found, key=lambda claim: claim.private)

    def wildcard_owner(self, name: Name, network: NetworkIndex) -> tuple[ReferenceVariant, Name] | None:
        star = self.star(name, network)
        for claim in self.seen(network):
            if claim.private == star:
                return claim, name
        if star is None:
            return None
        for claim in self.explicit(star, network):
            private = Name(name[: -len(parent(star))] + parent(claim.private))
            if is_wildcard(claim.private) and len(private) <= 255 and claim.private == self.star(private, network):
                return claim, private
        for mapping in catalogue().candidates(name):
            for claim in self.seen(network):
                if star in claim.publics and claim.private == self.star(mapping.name, network):
                    return claim, mapping.name
        return None

    def owned(
        self, claim: ReferenceVariant, private: Name, name: Name, qtype: int, network: NetworkIndex, *, made: bool
    ) -> Outcome:
        zone = self.zone_over(private, network)
        ttl, chain = self.terms(zone).ttl or 0, self.terms(zone).chain
        home = name if claim.zone is None or zone is None else zone
        covered = chain == "auto" and catalogue().forwarded_suffix(name, private) is not None
        if private != name and (chain == "cname" or covered):
            rrset = RRset(name, CNAME, ttl, (private,))
            if qtype in (CNAME, ANY):
                return Found((rrset,), home, DataOrigin.PRIVATE, (), made)
            return Alias((rrset,), private, home, DataOrigin.PRIVATE, (), made)
        if claim.refused:
            return Failure(FailureReason.REFUSED, home, ())
        if qtype == A or (qtype == ANY and claim.a):
            rtype, rdatas = A, claim.a
        elif qtype in (AAAA, ANY):
            rtype, rdatas = AAAA, claim.aaaa
        else:
            rtype, rdatas = qtype, ()
        if rdatas:
            return Found((RRset(name, rtype, ttl, rdatas),), home, DataOrigin.PRIVATE, (), made)
        if private != name or claim.zone is None:
            return NoData(self.made_soa(name, zone), home, DataOrigin.PRIVATE, (), made)
        return NoData(self.soa(home), home, DataOrigin.PRIVATE, (), made)

    def terms(self, zone: Name | None) -> ZonePolicy:
        """Return the zone's policy, completed by the configured defaults and then by the built-in ones."""
        given = [self.named.get(zone, ZonePolicy()) if zone is not None else ZonePolicy(), self.state.defaults]
        out = ZonePolicy(10, 10, "public", "auto")
        for policy in reversed(given):
            said = {key: value for key, value in msgspec.structs.asdict(policy).items() if value is not None}
            out = msgspec.structs.replace(out, **said)
        return out

    def made_soa(self, owner: Name, zone: Name | None) -> RRset:
        return soa(owner, self.terms(zone).negative_ttl or 0)

    def soa(self, zone: Name) -> RRset:
        if zone not in self.files:
            return self.made_soa(zone, zone)
        found = next(rrset for rrset in self.files[zone][zone] if rrset.type == SOA)
        ttl = min(found.ttl, int.from_bytes(found.rdatas[0][-4:], "big"))
        override = self.named.get(zone)
        if override is not None and override.negative_ttl is not None:
            ttl = override.negative_ttl
        return RRset(zone, SOA, ttl, found.rdatas)

    # zone files

    def records(self, held: tuple[RRset, ...], origin: Name, name: Name, at: Name, qtype: int) -> Outcome:
        made = name != at
        for rrset in held:
            if qtype in (rrset.type, ANY):
                return Found((RRset(name, rrset.type, rrset.ttl, rrset.rdatas),), origin, DataOrigin.STATIC, (), made)
        for rrset in held:
            if rrset.type == CNAME:
                cname = RRset(name, CNAME, rrset.ttl, rrset.rdatas)
                return Alias((cname,), Name(rrset.rdatas[0]), origin, DataOrigin.STATIC, (), made)
        return NoData(self.soa(origin), origin, DataOrigin.STATIC, (), made)

    def covered_by_file(self, origin: Name, name: Name, qtype: int, network: NetworkIndex) -> Outcome:
        rrset = self.redirection(origin, name, qtype)
        if rrset is not None and rrset.type == NS:
            return self.referral(rrset, origin)
        if rrset is not None:
            made = name[: len(name) - len(rrset.owner)] + rrset.rdatas[0]
            if len(made) > 255:
                return TooLong((rrset,), origin, ())
            cname = RRset(name, CNAME, rrset.ttl, (made,))
            if qtype in (CNAME, ANY):
                return Found((rrset, cname), origin, DataOrigin.STATIC, (), wildcard=True)
            return Alias((rrset, cname), Name(made), origin, DataOrigin.STATIC, ())
        if self.exists(name, network):
            return NoData(self.soa(origin), origin, DataOrigin.STATIC, ())
        star = self.star(name, network)
        if star in self.files[origin]:
            return self.records(self.files[origin][star], origin, name, star, qtype)
        if star is not None and self.exists(star, network):
            return NoData(self.soa(origin), origin, DataOrigin.STATIC, (), wildcard=True)
        override = self.named.get(origin)
        on_miss = override.on_miss if override is not None and override.on_miss else "nxdomain"
        return self.by_policy(on_miss, origin, DataOrigin.STATIC)

    def from_parent(self, child: Name) -> Outcome:
        """Answer DS at the apex of a zone file from the zone file above it."""
        if child == ROOT:
            return NoData(self.soa(child), child, DataOrigin.STATIC, ())
        origin = self.file_over(parent(child))
        if origin is None:
            return Outside((), apex=self.soa(child))
        rrset = self.redirection(origin, child, DS)
        if rrset is not None and rrset.type == NS:
            return self.referral(rrset, origin)
        if rrset is None and child in self.files[origin]:
            return self.records(self.files[origin][child], origin, child, child, DS)
        return NoData(self.soa(origin), origin, DataOrigin.STATIC, ())

    def referral(self, ns: RRset, origin: Name) -> Outcome:
        glue = [g for host in ns.rdatas for g in self.files[origin].get(Name(host), ()) if g.type in (A, AAAA)]
        return Referral(Name(ns.owner), ns, tuple(glue), origin, ())

    def missed(self, zone: Name, name: Name, qtype: int, network: NetworkIndex) -> Outcome:
        if name == zone and qtype in (SOA, ANY):
            return Found((self.soa(zone),), zone, DataOrigin.PRIVATE, ())
        if name == zone and qtype == DS:
            return Outside((), apex=self.soa(zone))
        if name == zone or self.exists(name, network):
            return NoData(self.soa(zone), zone, DataOrigin.PRIVATE, ())
        star = self.star(name, network)
        if star is not None and self.exists(star, network) and not self.is_in_a_file(star):
            return NoData(self.soa(zone), zone, DataOrigin.PRIVATE, (), wildcard=True)
        return self.by_policy(str(self.terms(zone).on_miss), zone, DataOrigin.POLICY)

    def is_in_a_file(self, name: Name) -> bool:
        origin = self.file_over(name)
        return origin is not None and name in self.files[origin] and self.is_authoritative(origin, name, DS)

    def by_policy(self, on_miss: str, zone: Name, origin: DataOrigin) -> Outcome:
        match on_miss:
            case "nxdomain":
                return NxDomain(self.soa(zone), zone, origin, ())
            case "nodata":
                return NoData(self.soa(zone), zone, origin, (), True)  # noqa: FBT003 - a field
            case "servfail":
                return Failure(FailureReason.MISS, zone, ())
            case "public":
                return Outside((), zone)
        return Outside((), zone, on_miss.removeprefix("forward:"))

    def pointer(self, name: Name, qtype: int, network: NetworkIndex) -> Outcome | None:
        hosts = {
            host
            for claim in self.seen(network)
            if any(reverse(address) == name for address in claim.a + claim.aaaa)
            for host in claim.publics or (claim.private,)
            if not is_wildcard(host)
        }
        if not hosts:
            return None
        if qtype not in (PTR, ANY):
            return NoData(self.made_soa(name, None), name, DataOrigin.PTR, ())
        host = min(hosts, key=canonical_key)
        return Found((RRset(name, PTR, self.terms(None).ttl or 0, (host,)),), name, DataOrigin.PTR, ())
