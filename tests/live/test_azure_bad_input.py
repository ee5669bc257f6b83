"""A daemon without access to Azure: one line says why and how to fix it, and everything else is served."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.fake_azure import shapes
from tests.fake_azure.faults import FakeFault
from tests.live.cloud import ONE, TWO, LiveCloud, estate, source, sync
from tests.live.daemon import PATIENCE, PLDNS, Daemon, until

pytestmark = pytest.mark.live

Start = Callable[..., Daemon]
LOCAL, REMOTE = "local.blob.core.windows.net", "acct.blob.core.windows.net"
NETWORKS = [{"name": "all", "clients": ["127.0.0.0/8"], "reach": ["all"]}]
FILES = {"name": "local", "type": "files", "path": "./endpoints"}
STRANGER = "0c0c0c0c-0000-4000-a000-0000000000cc"
SECRET = {"type": "client-secret", "tenant_id": STRANGER, "client_id": STRANGER, "secret": {"file": "/nonexistent"}}
SOURCES: dict[str, dict[str, Any]] = {
    "hub": {},
    "unassigned": {"credential": {"type": "managed-identity", "client_id": STRANGER}},
    "without-secret": {"credential": SECRET},
    "elsewhere": {"cloud": "china"},
    "mistyped": {"subscriptions": [TWO]},
}
"""The configuration of each source with its mistake. The source `hub` fails only while the cloud has a fault."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    """A fake Azure with one subscription."""
    running = LiveCloud(tmp_path_factory.mktemp("cloud"), *estate({"acct": "10.0.0.4"}), options=("--unlimited",))
    yield running
    running.stop()


def local(folder: Path) -> None:
    """Write the file of the source `local`."""
    (folder / "endpoints").mkdir()
    short = {"endpoints": [{"name": "local", "group": "blob", "records": [{"fqdn": LOCAL, "ips": ["10.9.0.4"]}]}]}
    (folder / "endpoints" / "local.yaml").write_text(yaml.safe_dump(short))


def of(running: LiveCloud, name: str = "hub") -> dict[str, Any]:
    return {"name": name, "type": "azure", "management": running.given["management"], "interval": "1h", **SOURCES[name]}


@pytest.fixture(scope="module")
def shut(cloud: LiveCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon of which only the source of files can be read."""
    folder = tmp_path_factory.mktemp("daemon")
    local(folder)
    cloud.fail(FakeFault("forbidden", path=ONE))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        sources = [FILES, *(of(cloud, name) for name in SOURCES)]
        daemon = Daemon(folder, {"sources": sources, "networks": NETWORKS}).start()
        try:
            for name in SOURCES:
                until(lambda name=name: daemon.get("/v1/sources")[0] and source(daemon, name)["sync"]["results"])  # type: ignore[misc]  # the name of this turn
            yield daemon
        finally:
            daemon.stop()
    assert "Traceback" not in daemon.log.read_text()


class Bad(NamedTuple):
    """A source that cannot be read.

    `said` has parts of the line that explains it, `counted` the kind of request and the status in the metric, `faults`
    the faults of Azure, if the source itself is right.
    """

    source: str
    said: tuple[str, ...]
    counted: tuple[str, str]
    faults: tuple[FakeFault, ...] = ()


