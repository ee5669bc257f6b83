"""`pldns status` with a real daemon, and the durations in it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import status
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
    assert re.search(
        r"^  error conflicting-address: shop\.\S+ \([0-9a-f]{12}\)\n  `pldns findings --severity error`",
        ran.out,
        re.MULTILINE,
    )
    found = run("status", "-c", daemon, "-o", "json").json
    assert found["counts"]["findings"]["error"] == 1
    assert found["traffic"]["seconds"] <= 61


def _state(**changed: object) -> dict[str, Any]:
    return {"degraded": [], "degraded_total": 0, "query_log": None, "workers": [], "absent_addresses": [], **changed}


def test_a_daemon_without_problems_has_no_line_about_them() -> None:
    up = {"group": "public", "server": "udp://192.0.2.53", "up": True}
    assert not list(status.problems(_state(), [up, {**up, "worker": 1, "up": False}]))


def test_an_upstream_group_without_a_server_is_a_problem() -> None:
    down = {"group": "public", "server": "udp://192.0.2.53", "up": False}
    first, advice = status.problems(_state(), [down, {**down, "group": "branch", "up": True}])
    assert first.startswith("problem: upstream group public: no server answers")
    assert "`upstreams.public`" in advice


def test_a_query_log_that_cannot_be_written_is_a_problem() -> None:
    output = {"output": "lines", "to": "/var/log/q", "written": 0, "dropped": 2, "fault": "Permission denied"}
    log = {"running": True, "queue_dropped": 0, "outputs": [output, {**output, "to": "stdout", "fault": ""}]}
    assert list(status.problems(_state(query_log=log), [])) == [
        "problem: query log: /var/log/q: Permission denied; 2 queries not logged"
    ]
    stopped = next(status.problems(_state(query_log={**log, "running": False, "outputs": []}), []))
    assert stopped.startswith("problem: query log: its process does not run")


def test_a_worker_that_restarts_or_is_down_is_a_problem() -> None:
    well = {"index": 0, "pid": 7, "connected": True, "restarts": 0, "restart_age": None}
    long_ago = {**well, "restarts": 1, "restart_age": 90_000.0}
    loops, down = {**well, "index": 1, "restarts": 7, "restart_age": 3.2}, {**well, "index": 2, "connected": False}
    assert not list(status.problems(_state(workers=[well, long_ago]), []))
    first, second, advice = status.problems(_state(workers=[well, loops, down]), [])
    assert first == "problem: worker 1 died or hung, last 3 s ago: 7 restarts since control started"
    assert second.startswith("problem: worker 2 is down (0 restarts since control started); ")
    assert "`journalctl -u pldns`" in advice


def test_the_error_of_a_source_is_printed_once_with_what_is_served() -> None:
    message = "/srv/endpoints: No such file or directory"
    part = {"source": "estate", "scope": "", "message": message}
    problem, effect = status.problems(_state(degraded=[part], degraded_total=1), [])
    assert problem == f"problem: source estate: {message}"
    assert "last good data" in effect


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


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"leads": True, "leader": "one", "fault": ""}, "this control plane is the leader"),
        ({"leads": False, "leader": "one", "fault": ""}, "the leader is one"),
        ({"leads": False, "leader": "one", "fault": "PostgreSQL: gone"}, "problem: registry: PostgreSQL: gone"),
        (None, ""),
    ],
)
def test_the_leader_of_several_control_planes_has_a_line(state: dict[str, object] | None, said: str) -> None:
    assert said in "".join(status.sharing({"sharing": state}))
