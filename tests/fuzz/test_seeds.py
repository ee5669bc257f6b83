"""Replays the seeds of fuzzing and the inputs that once failed. Each target accepts at least one seed."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_accepts_some_of_its_seeds(name: str) -> None:
    accepted = [TARGETS[name](file.read_bytes()) for file in sorted((HERE / "seeds" / name).iterdir())]
    assert any(accepted)


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_that_once_failed_pass(name: str) -> None:
    for file in sorted((HERE / "found").glob(f"{name}-*")):
        TARGETS[name](file.read_bytes())