BAD = {
    "an identity that is not assigned": Bad(
        "unassigned",
        ("no token: the managed identity is not assigned to this machine", "assign it, or correct", "client_id"),
        ("token", "failed"),
    ),
    "a secret that is not there": Bad(
        "without-secret", ("no token: /nonexistent cannot be read: No such file or directory",), ("token", "failed")
    ),
    "the wrong cloud": Bad(
        "elsewhere",
        ("tokens are refused: they are for another cloud", "set the source's `cloud` to that of its `management`"),
        ("subscriptions", "401"),
    ),
    "the wrong tenant": Bad(
        "hub",
        ("the identity is in another tenant than the subscriptions", "use one of their tenant"),
        ("subscriptions", "401"),
        (FakeFault("status", "arm", status=401, code="InvalidAuthenticationTokenTenant", count=0),),
    ),
    "a clock that is wrong": Bad(
        "hub",
        ("this machine's clock is", "s ahead of Azure's; set it (NTP)"),
        ("subscriptions", "401"),
        (FakeFault("skew", seconds=-4000, count=0),),
    ),
    "no permission on anything": Bad(
        "hub",
        ("the identity can read no subscription", "the role Reader on the subscriptions or on a management group"),
        ("subscriptions", "200"),
        (FakeFault("forbidden", path=ONE),),
    ),
    "a list of subscriptions that may not be read": Bad(
        "hub",
        ("/subscriptions: no permission (HTTP 403", "give the identity the role Reader on the subscriptions"),
        ("subscriptions", "403"),
        (FakeFault("status", "arm", status=403, count=0),),
    ),
    "a subscription that is mistyped, or may not be read": Bad(
        "mistyped",
        (f"{TWO}: no permission, or no such subscription", f"--role Reader --scope /subscriptions/{TWO} --assignee"),
        ("subscriptions", "200"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_source_without_access_has_one_line_with_the_fix(cloud: LiveCloud, shut: Daemon, name: str) -> None:
    bad = BAD[name]
    cloud.fail(*bad.faults)
    assert sync(shut, bad.source) == "failed"
    line = source(shut, bad.source)["last_error"]
    for part in bad.said:
        assert part in line
    reported(shut, bad.source, line)
    assert count(shut, bad) > 0


def test_a_fixed_source_is_read_and_the_others_keep_the_daemon_unready(cloud: LiveCloud, shut: Daemon) -> None:
    cloud.fail()
    assert sync(shut) == "published"
    until(lambda: shut.addresses(REMOTE) == {"10.0.0.4"})
    status, ready = shut.get("/readyz")
    assert status == 503
    missing = [line.partition(":")[0] for line in ready["missing"] if line.startswith("source ")]
    assert missing == [f"source {each}" for each in list(SOURCES)[1:]]
    assert 'pldns_sync_failing{source="hub"} 0' in shut.get("/metrics")[1]


GRAPH_IS_OUT = FakeFault("status", "graph", status=503, count=0)
REFUSED: dict[str, tuple[tuple[FakeFault, ...], str]] = {
    "the role is missing there": (
        (GRAPH_IS_OUT, FakeFault("status", "arm", f"{TWO}/providers", status=403, count=0)),
        f"no permission: give the identity the role Reader on /subscriptions/{TWO} (az role assignment create ",
    ),
    "it is not among those that can be read": (
        (FakeFault("forbidden", path=TWO),), "no permission, or no such subscription in the identity's tenant: "
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_subscription_without_permission_is_reported_and_the_others_are_served(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The daemon is ready. `/readyz` and `pldns sync status` show the subscription that cannot be read."""
    faults, said = REFUSED[name]
    other = shapes.virtual_network(shapes.group(TWO), "spoke", ["10.2.0.0/16"])
    running = LiveCloud(tmp_path, *estate({"acct": "10.0.0.4"}), other, options=("--unlimited",))
    try:
        running.fail(*faults)
        for variable, value in running.environment.items():
            monkeypatch.setenv(variable, value)
        daemon = start(sources=[of(running) | {"subscriptions": [ONE, TWO]}], networks=NETWORKS).ready()
        until(lambda: daemon.addresses(REMOTE) == {"10.0.0.4"})
        status, ready = daemon.get("/readyz")
        assert (status, ready["missing"], ready["degraded_total"]) == (200, [], 1)
        (degraded,) = ready["degraded"]
        assert (degraded["source"], degraded["scope"]) == ("hub", TWO)
        assert degraded["message"].startswith(said)
        command = [str(PLDNS), "sync", "status", "--admin", f"http://127.0.0.1:{daemon.admin}"]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert f"source hub: {TWO}: {degraded['message']}\n" in shown.stdout
        running.fail()
        assert sync(daemon) == "published"
        assert daemon.get("/readyz")[1]["degraded"] == []
    finally:
        running.stop()


def reported(daemon: Daemon, name: str, line: str) -> None:
    """Check that the line is in the log, `/readyz`, the metrics and the findings, and that other sources are served."""
    assert "\n" not in line
    assert f"source {name}: {line}" in daemon.log.read_text()
    status, ready = daemon.get("/readyz")
    assert status == 503
    assert f"source {name}: {line}" in ready["missing"]
    assert f'pldns_sync_failing{{source="{name}"}} 1' in daemon.get("/metrics")[1]
    found = daemon.get("/v1/findings?code=source-unreadable")[1]["items"]
    assert {each["subject"]: each["evidence"]["message"] for each in found}[name] == line
    until(lambda: daemon.addresses(LOCAL) == {"10.9.0.4"})


def count(daemon: Daemon, bad: Bad) -> float:
    """Return the value of the metric that counts the failed requests."""
    asked, came = bad.counted
    return daemon.metric("sync_requests_total", source=bad.source, asked=asked, status=came) or 0.0


NOBODY = {
    "there is none": ({"AZURE_TOKEN_CREDENTIALS": "dev"}, "no identity: give this machine a managed identity"),
    "its endpoint does not answer": (
        {"IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token", "IDENTITY_HEADER": "h"},
        "no token: 127.0.0.1:9 issues tokens and cannot be reached: ",
    ),
}
"""The environment of a machine without an identity, and the error. `dev` stops the search for a metadata service."""


@pytest.mark.parametrize("name", NOBODY)
def test_without_an_identity_the_rest_is_served(
    cloud: LiveCloud, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    environment, said = NOBODY[name]
    for variable in [each for each in os.environ if each.startswith(("AZURE_", "IDENTITY_", "MSI_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PATH", "/nonexistent")  # no command-line tool that is signed in to Azure
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    local(tmp_path)
    daemon = start(sources=[FILES, of(cloud)], networks=NETWORKS)
    line = until(lambda: daemon.get("/v1/sources")[0] and source(daemon)["last_error"])
    assert line.startswith(said)
    reported(daemon, "hub", line)
    assert daemon.metric("sync_requests_total", source="hub", asked="token", status="failed") == 1.0
