"""The table compared with a slow, obvious implementation of the rules, and cached answers compared with changes.

`Reference` walks plain lists of claims and records. It shares no code with the table except names and the catalogue.
The second test caches answers as a worker does, evicts what each change touches, and asks again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.zones.reference import (
    AAAA,
    CNAME,
    DNAME,
    MX,
    NETWORKS,
    NS,
    SOA,
    TYPES,
    A,
    Records,
    Reference,
    ReferenceVariant,
    State,
    ancestors,
)
from zones.azure.catalogue import catalogue
from zones.claims.policy import ZonePolicy
from zones.claims.row import restamped
from zones.dns.name import Name, from_text, is_under, labels, reverse, to_text
from zones.dns.record import RRset
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import Alias, Found, NoData, NxDomain, Outcome, Referral
from zones.table.table import Table, Touched

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
        "web.purview.azure.com", "acct.purview.azure.com", "web.privatelink.purview.azure.com", "adf.azure.com",
        "x.privatelink.foo.example", "a.x.privatelink.foo.example", "*.y.privatelink.foo.example",
        "privatelink.foo.example", "x.privatelink-eu.sub.corp.example", "*.a.inference.weu.privatelink.api.azureml.ms",
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
EXPLICIT = {
    "acct.blob.core.windows.net": ("acct.corp.example", "acct.privatelink.foo.azure.com"),
    "*.b.blob.core.windows.net": ("*.w.corp.example", "*.b.privatelink.azurecr.io"),
    "a.b.blob.core.windows.net": ("a.b.corp.example",),
    "adf.azure.com": ("x.privatelink.foo.example", "acct.privatelink.blob.core.windows.net"),
    "app.corp.example": ("acct.corp.example", "app.privatelink.blob.core.windows.net"),
    "*.sub.corp.example": ("*.corp.example", "*.sub.privatelink.blob.core.windows.net"),
}
"""By public name: private names that an endpoint has for it and that the catalogue does not derive."""
for fqdn, others in EXPLICIT.items():
    for at in map(from_text, others):
        PUBLICS[at] = (*PUBLICS.get(at, ()), from_text(fqdn))

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
        "a", "b", "*", "a.b", "*.b", "f.*.b", "f.*", "acct", "x.acct", "foo", "sub", "ns.sub", "x.sub", "*.sub", "d",
        "corp", "x.privatelink.blob", "reg.weu", "weu", "5.1.0",
    )
]  # fmt: skip
ADDRESSES4 = [bytes((10, 0, 1, last)) for last in (4, 5, 6)]
ADDRESSES6 = [bytes((0xFD, *(0 for _ in range(14)), last)) for last in (4, 5)]
MISSES = ["public", "nxdomain", "nodata", "servfail", "forward:onprem"]
NAMED = [
    "privatelink.blob.core.windows.net", "blob.core.windows.net", "b.privatelink.blob.core.windows.net", "corp.example",
    "sub.corp.example", "example", "azurecr.io", "privatelink.azurecr.io", "data.privatelink.azurecr.io", "azure.com",
    "privatelink.azure.com", "privatelink.vaultcore.azure.net", "privatelink.foo.example", "windows.net", "com",
    "weu.azmk8s.io",
]  # fmt: skip

policies = st.builds(
    ZonePolicy,
    ttl=st.sampled_from([None, 10, 60]),
    negative_ttl=st.sampled_from([None, 10, 30]),
    on_miss=st.sampled_from([None, *MISSES]),
    chain=st.sampled_from([None, "auto", "cname", "flat"]),
)


def below(origin: Name, inside: list[bytes]) -> Name:
    return Name(b"".join(bytes((len(label),)) + label for label in inside) + origin)


@st.composite
def claims_at(draw: st.DrawFn, private: Name) -> list[ReferenceVariant]:
    """Up to two variants of a private name, for different networks."""
    out = []
    seen = draw(st.tuples(*[st.integers(0, 2)] * 3))
    for wanted in {1, 2} & set(seen):
        some = st.lists(st.sampled_from(PUBLICS[private]), unique=True) if PUBLICS[private] else st.just([])
        publics = tuple(sorted(draw(some)))
        refused = draw(st.integers(0, 9)) == 0
        a = tuple(draw(st.lists(st.sampled_from(ADDRESSES4), min_size=1, max_size=2, unique=True)))
        aaaa = tuple(draw(st.lists(st.sampled_from(ADDRESSES6), max_size=1)))
        mask = sum(1 << network for network, state in enumerate(seen) if state == wanted)
        out.append(ReferenceVariant(private, mask, () if refused else a, () if refused else aaaa, publics, refused))
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
    """Names in the states, all names above them, and made-up names below."""
    held: set[Name] = {from_text("nope.blob.core.windows.net")}
    for state in parts:
        for claim in state.claims:
            held |= {claim.private, *PUBLICS.get(claim.private, ()), *map(reverse, claim.a + claim.aaaa)}
        for origin, records in state.files.items():
            held |= {origin, *records}
        held |= {from_text(text) for text in state.overrides}
    out = set(held)
    for name in held:
        for at in ancestors(name):
            out |= {at, below(at, [b"q"])}
        out.add(below(name, [b"r", b"q"]))
    return sorted(name for name in out if len(name) <= 255)


def questions(turn: int, *parts: State) -> list[tuple[Name, int, NetworkIndex]]:
    """Each probe once; types and networks take turns, A and the first network more often than others."""
    return [
        (name, TYPES[number // 2 % len(TYPES)] if number % 2 else A, NETWORKS[(1, 0, 1, 2, 1, 3)[number % 6]])
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
        found, expected = table.lookup(name, qtype, NetworkIndex(network)), reference.lookup(name, qtype, network)
        assert bare(found) == expected, (name, qtype, network)


BLOB = from_text("privatelink.blob.core.windows.net")
AROUND = [BLOB, from_text("core.windows.net"), from_text("f.*.e.privatelink.blob.core.windows.net")]


@st.composite
def starred(draw: st.DrawFn) -> State:
    """A zone of endpoints with asterisks at all depths: names of endpoints, of zone files and of the configuration."""
    paths = st.lists(st.sampled_from([b"*", b"e", b"f"]), min_size=1, max_size=4)
    owned = draw(st.lists(paths, unique_by=tuple, min_size=1, max_size=3))
    zones = draw(st.lists(paths.filter(lambda path: path[0] != b"*"), max_size=1))
    named = {to_text(below(BLOB, inside)): ZonePolicy() for inside in zones}
    files: dict[Name, Records] = {}
    for origin in draw(st.lists(st.sampled_from(AROUND), unique=True, max_size=2)):
        soa = RRset(origin, SOA, 60, (b"\0\0" + bytes(20),))
        inside = draw(st.lists(paths, unique_by=tuple, max_size=3))
        names = [below(BLOB if is_under(BLOB, origin) else origin, path) for path in inside]
        files[origin] = {name: (RRset(name, A, 60, (bytes(4),)),) for name in names}
        files[origin][origin] = (soa,)
    claims = [ReferenceVariant(below(BLOB, path), 1, (bytes(4),), (), (), refused=False) for path in owned]
    return State(claims, files, ZonePolicy(on_miss=draw(st.sampled_from(["nxdomain", "public"]))), named)


@QUICK
@given(starred())
def test_wildcards_exist_as_rfc_4592_says(state: State) -> None:
    table, reference = state.table(), Reference(state)
    for name in probes(state):
        found, expected = table.lookup(name, A, NetworkIndex(0)), reference.lookup(name, A, NetworkIndex(0))
        assert bare(found) == expected, name


# -- cached answers and changes


def evicted(kept: dict[tuple[Name, int, NetworkIndex], Outcome], touched: Touched) -> set[tuple[Name, int, int]]:
    """Return the answers that a worker evicts: an answer depends on its own name and on the outcome's `deps`."""
    return {
        key
        for key, outcome in kept.items()
        if touched.names.intersection((key[0], *outcome.deps))
        or any(is_under(dep, root) for root in touched.subtrees for dep in (key[0], *outcome.deps))
    }


def changes(table: Table, before: State, after: State) -> Iterator[Touched]:
    """Change the table from one state to the other, one name at a time."""
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
            yield table.apply_static(origin, name, now.get(name, ()), is_open=False)
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
def test_a_name_with_nxdomain_has_no_name_below_it(state: State) -> None:
    """RFC 8020: a resolver that got NXDOMAIN may deny every name below without asking."""
    state.unsynced = False
    table = state.table()
    names = probes(state)
    for network in (NONE, NetworkIndex(0)):
        outcomes = {name: table.lookup(name, A, network) for name in names}
        ours = [n for n, outcome in outcomes.items() if isinstance(outcome, Found | Alias | NoData | Referral)]
        for denied in (n for n, outcome in outcomes.items() if isinstance(outcome, NxDomain)):
            assert not [name for name in ours if is_under(name, denied)], denied
