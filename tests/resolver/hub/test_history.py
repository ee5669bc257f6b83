"""The last changes of a hub."""

import pytest

from resolver.hub.history import History


def test_a_history_gives_each_change_after_a_serial() -> None:
    history = History("e")
    assert history.covers(0)
    assert not history.covers(1)
    for octets in (b"one", b"two", b"three"):
        history.add(octets)
    assert (history.serial, history.next(0), history.next(2), history.since(1)) == (3, b"one", b"three", 8)
    assert not history.covers(4)
    with pytest.raises(KeyError):
        history.next(3)


def test_the_oldest_changes_are_dropped() -> None:
    history = History("e", limit=10)
    for _ in range(4):
        history.add(b"four")
    assert [serial for serial in range(5) if history.covers(serial)] == [2, 3, 4]
    assert history.octets == 8
    history.add(b"much more than the limit")
    assert [serial for serial in range(6) if history.covers(serial)] == [5]
    history.add(b"four")
    assert (history.next(5), history.octets) == (b"four", 4)


def test_after_a_change_that_is_skipped_only_later_ones_are_kept() -> None:
    history = History("e")
    history.add(b"one")
    history.skip()
    assert [serial for serial in range(4) if history.covers(serial)] == [2]
    history.add(b"three")
    assert (history.serial, history.next(2), history.octets) == (3, b"three", 5)
