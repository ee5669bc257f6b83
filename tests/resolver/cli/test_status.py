"""`pldns status` with a real daemon, and the durations in it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli.status import duration

Run = Callable[..., Any]


def test_the_state_of_the_daemon_fits_one_screen(run: Run, daemon: Path) -> None:
    ran = run("status", "-c", daemon)
    assert ran.code == 2  # the estate has a contest
    lines = ran.out.splitlines()
    assert len(lines) <= 24
    assert re.fullmatch(r"ready: pldns \S+, control up .+, 1 of 1 workers, configuration 1", lines[0])
    assert "1 error" in next(line for line in lines if line.startswith("findings: "))
    assert any(re.fullmatch(r"source estate \(files\): fresh, read .+ ago", line) for line in lines)
    assert any(re.match(r"traffic: [0-9.]+ queries/s", line) for line in lines)
    assert any(re.match(r"upstream public: udp://127\.0\.0\.1:\d+ (up|DOWN)", line) for line in lines)
    found = run("status", "-c", daemon, "-o", "json").json
    assert found["counts"]["findings"]["error"] == 1
    assert found["traffic"]["seconds"] <= 61


@pytest.mark.parametrize("command", ["sources", "networks", "upstreams", "fallbacks"])
def test_each_list_is_a_table_and_json(run: Run, daemon: Path, command: str) -> None:
    items = run(command, "-c", daemon, "-o", "json").json
    table = run(command, "-c", daemon).out.splitlines()
    assert len(table) == len(items) + 1
    if items:
        assert table[0] == table[0].upper()
    else:
        assert table == [f"no {command}"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90061, "1 d 1 h"), (0.9, "0 s")]
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
