"""`pldns findings`, `endpoints` and `zones` with a real daemon, and without one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import daemon_address
from resolver.cli.configuration import load

Run = Callable[..., Any]


def test_findings_of_the_daemon_exit_2_for_an_error(run: Run, daemon: Path) -> None:
    ran = run("findings", "-c", daemon)
    assert ran.code == 2
    assert "conflicting-address" in ran.out
    assert run("findings", "-c", daemon, "--severity", "info").code == 0
    assert run("findings", "-c", daemon, "--code", "zone-unknown").out == "no findings\n"
    found = run("findings", "-c", daemon, "--severity", "error", "-o", "json").json
    assert [each["code"] for each in found] == ["conflicting-address"]


def test_endpoints_and_zones_of_the_daemon(run: Run, daemon: Path) -> None:
    assert {each["name"] for each in run("endpoints", "-c", daemon, "-o", "json").json} == {
        "shop", "east", "west", "waits", "star", "rival",
    }  # fmt: skip
    table = run("endpoints", "-c", daemon).out
    assert re.search(r"^waits +Pending +later +blob +east, west +later\.blob\S+ 10\.1\.0\.6$", table, re.MULTILINE)
    zones = run("zones", "-c", daemon)
    assert zones.code == 0
    assert re.search(r"^corp\.example +file +4 +nxdomain +10 s +east, west$", zones.out, re.MULTILINE)


def test_lists_have_filters(run: Run, daemon: Path) -> None:
    states = "--state", "pending", "--state", "approved"
    found = run("endpoints", "-c", daemon, *states, "--network", "west", "-o", "json").json
    assert "east" not in {each["name"] for each in found}
    found = run("endpoints", "-c", daemon, "--name", "KV.vault.azure.net", "-o", "json").json
    assert [each["name"] for each in found] == ["east", "west"]
    assert run("zones", "-c", daemon, "--zone", "corp.example", "--network", "west").out.count("corp.example") == 1
    assert run("networks", "-c", daemon, "--name", "east").out.count("\n") == 2
    assert run("sources", "-c", daemon, "--state", "stale").out == "no sources\n"
    shown = [run("upstreams", "-c", daemon, "--name", "public", "--state", each).out for each in ("up", "down")]
    assert shown.count("no upstream servers\n") == 1  # other tests may have asked the server, which does not answer
    assert run("fallbacks", "-c", daemon, "--network", "none").out == "no fallbacks\n"
    assert run("history", "-c", daemon, "--code", "zone-unknown", "--severity", "info").out == "no changes\n"
    assert run("diff", "-c", daemon, "--from", "1s", "--kind", "source", "--zone", "corp.example").out == "no changes\n"
    assert run("audit", "-c", daemon, "--who", "nobody", "--name", "x").out == "no changes\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("findings", "--code", "conflicting-adress"),
            "code: there is no `conflicting-adress`; nearest: `conflicting-address`",
        ),
        (("endpoints", "--network", "eest"), "network: there is no `eest`; nearest: `west`, `east`"),
        (("zones", "--zone", "corp.exampel"), "zone: there is no `corp.exampel`; nearest: `corp.example`"),
        (("sources", "--name", "estat"), "name: there is no `estat`; nearest: `estate`"),
        (("history", "--zone", "corp.exampel"), "nearest: `corp.example`"),
    ],
)
def test_a_typo_in_a_filter_is_an_error(run: Run, daemon: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = run(*arguments, "-c", daemon)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err


def test_an_error_of_the_admin_interface_is_printed(run: Run, daemon: Path) -> None:
    assert daemon_address.admin_url(daemon, daemon, {}) == f"unix:{daemon.parent}/state/admin.sock"
    url = f"http://{load(daemon, {}).control.admin.listen}"
    assert run("zones", "--admin", f"{url}/elsewhere") == (1, "", f"pldns: {url}/elsewhere says: Not Found\n")


@pytest.mark.parametrize("command", ["findings", "endpoints", "zones"])
def test_without_a_daemon_the_error_is_one_line(run: Run, config: Path, command: str) -> None:
    ran = run(command, "-c", config)
    assert (ran.code, ran.out) == (1, "")
    assert "no daemon answers at http://127.0.0.1:" in ran.err
