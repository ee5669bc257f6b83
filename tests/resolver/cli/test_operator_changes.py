"""The commands with which operators change the running daemon."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import operator_changes
from resolver.cli.failure import Failed

Run = Callable[..., Any]


def test_a_finding_is_acknowledged_by_its_printed_id(run: Run, daemon: Path) -> None:
    (found,) = run("findings", "-c", daemon, "--severity", "error", "-o", "json").json
    ran = run("acknowledge", found["id"], "--note", "both are ours", "--until", "7d", "-c", daemon)
    assert ran.code == 0
    assert f"{found['code']} {found['subject']}: acknowledged until " in ran.out
    ran = run("findings", "-c", daemon, "--severity", "error")
    assert ran.code == 0
    assert "[acknowledged by user " in ran.out
    assert ": both are ours]" in ran.out
    ran = run("status", "-c", daemon)
    assert ran.code == 0
    assert any(line.startswith("findings: ") and line.endswith("(1 acknowledged)") for line in ran.out.splitlines())
    assert run("acknowledge", found["id"], "--withdraw", "-c", daemon).code == 0
    assert run("status", "-c", daemon).code == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["0123"], "say why with --note"),
        (["0123", "--withdraw", "--note", "a"], "--withdraw takes no --note"),
        (["0123", "--note", "a"], "there is no finding `0123`"),
        (["0123", "--note", "a", "--until", "soon"], "`soon` is neither a time"),
        (["0123", "--withdraw"], "no finding `0123` is acknowledged"),
    ],
)
def test_an_impossible_acknowledgement_is_one_line(run: Run, daemon: Path, arguments: list[str], text: str) -> None:
    ran = run("acknowledge", *arguments, "-c", daemon)
    assert ran.code == 1
    assert text in ran.err


def test_an_end_is_a_time_with_an_offset_or_a_duration() -> None:
    assert operator_changes.end(None) is None
    assert operator_changes.end("2030-01-31T18:00:00Z") == "2030-01-31T18:00:00+00:00"
    assert operator_changes.end("30m")
    for text in ("2030-01-31T18:00:00", "7", "7w", "", "-7d"):
        with pytest.raises(Failed):
            operator_changes.end(text)


def test_an_endpoint_gets_a_name(run: Run, daemon: Path) -> None:
    name = "shop.blob.core.windows.net"
    ran = run("pin", "set", name, "rival", "--reason", "on call", "--until", "1h", "-c", daemon)
    assert ran.code == 0
    assert ran.out.startswith(f"{name} is pinned to rival until ")
    try:
        assert ran.out.splitlines()[0] in run("status", "-c", daemon).out
        assert "rival" in run("pin", "list", "-c", daemon).out
        ran = run("explain", name, "--client", "10.1.0.1", "-c", daemon)
        assert "10.1.0.9" in ran.out
        assert re.search(r"pinned by user \S+ \(\d+\) \(on call\) until ", ran.out)
    finally:
        assert run("pin", "set", name, "shop", "--reason", "as before", "-c", daemon).code == 0
        assert run("pin", "remove", name, "-c", daemon).code == 0
    assert run("pin", "list", "-c", daemon).out == "no pins\n"
    assert f"no operator has pinned {name}" in run("pin", "remove", name, "-c", daemon).err
