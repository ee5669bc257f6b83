"""Totals of worker reports: counters over restarts, names that fell back, and forwarding loops."""

import pytest

from resolver.channel.frames import Fallback, FallbackReason, Loop
from resolver.control import aggregates
from resolver.control.aggregates import CounterTotals, FallbackList, Gauges, LoopList
from tests.zones.books import shown
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text

ZONE = from_text("zone")

Values = list[tuple[str, tuple[str, ...], int]]


def counted(total: CounterTotals) -> dict[str, int]:
    return {" ".join((metric, *labels)): count for metric, labels, count in total}


def values(**counts: int) -> Values:
    return [(metric, (), count) for metric, count in counts.items()]


def test_counters_of_all_workers_are_added_up() -> None:
    total = CounterTotals()
    total.report(0, "a", [("x", ("udp",), 3), ("x", ("tcp",), 1)])
    total.report(1, "b", [("x", ("udp",), 4), ("y", (), 7)])
    assert counted(total) == {"x udp": 7, "x tcp": 1, "y": 7}


def test_a_report_counts_since_the_start_of_the_worker() -> None:
    total = CounterTotals()
    for count in (3, 5, 5):
        total.report(0, "a", values(x=count))
    assert counted(total) == {"x": 5}


def test_a_report_may_come_in_pieces() -> None:
    total = CounterTotals()
    total.report(0, "a", values(x=1))
    total.report(0, "a", values(y=2))
    assert counted(total) == {"x": 1, "y": 2}


def test_the_counts_of_an_earlier_worker_are_kept() -> None:
    total = CounterTotals()
    total.report(0, "a", values(x=3, y=1))
    total.report(0, "b", values(x=1))
    total.report(0, "b", values(x=2))
    assert counted(total) == {"x": 5, "y": 1}
    total.report(0, "c", [])
    assert counted(total) == {"x": 5, "y": 1}


def test_a_worker_cannot_add_counters_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "_OCTETS", 100)
    total = CounterTotals()
    for instance in range(5):
        total.report(0, str(instance), values(known=1))
        total.report(0, str(instance), [("x", (f"{instance} {number}",), number) for number in range(100)])
    assert len(counted(total)) <= 50
    assert counted(total)["known"] == 5


def test_what_is_beyond_the_limit_is_counted_as_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "_OCTETS", 10)
    total = CounterTotals()
    total.report(0, "a", [("x", ("zone", "net"), 1)])
    total.report(0, "a", [("x", ("zone", "net"), 2), ("x", ("a", "b"), 9), ("x", ("c", "d"), 3)])
    assert counted(total) == {"x zone net": 2, "x other other": 9}
    total.report(0, "b", [("x", ("c", "d"), 4)])
    assert counted(total) == {"x zone net": 2, "x other other": 9, "x c d": 4}


MISS = FallbackReason.MISS_POLICY


def fallback(name: str, count: int = 1, first: float = 1.0, last: float = 2.0, network: str = "weu") -> Fallback:
    return Fallback(ZONE, from_text(name), network, MISS, count, WallTime(first), WallTime(last))


def test_fallbacks_of_one_name_are_added_up_and_move_to_the_end() -> None:
    listed = FallbackList()
    listed.add([fallback("a", 2, 1.0, 2.0), fallback("b"), fallback("a", network="neu")])
    listed.add([fallback("a", 3, 0.5, 9.0)])
    assert list(listed) == [fallback("b"), fallback("a", network="neu"), fallback("a", 5, 0.5, 9.0)]


def test_the_least_recent_fallback_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "_LISTED", 3)
    listed = FallbackList()
    listed.add(map(fallback, "abcabadae"))
    assert [to_text(item.name) for item in listed] == ["d", "a", "e"]
    assert len(listed) == 3


def test_clients_of_one_name_are_joined_up_to_a_limit() -> None:
    listed = FallbackList()
    for start in (0, 4, 2):
        clients = tuple(bytes((10, 0, 0, i)) for i in range(start, start + 6))
        item = Fallback(ZONE, from_text("a"), "weu", MISS, 1, WallTime(1.0), WallTime(2.0), clients)
        listed.add([item])
    (item,) = listed
    assert item.clients == tuple(bytes((10, 0, 0, i)) for i in range(8))


def test_octets_that_are_not_a_name_are_ignored() -> None:
    listed = FallbackList()
    listed.add([Fallback(b"\x05ab", from_text("a"), "weu", MISS, 1, WallTime(1.0), WallTime(2.0))])
    listed.add([Fallback(ZONE, b"", "weu", MISS, 1, WallTime(1.0), WallTime(2.0))])
    assert len(listed) == 0


def loop(name: str, group: str = "onprem", client: bytes = b"\x0a\x09\0\4") -> Loop:
    return Loop(group, from_text(name), client, 3, WallTime(50.0))


def test_the_finding_about_a_loop_has_the_latest_names_and_their_clients() -> None:
    loops = LoopList(["onprem"])
    ((group, fact),) = loops.add([loop("a.example"), loop("b.example", client=b"bad")], WallTime(100.0))
    assert (group, fact.code, fact.subject) == ("onprem", "forward-loop", "onprem")
    assert shown(fact.evidence) == {"names": ["a.example", "b.example"], "brought_by": ["10.9.0.4"]}
    ((_, fact),) = loops.add([loop(f"{i}.example") for i in range(5)] + [loop("a.example")], WallTime(100.0))
    assert shown(fact.evidence)["names"] == ["1.example", "2.example", "3.example", "4.example", "a.example"]


def test_a_loop_ends_ten_minutes_after_its_last_report() -> None:
    loops = LoopList(["onprem"])
    list(loops.add([loop("a.example")], WallTime(100.0)))
    assert list(loops.expire(WallTime(699.0))) == []
    assert list(loops.expire(WallTime(700.0))) == ["onprem"]
    assert list(loops.expire(WallTime(9999.0))) == []


def test_a_loop_of_an_unknown_group_or_without_a_name_is_ignored() -> None:
    loops = LoopList(["onprem"])
    reported = [loop("a.example", group="made-up"), Loop("onprem", b"\x09", b"", 1, WallTime(1.0))]
    assert not list(loops.add(reported, WallTime(1.0)))


def test_gauges_are_the_last_report_of_each_worker_that_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    gauges = Gauges()
    gauges.report(1, [("up", ("one",), 1.0), ("up", ("two",), 1.0)], first=True)
    gauges.report(0, [("up", ("one",), 0.0)], first=True)
    gauges.report(0, [("up", ("two",), 1.0)], first=False)
    assert list(gauges) == [
        ("up", ("one", "0"), 0.0), ("up", ("two", "0"), 1.0), ("up", ("one", "1"), 1.0), ("up", ("two", "1"), 1.0),
    ]  # fmt: skip
    gauges.report(0, [("up", ("two",), 0.0)], first=True)
    gauges.forget(1)
    assert list(gauges) == [("up", ("two", "0"), 0.0)]
    monkeypatch.setattr(aggregates, "_OCTETS", 20)
    for number in range(100):
        gauges.report(0, [("up", (f"made up {number}",), 1.0)], first=not number)
    assert len(list(gauges)) == 2
