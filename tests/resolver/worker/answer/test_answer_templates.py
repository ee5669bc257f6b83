"""Answers made from templates: the same octets as those of the engine, and only for names that are alike."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from resolver.settings import UpstreamGroup, WorkerSettings, Zones
from resolver.worker.access.clients import Client
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer import answer_templates
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from tests.conftest import query
from tests.replies import Replies
from zones.claims.policy import DEFAULTS, ZonePolicy
from zones.claims.row import ALONE, BY_RULE, REFUSED, ClassNumber, Variant, pack
from zones.clocks import steady_clock, wall_clock
from zones.dns.name import Name, from_text
from zones.dns.record import SOA, A, RRset, soa
from zones.networks.network import Network, NetworkMask
from zones.networks.prefixes import NetworkIndex
from zones.table.table import Touched

PLAIN: Final = WorkerSettings(
    (),
    ("0.0.0.0/0",),
    networks=(Network("weu", ("10.1.0.0/16",)), Network("neu", ("10.2.0.0/16",))),
    upstreams=(UpstreamGroup("public", ()),),
)
UDP, TCP = ClientTransport("udp", 1232), ClientTransport("tcp")
BLOB, PRIVATE = "blob.core.windows.net", "privatelink.blob.core.windows.net"


class _Timer:
    def cancel(self) -> None: ...


class World:
    """A responder with its parts. `fresh_reply` returns the reply of an engine that has answered nothing before."""

    def __init__(
        self, worker: WorkerSettings = PLAIN, overrides: dict[str, ZonePolicy] | None = None, on_miss: str | None = None
    ) -> None:
        defaults = ZonePolicy(**{**structs.asdict(DEFAULTS), "on_miss": on_miss or DEFAULTS.on_miss})
        worker = structs.replace(worker, zones=Zones(defaults, overrides or {}))
        self.parts = compose(worker, Clock(steady_clock(lambda: 1.0), wall_clock(lambda: 1.0), lambda *_: _Timer()))
        self.table = self.parts.table
        self.table.awaited = frozenset()
        self.table.masks = {ClassNumber(mask): NetworkMask(mask) for mask in (0b01, 0b10, 0b11)}
        self.counters = self.parts.counters
        self.engine = self.parts.engine
        self.answers = self.parts.answers
        self.responder = self._responder(self.answers)
        self.made = 0
        """Number of answers that the engine made for `reply`."""
        self._count_engine()

    def _responder(self, answers: AnswerCache) -> Responder:
        return Responder(replace(self.parts, answers=answers), lambda *_: None)

    def _count_engine(self) -> None:
        answer = self.engine.answer

        def counted(*arguments: object) -> object:
            self.made += 1
            return answer(*arguments)  # type: ignore[arg-type]

        self.engine.answer = counted  # type: ignore[assignment, method-assign]

    def row(self, label: str, *variants: Variant, below: str = PRIVATE) -> None:
        """Set the row of a private name; without variants the row is removed."""
        self.touched(self.table.apply(from_text(f"{label}.{below}"), pack(variants) if variants else b""))

    def static(self, origin: str, name: str, *rrsets: RRset) -> None:
        self.touched(self.table.apply_static(from_text(origin), from_text(name), rrsets, is_open=False))

    def touched(self, touched: Touched) -> None:
        self.answers.evict(touched.names, touched.subtrees)

    def reply(self, packet: bytes, network: int = 0, transport: ClientTransport = UDP) -> bytes | None:
        """Return the reply; None if an upstream is asked."""
        return _asked(self.responder, packet, network, transport)

    def fresh_reply(self, packet: bytes, network: int = 0, transport: ClientTransport = UDP) -> bytes | None:
        before = self.made
        reply = _asked(self._responder(AnswerCache(2)), packet, network, transport)
        self.made = before
        return reply


def _asked(responder: Responder, packet: bytes, network: int, transport: ClientTransport) -> bytes | None:
    replies = Replies()
    if not responder.repeat(packet, NetworkIndex(network), replies.take):
        assert responder.take(packet, Client(b"\x0a\1\0\1", NetworkIndex(network)), transport, replies.take)
    return replies[0] if replies else None


def one(address: int, networks: int = 3, flags: int = BY_RULE) -> Variant:
    """Return a row like that of nearly every endpoint: one address."""
    return Variant(ClassNumber(networks), flags, (address.to_bytes(4, "big"),), (), ())


Ask = Callable[..., bytes]


@pytest.fixture
def world() -> World:
    world = World()
    for i in range(8):
        world.row(f"acct{i}", one(0x0A010000 + i))
    return world


@pytest.mark.parametrize("below", [BLOB, PRIVATE])
@pytest.mark.parametrize("qtype", ["A", "AAAA", "HTTPS"])
@pytest.mark.parametrize("options", [(), ("noedns",), ("do", "cd")])
def test_siblings_are_answered_without_the_engine(
    world: World, ask: Ask, below: str, qtype: str, options: tuple[str, ...]
) -> None:
    assert world.reply(ask(f"acct0.{below}", qtype, *options))
    packets = [ask(f"{label}.{below}", qtype, *options, ident=7) for label in ("acct1", "aCCt2", "ACCT3")]
    assert world.made == 1
    for packet in packets:
        assert world.reply(packet) == world.fresh_reply(packet) is not None
    assert world.made == 1
    for packet in packets:  # now from the cache
        assert world.reply(packet) == world.fresh_reply(packet)
    assert len(world.answers) == 4


def test_a_siblings_answer_is_evicted_by_its_own_names(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{BLOB}"))
    packet = ask(f"acct1.{BLOB}")
    before = world.reply(packet)
    world.row("acct1", one(0x0A020202))
    after = world.reply(packet)
    assert before != after == world.fresh_reply(packet)
    assert world.made == 1


def test_other_networks_that_a_sibling_is_visible_to_make_no_difference(world: World, ask: Ask) -> None:
    world.row("acct1", one(0x0A010101, networks=1))
    world.reply(ask(f"acct0.{BLOB}"))
    packet = ask(f"acct1.{BLOB}")
    assert world.reply(packet) == world.fresh_reply(packet)
    assert world.made == 1
    assert world.reply(packet, 1) is None  # an upstream is asked


def test_a_siblings_answer_counts_as_its_model_does(world: World, ask: Ask) -> None:
    for i in range(4):
        world.reply(ask(f"acct{i}.{PRIVATE}"))
    assert ("dns_responses_total", ("NOERROR", PRIVATE, "weu", "private"), 4) in world.counters.values()


def test_a_reply_over_tcp_is_made_alike(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{BLOB}"), transport=TCP)
    packet = ask(f"acct1.{BLOB}")
    assert world.reply(packet, transport=TCP) == world.fresh_reply(packet, transport=TCP)
    assert world.made == 1


@pytest.mark.parametrize(
    "variants",
    [
        (),
        (one(1, networks=2),),
        (one(1, flags=BY_RULE | REFUSED),),
        (one(1, flags=ALONE),),
        (Variant(ClassNumber(3), BY_RULE, (b"\x0a\1\1\1", b"\x0a\1\1\2"), (), ()),),
        (Variant(ClassNumber(3), BY_RULE, (), (bytes(16),), ()),),
        (Variant(ClassNumber(3), 0, (b"\x0a\1\1\1",), (), ()),),
        (Variant(ClassNumber(3), 0, (b"\x0a\1\1\1",), (), (from_text("other.blob.core.windows.net"),)),),
        (one(1, networks=1), one(2, networks=2)),
    ],
)
@pytest.mark.parametrize("below", [BLOB, PRIVATE])
@pytest.mark.parametrize("qtype", ["A", "AAAA"])
def test_the_engine_answers_for_a_name_unlike_its_siblings(
    world: World, ask: Ask, variants: tuple[Variant, ...], below: str, qtype: str
) -> None:
    world.row("else7", *variants)
    world.reply(ask(f"acct0.{below}", qtype))
    packet = ask(f"else7.{below}", qtype)
    assert world.reply(packet) == world.fresh_reply(packet)
    assert world.made >= 2


def test_the_engine_answers_for_names_in_the_configuration_or_a_zone_file(ask: Ask) -> None:
    dropped = f"drop1.{BLOB}"
    named = f"zone1.{PRIVATE}"
    world = World(structs.replace(PLAIN, drop_names=(dropped,)), {named: ZonePolicy(ttl=77)})
    for label in ("acct1", "drop1", "zone1", "file1"):
        world.row(label, one(0x0A010101))
    own = f"file1.{BLOB}"
    world.static(own, own, soa(from_text(own), 60), RRset(from_text(own), 1, 60, (b"\xc0\0\2\1",)))
    world.reply(ask(f"acct1.{BLOB}"))
    world.reply(ask(f"acct1.{PRIVATE}"))
    for label in ("drop1", "zone1", "file1"):
        for below in (BLOB, PRIVATE):
            packet = ask(f"{label}.{below}")
            assert world.reply(packet) == world.fresh_reply(packet), packet


def test_a_zone_files_record_for_one_sibling_is_not_given_for_others(world: World, ask: Ask) -> None:
    world.static(PRIVATE, PRIVATE, soa(from_text(PRIVATE), 60))
    world.static(PRIVATE, f"acct1.{PRIVATE}", RRset(from_text(f"acct1.{PRIVATE}"), 1, 60, (b"\xc0\0\2\1",)))
    for label in ("acct0", "acct1", "acct2"):
        for below in (BLOB, PRIVATE):
            packet = ask(f"{label}.{below}")
            assert world.reply(packet) == world.fresh_reply(packet), packet


def test_a_row_at_the_public_name_itself_comes_first(world: World, ask: Ask) -> None:
    world.row("acct1", one(0x0A090909, flags=ALONE), below=BLOB)
    world.reply(ask(f"acct0.{BLOB}"))
    packet = ask(f"acct1.{BLOB}")
    assert world.reply(packet) == world.fresh_reply(packet)


def test_the_first_of_several_private_names_comes_first(world: World, ask: Ask) -> None:
    default, second = "privatelink.wvd.microsoft.com", "privatelink-global.wvd.microsoft.com"
    for label, below in (("acct0", second), ("acct1", second), ("acct1", default)):
        world.row(label, one(len(below)), below=below)
    world.reply(ask("acct0.wvd.microsoft.com"))
    packet = ask("acct1.wvd.microsoft.com")
    assert world.reply(packet) == world.fresh_reply(packet)
    assert world.made == 2


def test_a_row_longer_than_those_of_its_siblings(world: World, ask: Ask) -> None:
    world.row("acct0", one(1, networks=1))
    world.row("acct1", one(2, networks=1), one(3, networks=2))
    world.reply(ask(f"acct0.{PRIVATE}"))
    packet = ask(f"acct1.{PRIVATE}")
    assert world.reply(packet) == world.fresh_reply(packet)
    assert world.made == 2


def explicit(public: str, address: int = 0x0A030303) -> Variant:
    """Return a row that stores its public name."""
    return Variant(ClassNumber(3), 0, (address.to_bytes(4, "big"),), (), (from_text(public),))


def test_an_explicit_private_name_of_one_sibling_comes_first(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{BLOB}"))
    packet = ask(f"acct1.{BLOB}")
    world.row("other", explicit(f"acct1.{BLOB}"))
    assert world.reply(packet) == world.fresh_reply(packet)
    assert b"\x05other" in (world.reply(packet) or b"")
    world.row("other")
    assert world.reply(packet) == world.fresh_reply(packet)


def test_a_name_that_leads_elsewhere_by_an_explicit_row_has_no_template(world: World, ask: Ask) -> None:
    world.row("portal", explicit("adf.example"), below="privatelink.adf.example")
    world.row("acct1", explicit("adf.example"))
    packet = ask("adf.example")
    assert world.reply(packet) == world.fresh_reply(packet) is not None


def test_a_label_that_the_catalogue_knows_has_no_siblings(world: World, ask: Ask) -> None:
    for label in ("elevenchars", "privatelink"):
        world.row(label, one(0x0A020202))
    world.reply(ask(f"elevenchars.{BLOB}"))
    packet = ask(f"privatelink.{BLOB}")
    assert world.reply(packet) == world.fresh_reply(packet)


def test_a_cached_answer_serves_every_spelling(world: World, ask: Ask) -> None:
    packets = [ask(f"{label}.{BLOB}") for label in ("acct0", "acct1", "aCCt1")]
    for packet in packets:
        world.reply(packet)
    assert len(world.answers) == 2
    assert world.answers.octets == sum(answer.octets for answer in world.answers)
    assert [packet[2:] in world.answers.exact[0] for packet in packets] == [True, True, True]


def test_a_new_zone_file_above_the_siblings_ends_their_template(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{PRIVATE}"))
    world.static(PRIVATE, PRIVATE, soa(from_text(PRIVATE), 60))
    world.static(PRIVATE, f"acct1.{PRIVATE}", RRset(from_text(f"acct1.{PRIVATE}"), 1, 60, (b"\xc0\0\2\1",)))
    packet = ask(f"acct1.{PRIVATE}")
    reply = world.reply(packet)
    assert reply == world.fresh_reply(packet)
    assert reply is not None
    assert b"\xc0\0\2\1" in reply


def test_a_cleared_cache_has_no_templates(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{BLOB}"))
    world.table.stale = True
    world.answers.clear()
    packet = ask(f"acct1.{BLOB}")
    assert world.reply(packet) == world.fresh_reply(packet)
    assert world.made == 2
    again = ask(f"acct2.{BLOB}")
    assert world.reply(again) == world.fresh_reply(again)
    assert world.made == 2


def test_each_network_has_its_own_templates(world: World, ask: Ask) -> None:
    world.reply(ask(f"acct0.{BLOB}"), 0)
    world.reply(ask(f"acct1.{BLOB}"), 1)
    assert world.made == 2
    assert world.reply(ask(f"acct1.{BLOB}"), -1) is None  # a client in no network


def test_templates_are_bounded(world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_templates, "LIMIT", 2)
    for payload in range(1300, 1310):
        for i in range(2):
            packet = ask(f"acct{i}.{BLOB}").replace((1232).to_bytes(2, "big"), payload.to_bytes(2, "big"))
            assert world.reply(packet) == world.fresh_reply(packet)
    assert len(world.responder._templates._templates) <= 2


@pytest.fixture(params=["nxdomain", "nodata"])
def denying(request: pytest.FixtureRequest) -> World:
    """A zone whose miss policy denies names."""
    world = World(on_miss=request.param)
    world.row("acct0", one(0x0A010000))
    return world


@pytest.mark.parametrize("qtype", ["A", "AAAA", "TYPE65280", "ANY"])
@pytest.mark.parametrize("options", [(), ("noedns",), ("do", "cd")])
@pytest.mark.parametrize("transport", [UDP, TCP])
def test_invented_names_are_denied_without_the_engine_and_not_cached(
    denying: World, ask: Ask, qtype: str, options: tuple[str, ...], transport: ClientTransport
) -> None:
    world = denying
    world.reply(ask(f"none0.{PRIVATE}", qtype, *options), transport=transport)
    for label in ("none1", "nOne1", "none2", "none3"):
        packet = ask(f"{label}.{PRIVATE}", qtype, *options, ident=9)
        assert world.reply(packet, transport=transport) == world.fresh_reply(packet, transport=transport) is not None
    assert world.made == 1
    assert len(world.answers) == 1


def test_a_denial_in_a_zone_with_provided_records_is_not_that_of_its_records(denying: World, ask: Ask) -> None:
    apex, host = from_text(PRIVATE), from_text(f"hand.{PRIVATE}")
    start, address = RRset(apex, SOA, 60, (b"\0\0" + bytes(20),)), RRset(host, A, 60, (b"\xc0\0\2\1",))
    for owner, rrset in ((apex, start), (host, address)):
        denying.touched(denying.table.apply_static(apex, owner, (rrset,), is_open=True))
    for name in (f"none.{PRIVATE}", f"hand.{PRIVATE}"):
        packet = ask(name)
        assert denying.reply(packet) == denying.fresh_reply(packet) is not None
    assert b"\xc0\0\2\1" in (denying.reply(ask(f"hand.{PRIVATE}")) or b"")


def test_denials_count_as_their_model_does(ask: Ask) -> None:
    world = World(on_miss="nxdomain")
    world.row("acct0", one(1))
    for i in range(4):
        world.reply(ask(f"none{i}.{PRIVATE}"))
    assert ("dns_responses_total", ("NXDOMAIN", PRIVATE, "weu", "policy"), 4) in world.counters.values()


def test_a_name_that_begins_to_exist_is_no_longer_denied(denying: World, ask: Ask) -> None:
    """A row at the name, below it, as a wildcard above it, a zone file, and a zone without any endpoint."""
    world = denying
    world.reply(ask(f"none0.{PRIVATE}"))
    packet = ask(f"none1.{PRIVATE}")
    before = world.reply(packet)
    for label in ("none1", "www.none1", "*"):
        world.row(label, one(0x0A010107))
        now = world.reply(packet)
        assert now == world.fresh_reply(packet), label
        assert now != before or label == "www.none1"  # an empty non-terminal is NODATA, as by policy
        world.row(label)
        assert before == world.reply(packet) == world.fresh_reply(packet), label
    world.static(PRIVATE, PRIVATE, soa(from_text(PRIVATE), 7))
    assert before != world.reply(packet) == world.fresh_reply(packet)
    world.static(PRIVATE, PRIVATE)
    world.row("acct0")
    assert world.reply(packet) is None  # an upstream is asked: the zone has no endpoint


def test_a_public_name_inside_a_private_zone_is_no_longer_denied(denying: World, ask: Ask) -> None:
    world = denying
    world.reply(ask(f"none0.{PRIVATE}"))
    packet = ask(f"none1.{PRIVATE}")
    denied = world.reply(packet)
    world.row("other", explicit(f"none1.{PRIVATE}"), below="corp.example")
    assert denied != world.reply(packet) == world.fresh_reply(packet)
    world.row("other", below="corp.example")
    assert denied == world.reply(packet) == world.fresh_reply(packet)


def test_a_zone_file_or_a_policy_for_one_missing_name(ask: Ask) -> None:
    named, dropped, own = (f"{label}.{PRIVATE}" for label in ("zone1", "drop1", "file1"))
    worker = structs.replace(PLAIN, drop_names=(dropped,))
    world = World(worker, {f"below.{named}": ZonePolicy(ttl=77)}, on_miss="nxdomain")
    world.row("acct0", one(1))
    world.static(own, own, soa(from_text(own), 60))
    world.reply(ask(f"none1.{PRIVATE}"))
    for name in (named, dropped, own):
        assert world.reply(ask(name)) == world.fresh_reply(ask(name)) != world.reply(ask(f"none2.{PRIVATE}")), name


def test_denials_are_bounded(denying: World, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_templates, "LIMIT", 3)
    for size in range(1, 20):
        for letter in "ab":
            packet = ask(f"{letter * size}.{PRIVATE}")
            assert denying.reply(packet) == denying.fresh_reply(packet)
    assert len(denying.responder._templates._denials) <= 3


LABELS = ("a", "b", "x.a", "aa", "bb", "cc", "privatelink", "elevenchars", "*")
ROWS = st.sampled_from([
    (), (one(1),), (one(2),), (one(3),), (one(3, networks=1),), (one(3, networks=2),),
    (one(4, flags=BY_RULE | REFUSED),), (one(5, flags=ALONE),), (one(6, networks=1), one(7, networks=2)),
    (Variant(ClassNumber(3), BY_RULE, (b"\x0a\1\1\1", b"\x0a\1\1\2"), (), ()),),
    (Variant(ClassNumber(3), BY_RULE, (b"\x0a\1\1\1",), (bytes(16),), ()),),
    *((explicit(f"{label}.{below}"),) for label in ("a", "bb", "*") for below in (BLOB, PRIVATE)),
])  # fmt: skip
WHERE = st.sampled_from([BLOB, PRIVATE])
SET = st.tuples(st.just("set"), st.sampled_from(LABELS), ROWS, WHERE)
FILE = st.tuples(st.just("file"), st.sampled_from(LABELS), st.booleans(), WHERE)
FLAG = st.tuples(st.just("stale"), st.booleans())
QUERY = st.tuples(
    st.just("ask"), st.sampled_from(LABELS), WHERE, st.sampled_from(["A", "AAAA", "CNAME", "ANY"]),
    st.sampled_from([(), ("do",), ("noedns",)]), st.sampled_from([0, 1]),
)  # fmt: skip


@pytest.mark.parametrize("on_miss", ["public", "nxdomain", "nodata", "servfail"])
@given(st.lists(st.one_of(SET, SET, FILE, FLAG, QUERY, QUERY, QUERY, QUERY), min_size=10, max_size=60))
@settings(max_examples=150, deadline=None)
def test_after_any_changes_replies_equal_those_of_the_engine(on_miss: str, steps: list[tuple[object, ...]]) -> None:
    world = World(PLAIN, {f"cc.{PRIVATE}": ZonePolicy(ttl=77)}, on_miss)
    for step in steps:
        match step:
            case ("set", str(label), tuple(variants), str(below)):
                world.row(label, *variants, below=below)
            case ("file", str(label), bool(there), str(below)):
                name = Name(from_text(f"{label}.{below}"))
                world.static(
                    f"{label}.{below}", f"{label}.{below}",
                    *((soa(name, 60), RRset(name, 1, 60, (b"\xc0\0\2\1",))) if there else ()),
                )  # fmt: skip
            case ("stale", bool(stale)):
                if world.table.stale != stale:
                    world.table.stale = stale
                    world.answers.clear()
            case ("ask", str(label), str(below), str(qtype), tuple(options), int(network)):
                packet = query(f"{label}.{below}", qtype, *options)
                assert world.reply(packet, network) == world.fresh_reply(packet, network)
