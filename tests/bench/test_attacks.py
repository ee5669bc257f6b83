"""The floods of the benchmarks and of `make chaos` can be made: what cannot be made floods nobody."""

import pytest

from bench.attacks import ATTACKS


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_flood_whose_time_is_over_is_made_and_not_sent(kind: str) -> None:
    ATTACKS[kind](0, 0, 0.0)
