"""The table against a slow, obvious reading of the rules, and what the worker keeps against what changes.

`Reference` walks plain lists of claims and records and shares no code with the table beyond names and the catalogue.
The second test keeps answers as a worker does, evicts by what each change says it touched, and asks again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zones.catalogue import catalogue
from zones.name import Name, canonical_key, from_text, is_under, is_wildcard, labels, parent, reverse, wildcard
from zones.network import NONE
from zones.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.policy import Policies, ZonePolicy
from zones.record import ANY, RRset, soa
from zones.served import ALONE, BY_RULE, REFUSED, Variant, pack, restamped
from zones.table import Table, Touched

A, NS, CNAME, SOA, PTR, MX, AAAA, DNAME, DS, HTTPS = 1, 2, 5, 6, 12, 15, 28, 39, 43, 65
TYPES = (A, AAAA, NS, CNAME, SOA, PTR, MX, DNAME, DS, HTTPS, ANY)
NETWORKS = (NONE, 0, 1, 2)
ROOT = Name(b"\x00")

# -- a state: what the table is given


class Claim(NamedTuple):
    """One state of a private name, in the networks of `mask`."""

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
    claims: list[Claim] = field(default_factory=list)
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
                Variant(100 + claim.mask, flags, claim.a, claim.aaaa, () if by_rule else claim.publics)
            )
        return {name: pack(each, 1) for name, each in variants.items()}

    def table(self) -> Table:
        table = Table(catalogue(), Policies(self.defaults, self.overrides))
        table.masks = {100 + mask: mask for mask in range(1, 8)}
        table.unsynced, table.awaited = self.unsynced, self.awaited
        for name, row in self.rows().items():
            table.apply(name, row)
        for origin, records in self.files.items():
            for name, rrsets in records.items():
                table.apply_static(origin, name, rrsets)
        return table


# -- the reference


def ancestors(name: Name) -> list[Name]:
    return [name] if name == ROOT else [name, *ancestors(parent(name))]


class Reference:
    """The rules in their order, over lists."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.files = {o: r for o, r in state.files.items() if any(rr.type == SOA for rr in r.get(o, ()))}
        self.named = {from_text(text): policy for text, policy in state.overrides.items()}
        self.alive = {network: {up for name in self.names(network) for up in ancestors(name)} for network in NETWORKS}

    def lookup(self, name: Name, qtype: int, network: int) -> Outcome:
        if any(is_under(name, zone) for zone in self.state.awaited):
            return Failure("unsynced", name, ())
        origin = self.file_over(name)
        if qtype == DS and origin == name:
            above = self.file_over(parent(name))
            if above and self.is_authoritative(above, name, qtype) and name in self.files[above]:
                origin = above
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
            return Failure("unsynced", name, ())
        if zone is not None and (catalogue().covers(zone) or catalogue().zone_of(zone) != zone):
            return self.missed(zone, name, qtype, network)
        return self.pointer(name, qtype, network) or Outside(())

    # what there is

    def seen(self, network: int) -> list[Claim]:
        return [claim for claim in self.state.claims if network != NONE and claim.mask >> network & 1]

    def file_over(self, name: Name) -> Name | None:
        return max((o for o in self.files if is_under(name, o)), key=len, default=None)

    def zone_over(self, name: Name, network: int) -> Name | None:
        zones = set(self.files)
        if network != NONE:
            zones |= set(self.named)
            zones |= {claim.zone for claim in self.seen(network) if claim.zone is not None}
        return max((zone for zone in zones if is_under(name, zone)), key=len, default=None)

    def redirection(self, origin: Name, name: Name, qtype: int) -> RRset | None:
        """The delegation at or above a name, or the DNAME above it, that comes first from the apex."""
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

    def names(self, network: int) -> Iterator[Name]:
        """Everything that stands in this network's tree."""
        for claim in self.seen(network):
            yield claim.private
            yield from claim.publics
        for origin, records in self.files.items():
            for name in records:
                if self.file_over(name) == origin and self.is_authoritative(origin, name, DS):
                    yield name
        if network != NONE:
            yield from self.named

    def exists(self, name: Name, network: int) -> bool:
        return name in self.alive[network]

    def star(self, name: Name, network: int) -> Name | None:
        """The wildcard that would cover a name: under its closest encloser, in its zone."""
        if self.exists(name, network):
            return None
        encloser = parent(name)
        while encloser != ROOT and not self.exists(encloser, network):
            encloser = parent(encloser)
        zone = self.zone_over(name, network)
        return wildcard(encloser) if zone is None or is_under(encloser, zone) else None

    # endpoints

    def owner(self, name: Name, network: int) -> tuple[Claim, Name] | None:
        """The claim on a name, and the private name that it leads to."""
        for claim in self.seen(network):
            if claim.private == name:
                return claim, name
        for mapping in catalogue().candidates(name):
            for claim in self.seen(network):
                if claim.private == mapping.name and name in claim.publics:
                    return claim, mapping.name
        return None

    def wildcard_owner(self, name: Name, network: int) -> tuple[Claim, Name] | None:
        star = self.star(name, network)
        for claim in self.seen(network):
            if claim.private == star:
                return claim, name
        for mapping in catalogue().candidates(name):
            for claim in self.seen(network):
                if star in claim.publics and claim.private == self.star(mapping.name, network):
                    return claim, mapping.name
        return None

    def owned(self, claim: Claim, private: Name, name: Name, qtype: int, network: int, *, made: bool) -> Outcome:
        zone = self.zone_over(private, network)
        ttl, chain = self.terms(zone).ttl or 0, self.terms(zone).chain
        home = name if claim.zone is None or zone is None else zone
        if private != name and chain == "cname":
            rrset = RRset(name, CNAME, ttl, (private,))
            if qtype in (CNAME, ANY):
                return Found((rrset,), home, "private", (), made)
            return Alias((rrset,), private, home, "private", (), made)
        if claim.refused:
            return Failure("refused", home, ())
        if qtype == A or (qtype == ANY and claim.a):
            rtype, rdatas = A, claim.a
        elif qtype in (AAAA, ANY):
            rtype, rdatas = AAAA, claim.aaaa
        else:
            rtype, rdatas = qtype, ()
        if rdatas:
            return Found((RRset(name, rtype, ttl, rdatas),), home, "private", (), made)
        if private != name or claim.zone is None:
            return NoData(self.made_soa(name, zone), home, "private", (), made)
        return NoData(self.soa(home), home, "private", (), made)

    def terms(self, zone: Name | None) -> ZonePolicy:
        """The zone's policy; what it leaves open is as the defaults say, and what they do as it is out of the box."""
        given = [self.named.get(zone, ZonePolicy()) if zone is not None else ZonePolicy(), self.state.defaults]
        out = ZonePolicy(10, 10, "public", "cname")
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
                return Found((RRset(name, rrset.type, rrset.ttl, rrset.rdatas),), origin, "static", (), made)
        for rrset in held:
            if rrset.type == CNAME:
                cname = RRset(name, CNAME, rrset.ttl, rrset.rdatas)
                return Alias((cname,), Name(rrset.rdatas[0]), origin, "static", (), made)
        return NoData(self.soa(origin), origin, "static", (), made)

    def covered_by_file(self, origin: Name, name: Name, qtype: int, network: int) -> Outcome:
        rrset = self.redirection(origin, name, qtype)
        if rrset is not None and rrset.type == NS:
            glue = [g for host in rrset.rdatas for g in self.files[origin].get(Name(host), ()) if g.type in (A, AAAA)]
            return Referral(Name(rrset.owner), rrset, tuple(glue), origin, ())
        if rrset is not None:
            made = name[: len(name) - len(rrset.owner)] + rrset.rdatas[0]
            if len(made) > 255:
                return TooLong((rrset,), origin, ())
            cname = RRset(name, CNAME, rrset.ttl, (made,))
            if qtype in (CNAME, ANY):
                return Found((rrset, cname), origin, "static", (), wildcard=True)
            return Alias((rrset, cname), Name(made), origin, "static", ())
        if self.exists(name, network):
            return NoData(self.soa(origin), origin, "static", ())
        star = self.star(name, network)
        if star in self.files[origin]:
            return self.records(self.files[origin][star], origin, name, star, qtype)
        override = self.named.get(origin)
        on_miss = override.on_miss if override is not None and override.on_miss else "nxdomain"
        return self.by_policy(on_miss, origin, "static")

    def missed(self, zone: Name, name: Name, qtype: int, network: int) -> Outcome:
        if name == zone and qtype in (SOA, ANY):
            return Found((self.soa(zone),), zone, "private", ())
        if name == zone and qtype == DS:
            return Outside(())
        if name == zone or self.exists(name, network):
            return NoData(self.soa(zone), zone, "private", ())
        return self.by_policy(str(self.terms(zone).on_miss), zone, "policy")

    def by_policy(self, on_miss: str, zone: Name, origin: str) -> Outcome:
        match on_miss:
            case "nxdomain":
                return NxDomain(self.soa(zone), zone, origin, ())
            case "nodata":
                return NoData(self.soa(zone), zone, origin, (), True)  # noqa: FBT003 - a field
            case "servfail":
                return Failure("miss", zone, ())
            case "public":
                return Outside((), zone)
        return Outside((), zone, on_miss.removeprefix("forward:"))

    def pointer(self, name: Name, qtype: int, network: int) -> Outcome | None:
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
            return NoData(self.made_soa(name, None), name, "ptr", ())
        host = min(hosts, key=canonical_key)
        return Found((RRset(name, PTR, self.terms(None).ttl or 0, (host,)),), name, "ptr", ())


