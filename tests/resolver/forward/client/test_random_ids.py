"""Random numbers are below their bound and equally frequent."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.client.random_ids import RandomIds


@given(bound=st.integers(1, 65_536))
def test_numbers_are_below_the_bound(bound: int) -> None:
    made = RandomIds()
    assert all(0 <= made.below(bound) < bound for _ in range(50))


@pytest.mark.parametrize("bound", [2, 3, 20, 200, 256, 257, 501])
def test_all_numbers_are_equally_frequent(bound: int) -> None:
    made, times = RandomIds(), 400
    counts = Counter(made.below(bound) for _ in range(bound * times))
    assert len(counts) == bound
    # Poisson distribution: more than six deviations from the mean is less likely than 1 in 10^8.
    assert all(abs(count - times) < 6 * times**0.5 for count in counts.values())


def test_no_octet_is_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = list(range(2048))
    blocks = iter([b"".join(number.to_bytes(2, "big") for number in numbers), b"\xff" * 4096])
    monkeypatch.setattr("os.urandom", lambda size: next(blocks)[:size])
    made = RandomIds()
    assert [made.below(65_536) for _ in numbers] == numbers
    assert made.below(65_536) == 0xFFFF
