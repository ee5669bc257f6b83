"""Control that does not wait in tests."""

import pytest

from resolver.control import clock
from resolver.sources import files


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tick and look at files every 20 ms, instead of every second or half second. Files are soon written completely."""
    monkeypatch.setattr(clock, "TICK", 0.02)
    monkeypatch.setattr(files, "_LOOK", 0.02)
    monkeypatch.setattr(files, "DEBOUNCE", 20)
    monkeypatch.setattr(files, "QUIET", 0.1)