# -- random states, from names that lie on, above and below each other

ARM = "Microsoft.Authorization/resourceManagementPrivateLinks"
FQDNS = [
    *((name, "", ()) for name in (
        "acct.blob.core.windows.net", "x.acct.blob.core.windows.net", "a.b.blob.core.windows.net",
        "*.blob.core.windows.net", "*.b.blob.core.windows.net", "acct.privatelink.blob.core.windows.net",
        "lone.privatelink.blob.core.windows.net", "*.privatelink.blob.core.windows.net",
        "privatelink.blob.core.windows.net", "*.core.windows.net",
        "kv.vault.azure.net", "kv.vaultcore.azure.net", "*.vault.azure.net", "a.b.vaultcore.azure.net",
        "*.vaultcore.azure.net",
        "reg.azurecr.io", "reg.weu.data.azurecr.io", "*.data.azurecr.io",
        "api.privatelink.weu.azmk8s.io", "api.sub.privatelink.weu.azmk8s.io", "sub.privatelink.weu.azmk8s.io",
        "*.sub.privatelink.weu.azmk8s.io",
        "*.env.weu.azurecontainerapps.io", "y.z.env.weu.azurecontainerapps.io",
        "foo.azure.com", "*.azure.com", "*.foo.azure.com", "foo.privatelink.azure.com",
        "app.corp.example", "*.corp.example", "*.sub.corp.example", "a.b.corp.example", "corp.example",
        "x.d.corp.example", "y.ns.sub.corp.example", "*.example", "5.1.0.10.in-addr.arpa", "*.10.in-addr.arpa",
    )),
    ("foo.wvd.microsoft.com", "Microsoft.DesktopVirtualization/workspaces", ("feed",)),
    ("foo.wvd.microsoft.com", "Microsoft.DesktopVirtualization/workspaces", ("global",)),
    ("management.azure.com", ARM, ()),
    ("foo.azure.com", ARM, ()),
    ("x.batch.azure.com", ARM, ()),
]  # fmt: skip


