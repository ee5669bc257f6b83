"""Commands that ask a running daemon: a real one, and none."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import place

Run = Callable[..., Any]


def test_query_prints_the_reply_and_exits_0(run: Run, daemon: Path) -> None:
    ran = run("query", "kv.vault.azure.net", "-c", daemon)
    assert ran.code == 0
    assert "kv.privatelink.vaultcore.azure.net. 10 IN A 10.1.0.5" in ran.out
    assert ran.out.startswith(";; NOERROR [QR AA RD RA] kv.vault.azure.net. A\n")


@pytest.mark.parametrize("tcp", [[], ["--tcp"]])
def test_query_as_json(run: Run, daemon: Path, tcp: list[str]) -> None:
    ran = run("query", "nothing.privatelink.blob.core.windows.net", "AAAA", "-c", daemon, "-o", "json", *tcp)
    assert ran.code == 0
    assert (ran.json["rcode"], ran.json["answer"]) == ("NXDOMAIN", [])
    assert ran.json["authority"][0].startswith("privatelink.blob.core.windows.net. 10 IN SOA ")


def test_healthcheck_is_0_and_silent_while_a_worker_answers(run: Run, daemon: Path) -> None:
    assert run("healthcheck", "-c", daemon) == (0, "", "")


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


def test_the_cache_is_shown_and_flushed(run: Run, daemon: Path) -> None:
    shown = run("cache", "show", "-c", daemon)
    assert shown.code == 0
    assert re.search(r"^0 +\d+ +0\.\d MiB +\d+ +0\.\d MiB$", shown.out, re.MULTILINE)
    assert run("cache", "flush", "www.example", "--subtree", "-c", daemon) == (0, "0 replies forgotten\n", "")
    assert run("cache", "flush", "www.example", "--type", "AAAA", "-c", daemon, "-o", "json").json == {
        "flushed": 0, "silent": [],
    }  # fmt: skip
    wrong = run("cache", "flush", "www.example", "--type", "NOPE", "-c", daemon)
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.endswith(" says: type: NOPE is not a record type\n")


def test_the_daemon_says_what_is_wrong_with_a_request(run: Run, daemon: Path) -> None:
    url = place.admin(daemon, daemon, {})
    assert run("zones", "--admin", f"{url}/elsewhere") == (1, "", f"pldns: {url}/elsewhere says: Not Found\n")


@pytest.mark.parametrize("command", ["findings", "endpoints", "zones"])
def test_without_a_daemon_there_is_one_line(run: Run, config: Path, command: str) -> None:
    ran = run(command, "-c", config)
    assert (ran.code, ran.out) == (1, "")
    assert "no daemon answers at http://127.0.0.1:" in ran.err


def test_healthcheck_and_query_without_a_daemon_are_1(run: Run, config: Path) -> None:
    for command in (["healthcheck"], ["query", "a.example"]):
        ran = run(*command, "-c", config)
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_healthcheck_gives_up_on_one_who_never_answers(run: Run) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        ran = run("healthcheck", "--server", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.1")
    assert ran.code == 1
    assert "no answer within 0.1 s" in ran.err
