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
        (["check", "-o", "xml"], "`xml` is not one of table, json, yaml"), (["stauts"], "did you mean 'status'?"),
        (["findings", "--severity", "eror"], "did you mean `error`?"), (["findings", "--limit", "x"], "a whole number"),
        (["findings", "--limit", "-1"], "0 or more"), (["healthcheck", "--timeout", "0"], "0.1 or more"),
        (["check", "--nope"], "see `pldns check --help`"), (["serve", "--set", "dns.workers"], "PATH=VALUE"),
        (["check", "-c", "/nowhere/pldns.yaml"], "/nowhere/pldns.yaml"), (["query", "a..b"], "empty label"),
        (["query", "a", "NOTYPE"], "NOTYPE"), (["explain", "a", "--listener", "me"], "not an IP address"),
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


def test_a_command_that_asks_the_daemon_loads_neither_pydantic_nor_rich(daemon: Path) -> None:
    code = (
        "import sys; from resolver.cli import main; main(['status', '-c', sys.argv[1]]); main(['findings', '-c', "
        "sys.argv[1], '--severity', 'error', '--limit', '3']); sys.stderr.write(' '.join(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(daemon)], capture_output=True, text=True, check=True)
    assert "conflicting-address" in ran.stdout
    loaded = {name.partition(".")[0] for name in ran.stderr.split()}
    assert not {"pydantic", "rich", "aiohttp", "dns", "azure", "asyncio"} & loaded


def test_a_mistake_that_the_daemon_finds_is_a_line_without_its_address(run: Run, daemon: Path) -> None:
    assert run("sync", "now", "estat", "-c", daemon).err.startswith("pldns: there is no source `estat`")
    assert run("tail", "-c", daemon, "--rcode", "NXDOMIAN").err.startswith("pldns: rcode: ")


def test_every_command_says_in_one_form_that_no_daemon_answers(run: Run, config: Path) -> None:
    said = {run(*words, "-c", config).err for words in (["status"], ["tail"], ["reload"], ["sync", "now", "estate"])}
    (line,) = said
    assert "connection refused (is `pldns serve` running? `-c` names its configuration, `--admin` its address)" in line


@pytest.mark.parametrize("words", [["--version"], ["version"]])
def test_the_version_has_a_command_and_an_option(run: Run, words: list[str]) -> None:
    assert run(*words) == (0, f"pldns {VERSION}\n", "")


def test_help_has_three_forms(run: Run) -> None:
    shown = run("sync", "now", "--help")
    assert shown.code == 0
    assert "Sync a source now." in shown.out
    assert run("sync", "now", "-h") == shown == run("help", "sync", "now")
    assert run("help") == run("--help")


def test_a_value_of_an_option_may_be_repeated_where_the_help_says_so(run: Run, config: Path) -> None:
    ran = run("config", "show", "-c", config, "--set", "dns.workers=3", "--set", "cache.stale=7", "-o", "json")
    shown = {each["path"]: each["value"] for each in ran.json}
    assert (shown["dns.workers"], shown["cache.stale"]) == (3, 7)


def test_a_closed_pipe_causes_no_traceback(config: Path) -> None:
    command = f"{sys.executable} -m resolver.cli config schema | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=config.parent)
    assert "Traceback" not in ran.stdout + ran.stderr


def test_the_severity_option_has_the_severities_of_findings() -> None:
    assert {each.value for each in SeverityOption} == {each.value for each in Severity}
