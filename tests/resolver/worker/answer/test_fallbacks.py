"""Fallbacks: counted by zone, listed by name, within a bound."""

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback, FallbackReason
from resolver.worker.answer import fallbacks
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.fallbacks import Fallbacks
from zones.clocks import WallTime, wall_clock
from zones.dns.name import from_text
from zones.networks.prefixes import NONE, NetworkIndex

ZONE = from_text("privatelink.blob.core.windows.net")
NAME = from_text("x.privatelink.blob.core.windows.net")
MISS, NO_NETWORK = FallbackReason.MISS_POLICY, FallbackReason.NO_NETWORK


def test_fallbacks_are_counted_by_zone_name_and_network_until_the_report() -> None:
    counters, clock = Counters(), iter((10.0, 11.0, 12.0, 13.0))
    found = Fallbacks(("weu", "none").__getitem__, counters, wall_clock(lambda: next(clock)))
    found.note(ZONE, NAME, MISS, NetworkIndex(0), b"\x0a\0\0\1")
    found.note(ZONE, NAME, MISS, NONE, bytes(16))
    found.note(ZONE, NAME, MISS, NetworkIndex(0), b"\x0a\0\0\2")
    assert found.report() == [
        Fallback(ZONE, NAME, "weu", MISS, 2, WallTime(10.0), WallTime(12.0), (b"\x0a\0\0\1", b"\x0a\0\0\2")),
        Fallback(ZONE, NAME, "none", MISS, 1, WallTime(11.0), WallTime(11.0), (bytes(16),)),
    ]
    assert found.report() == []
    found.note(ZONE, NAME, MISS, NetworkIndex(0), bytes(4))
    assert found.report() == [Fallback(ZONE, NAME, "weu", MISS, 1, WallTime(13.0), WallTime(13.0), (bytes(4),))]
    assert list(counters.values()) == [("fallback_total", ("privatelink.blob.core.windows.net",), 4)]


def test_names_of_clients_in_no_network_are_counted_and_listed_apart() -> None:
    counters, alone = Counters(), from_text("db.example")
    found = Fallbacks(("weu", "none").__getitem__, counters, wall_clock(lambda: 1.0))
    found.note(ZONE, NAME, MISS, NONE, bytes(4))
    found.note(ZONE, NAME, NO_NETWORK, NONE, bytes(4))
    found.note(alone, alone, NO_NETWORK, NONE, bytes(4))
    assert [(item.zone, item.reason, item.count) for item in found.report()] == [
        (ZONE, MISS, 1), (ZONE, NO_NETWORK, 1), (alone, NO_NETWORK, 1)
    ]  # fmt: skip
    assert list(counters.values()) == [
        ("fallback_total", ("privatelink.blob.core.windows.net",), 1),
        ("no_network_total", ("privatelink.blob.core.windows.net",), 1),
        ("no_network_total", ("(alone)",), 1),
    ]


def test_names_beyond_the_limit_are_counted_and_not_listed() -> None:
    counters = Counters()
    found = Fallbacks(("none",).__getitem__, counters, wall_clock(lambda: 0.0))
    for i in range(fallbacks.LIMIT + 50):
        found.note(ZONE, from_text(f"n{i}.privatelink.blob.core.windows.net"), MISS, NetworkIndex(0), bytes(4))
    found.note(ZONE, from_text("n0.privatelink.blob.core.windows.net"), MISS, NetworkIndex(0), bytes(4))
    report = found.report()
    assert len(report) == fallbacks.LIMIT
    assert report[0].count == 2
    assert counters.cell("fallback_total", ("privatelink.blob.core.windows.net",)) == [fallbacks.LIMIT + 51]


def test_some_of_the_clients_are_listed_once_each() -> None:
    found = Fallbacks(("none",).__getitem__, Counters(), wall_clock(lambda: 0.0))
    for i in range(30):
        found.note(ZONE, NAME, MISS, NetworkIndex(0), bytes((10, 0, 0, i // 2)))
    (item,) = found.report()
    assert item.count == 30
    assert item.clients == tuple(bytes((10, 0, 0, i)) for i in range(FALLBACK_CLIENTS))
