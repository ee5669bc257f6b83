"""Processes that an attacker has taken over, under root and under a user of their own. Everything is refused."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file
from resolver.process.sandbox import landlock
from tests.live.sandboxed import PATIENCE, ROOT

pytestmark = pytest.mark.live

CONFIG = """
dns: {listen: ["127.0.0.1:5300"], tls: {listen: ["127.0.0.1:8530"], certificate: ../tls/dns.pem, key: ../tls/dns.key}}
admin: {listen: "127.0.0.1:8053"}
state: {directory: ../state}
upstreams: {public: {servers: ["udp://127.0.0.1:9"]}}
sources:
  - {name: lab, type: files, path: ../sources/endpoints}
  - name: hub
    type: azure
    credential: {type: managed-identity}
    events: {listen: "127.0.0.1:8443", secret: {file: ../sources/webhook.secret}}
"""
ENDPOINT = "endpoints: [{name: e, target: t, group: blob, records: [{fqdn: a.blob.core.windows.net, ips: [10.0.0.4]}]}]"


def world(folder: Path, user: int) -> None:
    """Write a daemon's files, all of them readable and writable by the user of the daemon."""
    pair = trustme.CA().issue_cert("localhost")
    for path, text in {
        "config/pldns.yaml": CONFIG,
        "tls/dns.pem": pair.cert_chain_pems[0].bytes().decode(),
        "tls/dns.key": pair.private_key_pem.bytes().decode(),
        "sources/endpoints/a.yaml": ENDPOINT,
        "sources/webhook.secret": "a secret of sixteen octets and more",
        "other/keep": "",
        "state/lock": "",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    inventory_file.write(str(folder / "state"), [SavedInventory()])  # a valid one stays in place
    for each in (folder, *folder.rglob("*")):
        os.chown(each, user, user)


@pytest.fixture(scope="module", params=[0, 65532], ids=["started as root", "started as 65532"])
def taken(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What the attacks in one daemon obtained."""
    if os.geteuid():
        pytest.skip("only root can make a network namespace and change the user")
    folder = Path(tempfile.mkdtemp(prefix="pldns-taken-"))
    folder.chmod(0o755)
    try:
        world(folder, request.param)
        done = subprocess.run(
            ["unshare", "--mount", "--net", sys.executable, "-m", "tests.live.sandboxed", folder, str(request.param)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=2 * PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("process", ["worker", "control"])
def test_everything_that_an_attacker_tries_is_refused(taken: dict[str, Any], process: str) -> None:
    obtained = {name: result for name, result in taken[process].items() if not result.startswith("refused")}
    assert not obtained


def test_the_environment_of_the_supervisor_shows_nothing_to_anyone(taken: dict[str, Any]) -> None:
    assert not bytes.fromhex(taken["environment"]).strip(b"\0")


def test_control_can_still_ask_the_identity_endpoint(taken: dict[str, Any]) -> None:
    assert taken["identity"] > 0


def test_the_status_shows_the_sandbox_of_each_process(taken: dict[str, Any]) -> None:
    shown = {each.pop("process"): each for each in taken["sandbox"]}
    confined = {"user": 65532, "seccomp": True, "landlock": landlock.version(), "lacks": []}
    assert shown == {"supervisor": confined | {"landlock": 0}, "control": confined, "worker 0": confined}


def test_the_processes_work(taken: dict[str, Any]) -> None:
    assert "Traceback" not in taken["log"]
    assert "all workers are up" in taken["log"]
