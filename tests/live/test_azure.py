"""A daemon that follows the fake Azure: real processes, the real identity library, real HTTP."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.cloud import LiveCloud, estate
from tests.live.daemon import PLDNS, Daemon, until

Start = Callable[..., Daemon]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Callable[..., LiveCloud]]:
    """Start fake Azures. All of them are stopped at the end."""
    clouds: list[LiveCloud] = []

    def make(*resources: Any) -> LiveCloud:  # noqa: ANN401 - JSON
        clouds.append(LiveCloud(tmp_path, *resources))
        return clouds[-1]

    yield make
    for each in clouds:
        each.stop()


@pytest.fixture
def follow(start: Start, monkeypatch: pytest.MonkeyPatch) -> Callable[[LiveCloud], Daemon]:
    def follow_one(cloud: LiveCloud) -> Daemon:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        source = {"name": "hub", "type": "azure", "management": cloud.given["management"], "interval": "10s"}
        return start(sources=[source], networks="auto")

    return follow_one


def test_a_daemon_answers_from_azure_and_from_its_saved_inventory(
    cloud: Callable[..., LiveCloud], follow: Callable[[LiveCloud], Daemon], is_living: Callable[[int], bool]
) -> None:
    azure = cloud(*estate({"acct": "10.0.0.4"}))
    daemon = follow(azure).ready()
    assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}
    (source,) = daemon.get("/v1/sources")[1]["items"]
    assert (source["synced"], source["saved"], source["freshness"]) == (True, False, "fresh")
    assert source["sync"]["calls_per_hour"] > 0
    assert daemon.metric("sync_requests_total", source="hub", asked="graph", status="200")
    (network,) = [each for each in daemon.get("/v1/networks")[1]["items"] if each["origin"] == "auto"]
    assert network["clients"] == ["127.0.0.0/8"]
    daemon.stop()
    azure.stop()  # nobody answers from now on: the saved inventory is served before any network call
    daemon.start().ready()
    assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}
    until(lambda: daemon.get("/v1/sources")[1]["items"][0]["last_error"])
    assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}


def test_no_environment_shows_the_identity(
    cloud: Callable[..., LiveCloud], follow: Callable[[LiveCloud], Daemon]
) -> None:
    daemon = follow(cloud(*estate({"acct": "10.0.0.4"}))).ready()
    children = daemon.children()
    for pid in (daemon.pid, *children["worker"], *children["control"]):
        assert b"IDENTITY_HEADER" not in Path(f"/proc/{pid}/environ").read_bytes()
        os.kill(pid, signal.SIGCONT)  # it is alive


def test_the_plan_shows_what_the_next_sync_would_change(
    cloud: Callable[..., LiveCloud], follow: Callable[[LiveCloud], Daemon]
) -> None:
    azure = cloud(*estate({"acct": "10.0.0.4"}))
    daemon = follow(azure).ready()
    daemon.stop()
    azure.stop()
    later = cloud(*estate({"acct": "10.0.0.4", "more": "10.0.0.5"}))
    config = daemon.path.read_text().replace(azure.given["management"], later.given["management"])
    daemon.path.write_text(config)
    environment = os.environ | later.environment
    command = [str(PLDNS), "plan", "-c", str(daemon.path), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2, done.stderr
    planned = json.loads(done.stdout)
    assert {(each["change"], each["id"].rpartition("/")[2]) for each in planned["endpoints"]} == {("add", "pe-more")}
    assert {each["name"] for each in planned["names"]} >= {"more.privatelink.blob.core.windows.net"}


def test_a_file_exported_with_azure_is_served_on_a_machine_without_azure(
    cloud: Callable[..., LiveCloud], tmp_path: Path, start: Start
) -> None:
    azure = cloud(*estate({"acct": "10.0.0.4"}))
    config = tmp_path / "online.yaml"
    config.write_text(
        f"sources: [{{name: hub, type: azure, management: '{azure.given['management']}'}}]\n"
        "networks: auto\nupstreams: {public: {servers: ['udp://127.0.0.1:9']}}\n"
    )
    command = [str(PLDNS), "export", str(tmp_path / "copy.json"), "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | azure.environment, check=False)
    assert done.returncode == 0, done.stderr
    azure.stop()
    daemon = start(sources=[{"name": "copy", "type": "files", "path": "./copy.json"}], networks="auto").ready()
    assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}
