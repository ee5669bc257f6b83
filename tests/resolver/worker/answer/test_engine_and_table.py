"""The engine agrees with the table, whatever the rows, the question and the changes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.settings import Accepted, ControlSettings, Server, UpstreamGroup, WorkerSettings
from resolver.wire import codes
from zones.claims.row import ALONE, BY_RULE, REFUSED, ClassNumber, Variant, pack
from zones.dns import zonefile
from zones.dns.name import ROOT, Name, from_text, to_text
from zones.dns.record import ANY, CNAME, A, RRset
from zones.networks.network import Network, NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table import outcome

if TYPE_CHECKING:
    from tests.conftest import FakeUpstream, Pipeline
from tests.resolver.worker.answer.test_engine import Build

ZONE = """$ORIGIN corp.example.
$TTL 300
@ SOA ns h 1 2 3 4 60
www A 10.9.0.1
www AAAA fd00::1
alias CNAME www
store CNAME a.blob.core.windows.net.
out CNAME www.example.
loop CNAME loop2
loop2 CNAME loop
*.wild A 10.9.0.2
child NS ns.child
ns.child A 10.9.0.3
old DNAME new.corp.example.
x.new TXT "moved"
"""
PRIVATE = [
    "a.privatelink.blob.core.windows.net", "b.privatelink.blob.core.windows.net",
    "*.privatelink.blob.core.windows.net", "x.y.privatelink.blob.core.windows.net",
    "kv.privatelink.vaultcore.azure.net",
]  # fmt: skip
LONE = ["db.internal.example", "*.internal.example", "db.corp.example"]
ASKED = [
    *PRIVATE, *LONE, "a.blob.core.windows.net", "b.blob.core.windows.net", "c.blob.core.windows.net",
    "kv.vault.azure.net",
    "privatelink.blob.core.windows.net", "y.privatelink.blob.core.windows.net", "n.internal.example", "www.example",
    "www.corp.example", "alias.corp.example", "store.corp.example", "out.corp.example", "loop.corp.example",
    "n.wild.corp.example", "none.corp.example", "w.child.corp.example", "x.old.corp.example", "corp.example",
    "files.example", "1.0.0.10.in-addr.arpa", "9.0.0.10.in-addr.arpa", ".", "localhost",
]  # fmt: skip
FILES = from_text("files.example")
UPSTREAMS = b"\xc0\0\2\1"
ADDRESS4 = st.integers(1, 4).map(lambda i: bytes((10, 0, 0, i)))
ADDRESS6 = st.integers(1, 3).map(lambda i: bytes(15) + bytes((i,)))


def variant(number: int) -> st.SearchStrategy[Variant]:
    fours, sixes = (st.lists(each, max_size=3, unique=True).map(tuple) for each in (ADDRESS4, ADDRESS6))
    return st.builds(Variant, st.just(number), st.sampled_from([BY_RULE, BY_RULE, REFUSED]), fours, sixes, st.just(()))


ROW = st.one_of(
    st.lists(variant(1), min_size=1, max_size=1), st.lists(variant(3), min_size=1, max_size=1),
    st.tuples(variant(1), variant(2)).map(list),
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from(PRIVATE + LONE), ROW, max_size=6)
TYPES = ["A", "AAAA", "CNAME", "HTTPS", "TYPE97", "SOA", "NS", "PTR", "ANY", "TXT", "DS"]
CLIENTS = {"127.0.1.1": 0, "127.0.2.1": 1, "127.0.9.9": NONE}


class AskedQuestion(NamedTuple):
    name: str
    rtype: str
    options: set[str]
    client: str


QUESTIONS = st.lists(
    st.builds(
        AskedQuestion,
        st.sampled_from(ASKED),
        st.sampled_from(TYPES),
        st.sets(st.sampled_from(["do", "cd", "ad", "noedns", "norec"])),
        st.sampled_from(list(CLIENTS)),
    ),
    min_size=1,
    max_size=12,
)


def assembled(
    pipeline_of: type["Pipeline"], upstream: "FakeUpstream", rows: dict[str, list[Variant]], without: set[Name]
) -> "Pipeline":
    networks = (Network("one", ("127.0.1.0/24",)), Network("two", ("127.0.2.0/24",)))
    groups = (UpstreamGroup("public", (Server("udp", "127.0.0.1", 9),)),)
    worker = WorkerSettings(listen=(), allow=("127.0.0.0/8",), networks=networks, upstreams=groups)
    pipeline = pipeline_of(
        Accepted("", worker, ControlSettings(networks=networks)), {"public": upstream}, {9: upstream}
    )
    pipeline.start()
    table = pipeline.table
    table.masks.update({ClassNumber(mask): NetworkMask(mask) for mask in (0b01, 0b10, 0b11)})
    for text, variants in rows.items():
        table.apply(from_text(text), packed(text, variants))
    zone = zonefile.parse(ZONE, "zone")
    for name, rrsets in zone.names.items():
        if name not in without:
            table.apply_static(zone.origin, name, rrsets, is_open=False)
    return pipeline


def packed(text: str, variants: list[Variant]) -> bytes:
    lone = text in LONE
    return pack([v._replace(flags=v.flags & REFUSED | ALONE) if lone else v for v in variants]) if variants else b""


Records = list[tuple[str, int, bytes]]


def expected(pipeline: "Pipeline", name: Name, rtype: int, network: int, *, rd: bool) -> tuple[int, Records]:
    """Return the rcode and the answer section that follow from the table. The upstream has an A record for any name."""
    answer: Records = []
    for _ in range(12):
        match pipeline.table.lookup(name, rtype, NetworkIndex(network)):
            case outcome.Found(rrsets=rrsets):
                return 0, answer + records(rrsets)
            case outcome.Alias(rrsets=rrsets, target=target):
                answer += records(rrsets)
                name = target
            case outcome.NxDomain():
                return codes.NXDOMAIN, answer
            case outcome.NoData() | outcome.Referral():
                return 0, answer
            case outcome.Failure():
                return codes.SERVFAIL, []
            case outcome.Outside(apex=apex):
                if apex and not rd:
                    return 0, answer
                if not rd:
                    return 0 if answer else codes.REFUSED, answer
                if name == FILES:
                    answer.append((to_text(name), CNAME, from_text("a.blob.core.windows.net")))
                    if rtype in {CNAME, ANY}:
                        return 0, answer
                    name = from_text("a.blob.core.windows.net")
                    continue
                return 0, answer + ([(to_text(name), A, UPSTREAMS)] if rtype == A else [])
    return codes.SERVFAIL, []


def records(rrsets: tuple[RRset, ...]) -> Records:
    return [(to_text(rrset.owner), rrset.type, rdata) for rrset in rrsets for rdata in rrset.rdatas]


@pytest.fixture(scope="module")
def world_of(
    pipeline_of: type["Pipeline"], fake_upstream: type["FakeUpstream"]
) -> Callable[[dict[str, list[Variant]], set[Name]], "Pipeline"]:
    """Returns a pipeline with some rows, the zone above, and an upstream that has an A record for any name."""
    return lambda rows, without: assembled(
        pipeline_of, fake_upstream("*. 60 A 192.0.2.1\nfiles.example 60 CNAME a.blob.core.windows.net"), rows, without
    )


MISSING = st.sets(st.sampled_from(sorted(zonefile.parse(ZONE, "zone").names)), max_size=4)
World = Callable[[dict[str, list[Variant]], set[Name]], "Pipeline"]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, questions=QUESTIONS)
def test_every_reply_agrees_with_the_table(
    world_of: World,
    ask: Callable[..., bytes],
    decode: Callable[[bytes], dns.message.Message],
    rows: dict[str, list[Variant]],
    questions: list[AskedQuestion],
) -> None:
    pipeline = world_of(rows, set())
    for name, rtype, options, client in questions:
        packet = ask(name, rtype, *options)
        pipeline.cache.flush(ROOT, subtree=True)
        first = pipeline.reply(packet, client)
        assert first is not None
        assert pipeline.reply(packet, client) == first, "from the cache"
        message = decode(first)
        if name == "localhost":
            continue
        number = dns.rdatatype.from_text(rtype)
        rcode, answer = expected(pipeline, from_text(name), number, CLIENTS[client], rd="norec" not in options)
        got = [(to_text(from_text(r.name.to_text())), int(r.rdtype), r[0].to_wire()) for r in message.answer]
        assert (message.rcode(), got) == (rcode, answer)
        assert message.edns == (-1 if "noedns" in options else 0)
        if answer:
            assert bool(message.flags & dns.flags.AA) == (answer[0][2] != UPSTREAMS and name != "files.example")
            assert not message.flags & dns.flags.AD


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, later=ROWS, before=MISSING, after=MISSING, questions=QUESTIONS)
def test_after_a_change_no_reply_is_older_than_it(
    world_of: World,
    ask: Callable[..., bytes],
    rows: dict[str, list[Variant]],
    later: dict[str, list[Variant]],
    before: set[Name],
    after: set[Name],
    questions: list[AskedQuestion],
) -> None:
    pipeline, fresh = world_of(rows, before), world_of(later, after)
    packets = [(ask(q.name, q.rtype, *(q.options - {"norec"})), q.client) for q in questions]
    for packet, client in packets:
        pipeline.reply(packet, client)
    for text in PRIVATE + LONE:
        touched = pipeline.table.apply(from_text(text), packed(text, later.get(text, [])))
        pipeline.answers.evict(touched.names, touched.subtrees)
    zone = zonefile.parse(ZONE, "zone")
    for name in before ^ after:
        rrsets = zone.names[name] if name in before else ()
        touched = pipeline.table.apply_static(zone.origin, name, rrsets, is_open=False)
        pipeline.answers.evict(touched.names, touched.subtrees)
    for packet, client in packets:
        assert pipeline.reply(packet, client) == fresh.reply(packet, client)


def test_addresses_rotate_if_configured(build: Build) -> None:
    head = "$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\n"
    zone = head + "$GENERATE 1-3 w 60 A 10.0.0.$\nw 60 AAAA fd00::1\nc 60 CNAME w\n"
    for rotate in ("true", "false"):
        pipeline = build(f"{{dns: {{rotate: {rotate}}}, zones: {{files: [z.zone]}}}}", {"z.zone": zone})
        for name in ("w.corp.example", "c.corp.example"):
            seen = [
                [rr[0].address for rr in pipeline.ask(name).answer if rr.rdtype == dns.rdatatype.A] for _ in range(4)
            ]
            firsts = [each[0] for each in seen]
            assert all(sorted(each) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"] for each in seen)
            if rotate == "true":
                assert firsts == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]
                assert seen[1] == ["10.0.0.2", "10.0.0.3", "10.0.0.1"]
            else:
                assert len(set(firsts)) == 1
        assert pipeline.ask("w.corp.example", "AAAA").answer[0][0].address == "fd00::1"
        pipeline.now += 0.5
        assert {rr.ttl for rr in pipeline.ask("w.corp.example").answer} == {60}