def stands_at(fqdn: str, kind: str, groups: tuple[str, ...]) -> Name:
    mapping = catalogue().map(from_text(fqdn), kind, groups)
    return mapping.name if mapping else from_text(fqdn)


PUBLICS: dict[Name, tuple[Name, ...]] = {}
for each in FQDNS:
    at = stands_at(*each)
    PUBLICS[at] = tuple(dict.fromkeys((*PUBLICS.get(at, ()), *({from_text(each[0])} - {at}))))

ORIGINS = [
    from_text(text) for text in (
        "example", "corp.example", "sub.corp.example", "d.corp.example", "core.windows.net", "blob.core.windows.net",
        "privatelink.blob.core.windows.net", "b.privatelink.blob.core.windows.net", "b.blob.core.windows.net",
        "a.b.privatelink.blob.core.windows.net", "data.azurecr.io", "privatelink.azurecr.io", "azurecr.io",
        "azure.com", "privatelink.azure.com", "vaultcore.azure.net", "weu.azmk8s.io", "10.in-addr.arpa", ".",
    )
]  # fmt: skip
INSIDE = [
    labels(from_text(text)) for text in (
        "a", "b", "*", "a.b", "*.b", "acct", "x.acct", "foo", "sub", "ns.sub", "x.sub", "*.sub", "d", "corp",
        "x.privatelink.blob", "reg.weu", "weu", "5.1.0",
    )
]  # fmt: skip
ADDRESSES4 = [bytes((10, 0, 1, last)) for last in (4, 5, 6)]
ADDRESSES6 = [bytes((0xFD, *(0 for _ in range(14)), last)) for last in (4, 5)]
MISSES = ["public", "nxdomain", "nodata", "servfail", "forward:onprem"]
NAMED = [
    "privatelink.blob.core.windows.net", "blob.core.windows.net", "b.privatelink.blob.core.windows.net", "corp.example",
    "sub.corp.example", "example", "azurecr.io", "privatelink.azurecr.io", "data.privatelink.azurecr.io", "azure.com",
    "privatelink.azure.com", "privatelink.vaultcore.azure.net", "windows.net", "com", "weu.azmk8s.io",
]  # fmt: skip

