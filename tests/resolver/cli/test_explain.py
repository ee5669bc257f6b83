"""`pldns explain` against a running daemon."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import daemon_address

Run = Callable[..., Any]


def explain(run: Run, config: Path, *arguments: str) -> Any:  # noqa: ANN401 - what JSON can hold
    ran = run("explain", *arguments, "-c", config, "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json


@pytest.mark.live
def test_the_answer_comes_first_and_then_why(run: Run, daemon: Path) -> None:
    ran = run("explain", "kv.vault.azure.net", "--client", "10.2.0.1", "-c", daemon)
    first, *lines = ran.out.splitlines()
    assert first == "kv.vault.azure.net A for 10.2.0.1 over udp: NOERROR 10.2.0.5 of west"
    assert lines[:3] == [
        "client 10.2.0.1", "├─ allowed: 10.0.0.0/8 of `dns.allow` holds the address",
        "└─ network west: 10.2.0.0/16 holds the address",
    ]  # fmt: skip
    assert "├─ west won: the only claim that is visible here" in lines
    assert "├─ east not-visible: it is visible to east, not to west" in lines
    assert lines[-1] == "└─ kv.vault.azure.net. 10 IN A 10.2.0.5"
    assert max(map(len, lines)) <= 80


@pytest.mark.live
def test_a_contest_a_chain_and_an_upstream_are_explained(run: Run, daemon: Path) -> None:
    found = explain(run, daemon, "files.corp.example", "--client", "10.1.0.1")
    assert [step["row"] for step in found["steps"]] == ["zone file", "endpoint alias", "endpoint address"]
    claims = {claim["endpoint"]: claim for step in found["steps"] for claim in step["claims"]}
    assert {key: (claim["standing"], claim["rule"]) for key, claim in claims.items()} == {
        "rival": ("won", "resource-id"), "shop": ("lost", "resource-id"),
    }  # fmt: skip
    assert claims["shop"]["of"]["freshness"] in {"fresh", "stale"}
    assert found["answer"]["answer"][-1].endswith(" IN A 10.1.0.9")
    found = explain(run, daemon, "kv.vault.azure.net", "--client", "west")
    assert (found["client"], found["client_network"], found["nearest"]) == ("10.2.0.0", "west", None)
    found = explain(run, daemon, "out.corp.example")
    assert found["answer"] is None
    assert found["steps"][-1]["upstream"]["name"] == "www.example.net"
    assert found["steps"][-1]["upstream"]["servers"][0]["server"].startswith("udp://127.0.0.1:")
    assert "upstream group public would be asked for www.example.net" in " ".join(
        run("explain", "out.corp.example", "-c", daemon).out.split()
    )


@pytest.mark.live
def test_the_upstream_is_asked_on_request(run: Run, daemon: Path) -> None:
    """No server listens at its address."""
    found = explain(run, daemon, "out.corp.example", "--ask")
    assert found["answer"]["rcode"] == "SERVFAIL"
    assert found["steps"][-1]["upstream"]["state"] == "failed"
    assert found["steps"][-1]["upstream"]["asked"] is True


@pytest.mark.live
def test_a_client_in_no_network_sees_the_nearest_ones(run: Run, daemon: Path) -> None:
    out = run("explain", "kv.vault.azure.net", "--client", "10.9.0.4", "-c", daemon).out
    assert "└─ 10.9.0.4 is in no network; nearest: east 10.1.0.0/16, west 10.2.0.0/16, east" in out
    assert "west not-visible: no network holds the client's address; it is visible to" in out


@pytest.mark.live
def test_a_daemon_that_runs_another_configuration_is_not_asked(run: Run, daemon: Path, tmp_path: Path) -> None:
    """Unless the user names the daemon. Another path to the same file is the same configuration."""
    other, link = daemon.with_name("other.yaml"), tmp_path / "link.yaml"
    other.write_text(daemon.read_text())
    link.symlink_to(daemon)
    found = explain(run, other, "kv.vault.azure.net", "--client", "10.2.0.1")
    assert (found["worker"], found["configuration"]) == (None, str(other))
    first = " ".join(run("explain", "kv.vault.azure.net", "-c", other).out.split())
    assert re.match(rf"without a daemon \(the one at \S+ runs {daemon}\): from {other} and ", first)
    assert explain(run, link, "kv.vault.azure.net")["worker"] == 0
    admin = daemon_address.admin_url(daemon, daemon, {})
    assert explain(run, other, "kv.vault.azure.net", "--admin", admin)["worker"] == 0
    other.unlink()


@pytest.mark.live
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["https://kv.vault.azure.net/keys"], "is a URL; the name in it is kv.vault.azure.net"),
        (["kv.vault.azure.net", "BOGUS"], "'BOGUS' is not a record type"),
        (["kv.vault.azure.net", "--client", "10.2.0.0/16"], "is a prefix; give one address of it"),
        (["kv.vault.azure.net", "--client", "wets"], "nearest: `west`"),
        (["kv.vault.azure.net", "--worker", "7"], "there is no worker `7`"),
        (["kv.vault.azure.net", "--listener", "here"], "listener: `here` is not an IP address"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_type(run: Run, daemon: Path, arguments: list[str], says: str) -> None:
    ran = run("explain", *arguments, "-c", daemon)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert says in ran.err
