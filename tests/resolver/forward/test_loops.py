"""Forwarding loops: found by the mark of a query, or by the server that asks it."""

from resolver.channel.frames import Loop
from resolver.forward.cache import Key
from resolver.forward.loops import AGAIN, LoopDetector
from resolver.settings import Server, UpstreamGroup
from tests.resolver.forward.exchanges import other_key
from zones.clocks import WallTime, wall_clock
from zones.dns.name import from_text

ONPREM = UpstreamGroup("onprem", (Server("udp", "10.9.0.4", 53), Server("udp", "127.0.0.5", 53)), ("corp.example",))
PUBLIC = UpstreamGroup("public", (Server("udp", "192.0.2.53", 53),))
SERVER, CLIENT, LOCAL = b"\x0a\x09\x00\x04", b"\x0a\x01\x00\x01", b"\x7f\x00\x00\x05"
NAME = from_text("host.corp.example")
KEY, PUBLIC_KEY = Key("onprem", NAME, 1), Key("public", NAME, 1)


def loops(mark: bytes = b"8 octets") -> LoopDetector:
    return LoopDetector((ONPREM, PUBLIC), mark, wall_clock(lambda: 50.0))


def test_a_query_with_our_mark_is_a_loop_only_where_it_would_go_to_the_same_group() -> None:
    it = loops()
    assert it.closed(KEY, it.mark(KEY), CLIENT)
    assert not it.closed(KEY, it.mark(PUBLIC_KEY), CLIENT), "another group asked us: it may well forward this name here"
    assert not it.closed(KEY, b"", CLIENT)
    assert not it.closed(KEY, loops(b"elsewher").mark(KEY), CLIENT), "another pldns in front of us"
    assert it.report() == [Loop("onprem", NAME, CLIENT, 1, WallTime(50.0))]
    assert it.report() == []


def test_a_server_that_repeatedly_asks_its_own_question_is_a_loop() -> None:
    it = loops()
    for _ in range(AGAIN):
        assert not it.closed(KEY, b"", SERVER)
        it.begin(KEY, b"", SERVER)
    assert it.closed(KEY, b"", SERVER)
    assert not it.closed(other_key(KEY, name=from_text("other.corp.example")), b"", SERVER)
    assert not it.closed(KEY, b"", CLIENT)
    for _ in range(AGAIN):
        it.end(KEY, SERVER)
    assert not it.closed(KEY, b"", SERVER)
    assert not it._asking, "what is over takes no room"


def test_a_loop_through_another_pldns_is_found_by_the_mark_that_it_passes_on() -> None:
    it, other = loops(), loops(b"elsewher")
    other.begin(KEY, it.mark(KEY), LOCAL)
    assert it.closed(KEY, other.mark(KEY), LOCAL)
    assert it.mark(KEY) in other.mark(KEY)
    other.end(KEY, LOCAL)
    assert not it.closed(KEY, other.mark(KEY), LOCAL), "it asks for somebody else now"
    other.begin(KEY, b"x" * 1000, LOCAL)
    assert other.mark(KEY).endswith(loops(b"elsewher").mark(KEY))
    assert len(other.mark(KEY)) == 80, "what clients bring is bounded"


def test_addresses_on_loopback_and_of_other_groups_make_no_loop() -> None:
    it = loops()
    for key, client in ((KEY, LOCAL), (Key("public", NAME, 1), SERVER)):
        for _ in range(10):
            it.begin(key, b"", client)
        assert not it.closed(key, b"", client)


def test_reported_loops_are_counted_by_name_and_limited() -> None:
    it = loops()
    for i in range(500):
        for _ in range(2):
            it.closed(Key("onprem", from_text(f"{i}.corp.example"), 1), it.mark(KEY), SERVER)
    found = it.report()
    assert len(found) == 100
    assert {item.count for item in found} == {2}