policies = st.builds(
    ZonePolicy,
    ttl=st.sampled_from([None, 10, 60]),
    negative_ttl=st.sampled_from([None, 10, 30]),
    on_miss=st.sampled_from([None, *MISSES]),
    chain=st.sampled_from([None, "cname", "flat"]),
)


def below(origin: Name, inside: list[bytes]) -> Name:
    return Name(b"".join(bytes((len(label),)) + label for label in inside) + origin)


@st.composite
def claims_at(draw: st.DrawFn, private: Name) -> list[Claim]:
    """Up to two states of a private name, in networks of their own."""
    out = []
    seen = draw(st.tuples(*[st.integers(0, 2)] * 3))
    for wanted in {1, 2} & set(seen):
        some = st.lists(st.sampled_from(PUBLICS[private]), unique=True) if PUBLICS[private] else st.just([])
        publics = tuple(sorted(draw(some)))
        refused = draw(st.integers(0, 9)) == 0
        a = tuple(draw(st.lists(st.sampled_from(ADDRESSES4), min_size=1, max_size=2, unique=True)))
        aaaa = tuple(draw(st.lists(st.sampled_from(ADDRESSES6), max_size=1)))
        mask = sum(1 << network for network, state in enumerate(seen) if state == wanted)
        out.append(Claim(private, mask, () if refused else a, () if refused else aaaa, publics, refused))
    return out


@st.composite
def records_of(draw: st.DrawFn, origin: Name, *, apex: bool = True) -> Records:
    """A zone file: no CNAME beside other records, nothing below a DNAME."""
    minimum = draw(st.sampled_from([5, 300]))
    rdata = b"\x00\x00" + b"".join(value.to_bytes(4, "big") for value in (1, 2, 3, 4, minimum))
    out: Records = {origin: (RRset(origin, SOA, draw(st.sampled_from([20, 600])), (rdata,)),)} if apex else {}
    for inside in draw(st.lists(st.sampled_from(INSIDE), unique_by=tuple, max_size=6)):
        name = below(origin, inside)
        kind = draw(st.sampled_from(["a", "a", "mx", "cname", "ns", "dname"]))
        hosts = (below(origin, [b"ns", b"sub"]), from_text("acct.blob.core.windows.net"), below(origin, [b"a"]))
        target = draw(st.sampled_from(hosts))
        rrsets = {
            "a": (RRset(name, A, 60, (ADDRESSES4[0],)), RRset(name, AAAA, 60, (ADDRESSES6[0],))),
            "mx": (RRset(name, MX, 60, (b"\x00\x01" + target,)),),
            "cname": (RRset(name, CNAME, 60, (target,)),),
            "ns": (RRset(name, NS, 60, (target,)),),
            "dname": (RRset(name, DNAME, 60, (target,)),),
        }[kind]  # fmt: skip
        out[name] = rrsets
    dnames = [name for name, rrsets in out.items() if rrsets[0].type == DNAME]
    return {n: r for n, r in out.items() if not any(n != d and is_under(n, d) for d in dnames)}


@st.composite
def states(draw: st.DrawFn) -> State:
    privates = draw(st.lists(st.sampled_from(sorted(PUBLICS)), unique=True, min_size=2, max_size=9))
    origins = draw(st.lists(st.sampled_from(ORIGINS), unique=True, max_size=3))
    return State(
        [claim for private in privates for claim in draw(claims_at(private))],
        {origin: draw(records_of(origin, apex=draw(st.integers(0, 9)) > 0)) for origin in origins},
        draw(policies),
        draw(st.dictionaries(st.sampled_from(NAMED), policies, max_size=3)),
        draw(st.integers(0, 4)) == 0,
        frozenset(draw(st.lists(st.sampled_from(ORIGINS[:-1]), max_size=1))) if draw(st.integers(0, 9)) == 0 else
        frozenset(),
    )  # fmt: skip


