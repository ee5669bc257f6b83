"""What control remembers of changes, and the frames that it makes."""

import asyncio

import pytest

from resolver import channel, feed, settings
from resolver.channel import DOWN_LIMIT, Ask, Down, Frames, Hello, Reply, Rows, Static
from resolver.estate import Estate
from resolver.feed import Feed, Link
from zones.name import Name, from_text
from zones.network import Network
from zones.record import SOA, RRset
from zones.zonefile import Zone


def test_since_at_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_REMEMBERED", 3)
    a, b, c, d = (from_text(f"{letter}.example") for letter in "abcd")
    fed = Feed(Estate(settings.Control()))
    assert fed.since(fed.epoch, 0) == set()
    assert fed.since(fed.epoch, 1) is None
    assert fed.since("another", 0) is None
    fed.changed([a])
    fed.changed([])  # nothing is other than before
    fed.complete = True
    fed.changed([])
    fed.changed([b, a])
    assert [fed.since(fed.epoch, serial) for serial in range(-1, 5)] == [None, {a, b}, {a, b}, {a, b}, set(), None]
    fed.changed([c])
    assert fed.since(fed.epoch, 0) == {a, b, c}
    fed.changed([d])  # one of the two of serial 3 is forgotten
    assert fed.since(fed.epoch, 2) is None
    assert fed.since(fed.epoch, 3) == {c, d}
    assert fed.since(fed.epoch, 4) == {d}


def test_no_frame_is_longer_than_a_worker_takes() -> None:
    """Names that hundreds of networks see differently, and names with many records."""
    estate = Estate(settings.Control())
    estate.ledger.rows = {from_text(f"n{number}.example"): bytes(50_000) for number in range(400)}
    origin = from_text("corp.example")
    soa = RRset(origin, SOA, 60, (b"\0\0" + bytes(20),))
    names = {Name(bytes((1, 97 + number % 26)) * (number // 26 + 1) + origin): number for number in range(100)}
    many = {
        name: (RRset(name, 16, 60, tuple(bytes((number,)) * 1_000 for _ in range(200))),)
        for name, number in names.items()
    }
    estate.set_static({origin: Zone(origin, soa, {origin: (soa,), **many})}, 0.0)
    fed = Feed(estate)
    frames = [*fed.snapshot(1), *fed.changes(estate.ledger.rows)]
    assert all(len(channel.encode(frame)) < DOWN_LIMIT for frame in frames)
    assert sum(len(frame.rows) for frame in frames if isinstance(frame, Rows)) == 800
    assert sum(len(frame.names) for frame in frames if isinstance(frame, Static)) == 101


def test_classes_go_once() -> None:
    estate = Estate(settings.Control(networks=(Network("first", ()),), auto=True))
    fed = Feed(estate)
    assert fed.masks(0, 0) == (0, 0, None)
    first = estate.ledger.classes.number(0b1)
    assert fed.masks(0, 0) == (1, 1, channel.Masks([(first, b"\x01")], ["first"]))
    later = [f"n{i}" for i in range(9)]
    assert [estate.networks.index(name) for name in later] == list(range(1, 10))
    assert fed.masks(1, 1) == (1, 1, None)
    second = estate.ledger.classes.number(1 << 9)
    assert fed.masks(1, 1) == (2, 10, channel.Masks([(second, b"\x00\x02")], later))
    assert fed.masks(2, 10) == (2, 10, None)


class Sink:
    """A stream that takes everything."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes | bytearray) -> None:
        self.taken += data

    async def drain(self) -> None:
        """There is always room."""


async def test_a_request_is_answered_by_its_reply_alone() -> None:
    sink = Sink()
    link = Link(Feed(Estate(settings.Control())), 0, Hello(0, 1, "worker", "", 0, 0), sink)
    asking = [asyncio.ensure_future(link.ask("stat", part=part)) for part in ("a", "b", "c")]
    await asyncio.sleep(0)
    first, second, third = Frames[Down](DOWN_LIMIT, Down).feed(sink.taken)
    assert isinstance(first, Ask)
    assert isinstance(second, Ask)
    assert (first.what, first.arguments) == ("stat", {"part": "a"})
    asking[2].cancel()
    await asyncio.sleep(0)
    assert isinstance(third, Ask)
    for frame, body in ((third, "nobody waits"), (second, "second"), (first, "first"), (first, "again")):
        link.replied(Reply(frame.id, body))
    assert await asyncio.gather(*asking[:2]) == ["first", "second"]
    link.replied(Reply(first.id, "long over"))
