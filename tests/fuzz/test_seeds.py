"""What fuzzing began with and what it found: each replayed, and each target has octets that it accepts."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_accepted_by_their_target(name: str) -> None:
    accepted = [TARGETS[name](file.read_bytes()) for file in sorted((HERE / "seeds" / name).iterdir())]
    assert any(accepted)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_is_mended(name: str) -> None:
    for file in sorted((HERE / "found").glob(f"{name}-*")):
        TARGETS[name](file.read_bytes())