def probes(*parts: State) -> list[Name]:
    """Names that the states hold, all above them, and made-up ones below."""
    held: set[Name] = {from_text("nope.blob.core.windows.net")}
    for state in parts:
        for claim in state.claims:
            held |= {claim.private, *PUBLICS[claim.private], *map(reverse, claim.a + claim.aaaa)}
        for origin, records in state.files.items():
            held |= {origin, *records}
        held |= {from_text(text) for text in state.overrides}
    out = set(held)
    for name in held:
        for at in ancestors(name):
            out |= {at, below(at, [b"q"])}
        out.add(below(name, [b"r", b"q"]))
    return sorted(name for name in out if len(name) <= 255)


def questions(turn: int, *parts: State) -> list[tuple[Name, int, int]]:
    """Each probe once; types and networks take turns, A and the first network more often than others."""
    return [
        (name, TYPES[number // 2 % len(TYPES)] if number % 2 else A, (0, NONE, 0, 1, 0, 2)[number % 6])
        for number, name in enumerate(probes(*parts), turn)
    ]


def bare(outcome: Outcome) -> Outcome:
    return msgspec.structs.replace(outcome, deps=())


turns = st.integers(0, 131)
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@QUICK
@given(states(), turns)
def test_the_table_answers_as_the_reference_does(state: State, turn: int) -> None:
    table, reference = state.table(), Reference(state)
    for name, qtype, network in questions(turn, state):
        found, expected = table.lookup(name, qtype, network), reference.lookup(name, qtype, network)
        assert bare(found) == expected, (name, qtype, network)


# -- what is kept, and what changes


def evicted(kept: dict[tuple[Name, int, int], Outcome], touched: Touched) -> set[tuple[Name, int, int]]:
    """Which answers the worker drops: each is indexed under the name it was asked for and those that decided it."""
    return {
        key
        for key, outcome in kept.items()
        if touched.names.intersection((key[0], *outcome.deps))
        or any(is_under(dep, root) for root in touched.subtrees for dep in (key[0], *outcome.deps))
    }


def changes(table: Table, before: State, after: State) -> Iterator[Touched]:
    """Bring the table from one state to the other, a name at a time."""
    old, new = before.rows(), after.rows()
    for name in sorted({*old, *new}):
        if name in new:
            yield table.apply(name, restamped(new[name], 2))
        elif name[1] & 1:  # the others are left to the sweep
            yield table.apply(name, b"")
    for origin in sorted({*before.files, *after.files}):
        was: Mapping[Name, tuple[RRset, ...]] = before.files.get(origin, {})
        now: Mapping[Name, tuple[RRset, ...]] = after.files.get(origin, {})
        for name in sorted({*was, *now}, key=lambda name: (name in now, name)):
            yield table.apply_static(origin, name, now.get(name, ()))
    swept = list(table.sweep(2))
    yield Touched(set().union(*(t.names for t in swept)), set().union(*(t.subtrees for t in swept)))


@QUICK
@given(states(), states(), turns)
def test_a_kept_answer_that_no_change_touched_is_still_right(before: State, after: State, turn: int) -> None:
    after = replace(after, defaults=before.defaults, overrides=before.overrides, unsynced=before.unsynced)
    after.awaited = before.awaited
    table = before.table()
    asked = questions(turn, before, after)
    kept = {key: table.lookup(*key) for key in asked}
    for touched in changes(table, before, after):
        gone = evicted(kept, touched)
        for key in asked:
            now = table.lookup(*key)
            assert key in gone or bare(now) == bare(kept[key]), (key, kept[key], touched)
            if key in gone:
                kept[key] = now
    fresh = after.table()
    for key in asked:
        assert table.lookup(*key) == fresh.lookup(*key), key
    assert len(table) == len(fresh)
    assert table.static.keys() == fresh.static.keys()
    for network in NETWORKS:
        assert table.zones(network) == fresh.zones(network)


@QUICK
@given(states())
def test_what_an_nxdomain_denies_has_nothing_below_it(state: State) -> None:
    """RFC 8020: a resolver that has heard NXDOMAIN may deny every name below without asking."""
    state.unsynced = False
    table = state.table()
    names = probes(state)
    for network in (NONE, 0):
        outcomes = {name: table.lookup(name, A, network) for name in names}
        ours = [n for n, outcome in outcomes.items() if isinstance(outcome, Found | Alias | NoData | Referral)]
        for denied in (n for n, outcome in outcomes.items() if isinstance(outcome, NxDomain)):
            assert not [name for name in ours if is_under(name, denied)], denied
