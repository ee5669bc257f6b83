"""`pldns registry` against a running daemon: what people without `az` do, and what is answered after each step."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.live.test_documentation import PLDNS
from tests.registry_shapes import NETWORKER, account, endpoint, network

pytestmark = pytest.mark.live
NAME = "acct.blob.core.windows.net"


class Lab(NamedTuple):
    """A daemon with a registry that has a network and a storage account."""

    daemon: Daemon
    client: RegistryClient

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command against the daemon. Return its output, or the error where `code` is another than 0."""
        command: list[str | Path] = [PLDNS, "registry", *words, "-c", self.daemon.path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == code, done
        return str(done.stderr if code else done.stdout)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("registry")
    config, client = configuration(folder)
    daemon = Daemon(folder, config).start()
    try:
        daemon.ready()
        prepare(client)
        yield Lab(daemon, client)
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def test_an_owner_approves_and_rejects(lab: Lab) -> None:
    assert lab.run("list") == "no private endpoints\n"
    assert lab.run("connections") == "no connections\n"
    lab.client.put(network("pe"), endpoint(account(), "blob", manual=True), client=NETWORKER)
    heading, row = lab.run("connections", "--state", "pending").splitlines()
    assert heading.split() == ["CONNECTION", "STATE", "TARGET", "SUB-RESOURCE", "MESSAGE", "DESCRIPTION"]
    assert row.split()[1:] == ["Pending", "acct", "(rg)", "blob", "Please", "Awaiting", "approval"]
    assert not lab.daemon.addresses(NAME)
    assert lab.run("approve", "pe", "--reason", "ticket 7") == "the connection of pe (rg) to acct (rg) is Approved\n"
    until(lambda: lab.daemon.addresses(NAME) == {"10.1.0.4"})
    _, row = lab.run("list", "--target", "acct").splitlines()
    assert row.split() == ["pe", "Approved", "acct", "(rg)", "blob", "hub/pe", "(rg)", "10.1.0.4", NAME]
    assert json.loads(lab.run("reject", "PE", "-o", "json"))["state"] == "Rejected"
    until(lambda: not lab.daemon.addresses(NAME))
    assert lab.run("approve", "nobody", code=1).startswith("pldns: There is no connection 'nobody' that user ")
