"""Counters over restarts of workers, and the list of names that fell back."""

import pytest

from resolver import totals
from resolver.channel import Fallback
from resolver.totals import FallbackList, Totals

Values = list[tuple[str, tuple[str, ...], int]]


def counted(total: Totals) -> dict[str, int]:
    return {" ".join((metric, *labels)): count for metric, labels, count in total}


def values(**counts: int) -> Values:
    return [(metric, (), count) for metric, count in counts.items()]


def test_workers_are_added_up() -> None:
    total = Totals()
    total.report(0, "a", [("x", ("udp",), 3), ("x", ("tcp",), 1)])
    total.report(1, "b", [("x", ("udp",), 4), ("y", (), 7)])
    assert counted(total) == {"x udp": 7, "x tcp": 1, "y": 7}


def test_a_report_says_what_was_counted_since_the_worker_started() -> None:
    total = Totals()
    for count in (3, 5, 5):
        total.report(0, "a", values(x=count))
    assert counted(total) == {"x": 5}


def test_a_report_may_come_in_pieces() -> None:
    total = Totals()
    total.report(0, "a", values(x=1))
    total.report(0, "a", values(y=2))
    assert counted(total) == {"x": 1, "y": 2}


def test_what_a_worker_counted_that_is_gone_stays() -> None:
    total = Totals()
    total.report(0, "a", values(x=3, y=1))
    total.report(0, "b", values(x=1))
    total.report(0, "b", values(x=2))
    assert counted(total) == {"x": 5, "y": 1}
    total.report(0, "c", [])
    assert counted(total) == {"x": 5, "y": 1}


def test_a_worker_that_makes_up_counters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "_LABELS", 10)
    total = Totals()
    for instance in range(5):
        total.report(0, str(instance), values(known=1))
        total.report(0, str(instance), [(f"{instance} {number}", (), 1) for number in range(100)])
    assert len(counted(total)) <= 20
    assert counted(total)["known"] == 5


def fallback(name: str, count: int = 1, first: float = 1.0, last: float = 2.0, network: str = "weu") -> Fallback:
    return Fallback(b"zone", name.encode(), network, count, first, last)


def test_fallbacks_of_one_name_are_added_up_and_come_last() -> None:
    listed = FallbackList()
    listed.add([fallback("a", 2, 1.0, 2.0), fallback("b"), fallback("a", network="neu")])
    listed.add([fallback("a", 3, 0.5, 9.0)])
    assert list(listed) == [fallback("b"), fallback("a", network="neu"), fallback("a", 5, 0.5, 9.0)]


def test_the_name_seen_last_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "_LISTED", 3)
    listed = FallbackList()
    listed.add(map(fallback, "abcabadae"))
    assert [item.name for item in listed] == [b"d", b"a", b"e"]
    assert len(listed) == 3
