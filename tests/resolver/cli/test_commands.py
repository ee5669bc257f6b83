"""What all commands share: a mistake is one line on stderr, no command loads what only others need, no traceback."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli.options import SeverityOption
from resolver.version import VERSION
from zones.findings.evidence import Severity

Run = Callable[..., Any]


def test_the_version_is_one_line(run: Run) -> None:
    assert run("version") == (0, f"pldns {VERSION}\n", "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["chek"], "'check'"), (["check", "--nope"], "--nope"), (["explain"], "NAME"),
        (["check", "-o", "xml"], "xml"), (["serve", "--set", "dns.workers"], "PATH=VALUE"),
        (["check", "-c", "/nowhere/pldns.yaml"], "/nowhere/pldns.yaml"), (["query", "a..b"], "empty label"),
        (["query", "a", "NOTYPE"], "NOTYPE"), (["explain", "a", "--client", "me", "--set", "a=1"], "not an IP address"),
        (["healthcheck", "--server", "host"], "ADDRESS:PORT"), (["findings", "--admin", "ftp://x"], "http://"),
        (["findings", "-c", "/nowhere/pldns.yaml"], "/nowhere/pldns.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_line_and_status_1(run: Run, arguments: list[str], text: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("pldns: ")
    assert ran.err.count("\n") == 1
    assert text in ran.err


def test_version_does_not_load_what_other_commands_need() -> None:
    code = "import sys; from resolver.cli import main; main(['version']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"rich", "aiohttp", "yaml", "dns", "prometheus_client", "watchfiles", "zones", "asyncio"} & set(loaded)


def test_a_closed_pipe_causes_no_traceback(config: Path) -> None:
    command = f"{sys.executable} -m resolver.cli config schema | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=config.parent)
    assert "Traceback" not in ran.stdout + ran.stderr


def test_the_severity_option_has_the_severities_of_findings() -> None:
    assert {each.value for each in SeverityOption} == {each.value for each in Severity}
