"""The feed: the changes it remembers, and its frames."""

import pytest

from resolver import settings
from resolver.channel import frames as channel
from resolver.channel.frames import DOWN_LIMIT, Rows, Static
from resolver.control.estate.estate import Estate
from resolver.control.estate.static_zones import ServedZone
from resolver.control.feed import feed
from resolver.control.feed.feed import Feed
from resolver.sources.reading import ZoneFiles
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.dns.record import SOA, A, RRset
from zones.dns.zonefile import Zone
from zones.networks.network import Network, NetworkMask


def test_since_at_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_REMEMBERED", 3)
    a, b, c, d = (from_text(f"{letter}.example") for letter in "abcd")
    estate = Estate(settings.ControlSettings())
    fed = Feed(estate, "epoch")
    assert fed.since(fed.epoch, 0) == set()
    assert fed.since(fed.epoch, 1) is None
    assert fed.since("another", 0) is None
    fed.changed([a])
    fed.changed([])  # nothing has changed
    estate.health.stale = True
    fed.changed([])
    fed.changed([b, a])
    assert [fed.since(fed.epoch, serial) for serial in range(-1, 5)] == [None, {a, b}, {a, b}, {a, b}, set(), None]
    fed.changed([c])
    assert fed.since(fed.epoch, 0) == {a, b, c}
    fed.changed([d])  # one of the two changes of serial 3 is forgotten
    assert fed.since(fed.epoch, 2) is None
    assert fed.since(fed.epoch, 3) == {c, d}
    assert fed.since(fed.epoch, 4) == {d}


def test_no_frame_is_longer_than_a_worker_takes() -> None:
    """Names that differ between hundreds of networks, and names with many records."""
    estate = Estate(settings.ControlSettings())
    estate.ledger.rows = {from_text(f"n{number}.example"): bytes(50_000) for number in range(400)}
    origin = from_text("corp.example")
    soa = RRset(origin, SOA, 60, (b"\0\0" + bytes(20),))
    names = {Name(bytes((1, 97 + number % 26)) * (number // 26 + 1) + origin): number for number in range(100)}
    many = {
        name: (RRset(name, 16, 60, tuple(bytes((number,)) * 1_000 for _ in range(200))),)
        for name, number in names.items()
    }
    estate.take_zone_files(ZoneFiles({origin: Zone(origin, soa, {origin: (soa,), **many})}), WallTime(0.0))
    fed = Feed(estate, "epoch")
    frames = [*fed.snapshot(1), *fed.changes(estate.ledger.rows)]
    assert all(len(channel.encode(frame)) < DOWN_LIMIT for frame in frames)
    assert sum(len(frame.rows) for frame in frames if isinstance(frame, Rows)) == 800
    assert sum(len(frame.names) for frame in frames if isinstance(frame, Static)) == 101


def test_classes_are_sent_once_after_the_networks_of_their_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Estate(settings.ControlSettings(networks=(Network("first", ()),), auto=True))
    fed = Feed(estate, "epoch")
    assert list(fed.masks(0, 0)) == []
    first = estate.ledger.classes.number(NetworkMask(0b1))
    assert list(fed.masks(0, 0)) == [channel.Masks([], ["first"]), channel.Masks([(first, b"\x01")])]
    later = [f"n{i}" for i in range(9)]
    assert [estate.networks.index(each) for each in later] == list(range(1, 10))
    assert list(fed.masks(1, 1)) == []
    second = estate.ledger.classes.number(NetworkMask(1 << 9))
    assert list(fed.masks(1, 1)) == [channel.Masks([], later), channel.Masks([(second, b"\x00\x02")])]
    assert list(fed.masks(2, 10)) == []

    monkeypatch.setattr(feed, "_NETWORKS", 4)
    monkeypatch.setattr(feed, "_OCTETS", 1)
    assert [(len(frame.masks), len(frame.networks)) for frame in fed.masks(0, 0)] == [
        (0, 4), (0, 4), (0, 2), (1, 0), (1, 0),
    ]  # fmt: skip


def test_thousands_of_networks_go_in_frames_that_a_worker_takes() -> None:
    estate = Estate(settings.ControlSettings(auto=True))
    key = "/subscriptions/11111111-0000-0000-0000-000000000000/resourcegroups/" + "g" * 90 + "/providers/x/y/{}"
    vnets = [VirtualNetwork(ResourceId(key.format(i)), "", "", (f"10.{i >> 8}.{i & 255}.0/24",)) for i in range(20_000)]
    estate.ledger.set_vnets({vnet.key: vnet for vnet in vnets}, WallTime(0.0))
    for i in range(20_000):
        estate.ledger.classes.number(NetworkMask(1 << i))
    fed = Feed(estate, "epoch")
    version, clientele = fed.clientele()
    assert version == estate.networks.version
    assert sum(len(frame.networks) for frame in clientele) == 20_000
    assert [frame.more for frame in clientele] == [True] * (len(clientele) - 1) + [False]
    frames: list[channel.Down] = [*clientele, *fed.masks(0, 0)]
    assert all(len(channel.encode(frame)) < DOWN_LIMIT for frame in frames)


def test_zones_may_go_between_two_frames_of_a_snapshot() -> None:
    estate = Estate(settings.ControlSettings())
    zones = {}
    for label in "ab":
        origin = from_text(f"{label}.example")
        soa = RRset(origin, SOA, 60, (b"\0\0" + bytes(20),))
        zones[origin] = Zone(origin, soa, {origin: (soa,)})
    estate.take_zone_files(ZoneFiles(zones), WallTime(0.0))
    frames = Feed(estate, "epoch").snapshot(1)
    next(frames)
    estate.take_zone_files(ZoneFiles({}), WallTime(0.0))
    assert [type(frame) for frame in frames] == [Static]


def test_a_provided_zone_arrives_with_its_apex_last_and_goes_with_its_apex_first() -> None:
    estate = Estate(settings.ControlSettings())
    origin, host = from_text("corp.example"), from_text("www.corp.example")
    soa, address = RRset(origin, SOA, 60, (b"\0\0" + bytes(20),)), RRset(host, A, 60, (bytes(4),))
    zone = ServedZone(origin, {origin: (soa,), host: (address,)}, is_open=True, is_provided=True)

    def sent(names: set[Name]) -> list[bytes]:
        frames = Feed(estate, "epoch").changes(names)
        return [name for frame in frames if isinstance(frame, Static) for name, _ in frame.names]

    assert sent(estate.static.set_provided([zone])) == [host, origin]
    assert sent(estate.static.set_provided([])) == [origin, host]
