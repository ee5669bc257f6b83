"""`pldns registry` against a running daemon: what people without `az` do, and what is answered after each step."""

import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
import yaml

from resolver.cli import completion, main
from tests.live.daemon import Daemon, until
from tests.live.test_documentation import PLDNS
from tests.paths import ROOT
from tests.ports import free_port

pytestmark = pytest.mark.live
NAME = "acct.blob.core.windows.net"


class Lab(NamedTuple):
    """A daemon with a registry, and what the README's commands have printed."""

    daemon: Daemon
    printed: str

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command against the daemon. Return its output, or the error where `code` is 1."""
        out, error = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            done = main(["registry", *words, "-c", str(self.daemon.path)])
        assert done == code, error.getvalue()
        return (error if code == 1 else out).getvalue()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The daemon of the README's short path, after the commands that do not need `az`."""
    folder: Path = tmp_path_factory.mktemp("registry")
    text = (ROOT / "README.md").read_text()
    section = text.partition("\n## Private endpoints without Azure\n")[2].partition("\n## ")[0]
    found = dict(re.findall(r"^```(yaml|bash)\n(.*?)^```", section, re.DOTALL | re.MULTILINE))
    wanted = yaml.safe_load(found["yaml"])
    pair = trustme.CA().issue_cert("127.0.0.1")
    pair.private_key_pem.write_to_path(str(folder / "dns.key"))
    pair.cert_chain_pems[0].write_to_path(str(folder / "dns.pem"))
    registry = {**wanted["registry"], "listen": f"127.0.0.1:{free_port()}", "hold": 0}
    daemon = Daemon(folder, {"registry": registry, "sources": wanted["sources"]}).start()
    try:
        daemon.ready()
        environment = {**os.environ, "PATH": f"{PLDNS.parent}:{os.environ['PATH']}"}
        ran = subprocess.run(
            ["bash", "-e"],
            input=found["bash"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran
        yield Lab(daemon, ran.stdout)
    finally:
        daemon.stop()
    log = daemon.log.read_text()
    assert "Traceback" not in log, log


def test_the_readme_gets_from_nothing_to_an_approved_endpoint(lab: Lab) -> None:
    network, target, endpoint, connection = lab.printed.splitlines()
    assert network == "hub has the subnets hub/pe (rg)"
    assert target.startswith("acct (rg) can be connected to: blob, blob_secondary, table, ")
    assert endpoint == "pe (rg) is Pending: 10.1.0.4"
    assert connection == "the connection of pe (rg) to acct (rg) is Approved"
    until(lambda: lab.daemon.addresses(NAME) == {"10.1.0.4"})
    heading, row = lab.run("list", "--target", "acct").splitlines()
    assert heading.split() == ["ENDPOINT", "STATE", "TARGET", "SUB-RESOURCE", "SUBNET", "ADDRESSES", "NAMES"]
    assert row.split() == ["pe", "Approved", "acct", "(rg)", "blob", "hub/pe", "(rg)", "10.1.0.4", NAME]


def test_an_owner_rejects_and_approves(lab: Lab) -> None:
    asked = ("--subnet", "hub/pe", "--target", "acct", "--sub-resource", "file", "--manual", "--message", "Please")
    lab.run("create", "endpoint", "shop", *asked)
    heading, row = lab.run("connections", "--state", "pending").splitlines()
    assert heading.split() == ["CONNECTION", "STATE", "TARGET", "SUB-RESOURCE", "MESSAGE", "DESCRIPTION"]
    assert row.split()[1:] == ["Pending", "acct", "(rg)", "file", "Please", "Awaiting", "approval"]
    name = "acct.file.core.windows.net"
    assert not lab.daemon.addresses(name)
    assert lab.run("approve", "sho", code=1).endswith("Names that begin with 'sho': shop.\n")
    assert lab.run("approve", "shop", "--reason", "yes") == "the connection of shop (rg) to acct (rg) is Approved\n"
    until(lambda: lab.daemon.addresses(name) == {"10.1.0.5"})
    assert json.loads(lab.run("reject", "SHOP", "-o", "json"))["state"] == "Rejected"
    until(lambda: not lab.daemon.addresses(name))
    words = ["registry", "approve", "-c", str(lab.daemon.path), "shop."]
    ((completed, _),) = completion.candidates(words)
    assert completed.startswith("shop.")
    assert lab.run("approve", "nobody", code=1).startswith("pldns: There is no connection 'nobody' that user ")


def test_what_is_made_can_be_shown_listed_and_deleted(lab: Lab) -> None:
    place = ("--group", "own", "--location", "westeurope")
    lab.run("create", "network", "lab", *place, "--prefix", "10.9.0.0/16", "--subnet", "pe=10.9.1.0/24")
    lab.run("create", "target", "kv", "--type", "Microsoft.KeyVault/vaults", *place)
    assert "lab/pe (own)  westeurope  10.9.1.0/24  0" in lab.run("subnets")
    assert "kv (own)  Microsoft.KeyVault/vaults  westeurope" in lab.run("targets", "--name", "KV")
    made = lab.run("create", "endpoint", "vault", "--subnet", "lab/pe", "--target", "kv", "--address", "10.9.1.20")
    assert made == "vault (own) is Approved: 10.9.1.20, kv.vault.azure.net\n"
    until(lambda: lab.daemon.addresses("kv.vault.azure.net") == {"10.9.1.20"})
    assert "names: kv.vault.azure.net\n" in lab.run("show", "vault")
    assert lab.run("delete", "vault", "--connection") == "vault (own) is disconnected from kv (own)\n"
    until(lambda: not lab.daemon.addresses("kv.vault.azure.net"))
    assert "state: Disconnected\n" in lab.run("show", "vault")
    assert lab.run("delete", "vault") == "vault (own) is deleted\n"
    assert "private endpoint" in lab.run("show", "vault", code=1)
    wrong = ("create", "network", "b", *place, "--prefix", "10.8.0.0/24", "--subnet")
    assert "10.9.1.0/24" in lab.run(*wrong, "a=10.9.1.0/24", code=1)
    assert "NAME=CIDR" in lab.run(*wrong, "a", code=1)


def test_a_change_shows_before_it_is_made_what_it_would_do(lab: Lab) -> None:
    asked = ("--subnet", "hub/pe", "--target", "acct", "--sub-resource", "queue")
    planned = lab.run("create", "endpoint", "two", *asked, "--dry-run", code=2)
    assert "add     endpoint" in planned
    assert "acct.privatelink.queue.core.windows.net" in planned
    assert "no private endpoints" in lab.run("list", "--name", "two")
    lab.run("create", "endpoint", "two", *asked, "--manual")
    assert "add     name" in lab.run("approve", "two", "--dry-run", code=2)
    assert not lab.daemon.addresses("acct.queue.core.windows.net")
    lab.run("approve", "two")
    until(lambda: lab.daemon.addresses("acct.queue.core.windows.net"))
    plan = json.loads(lab.run("reject", "two", "--dry-run", "-o", "json", code=2))
    assert plan["names"] == [{"change": "remove", "name": "acct.privatelink.queue.core.windows.net"}]
    assert "remove  endpoint" in lab.run("delete", "two", "--dry-run", code=2)
    lab.run("create", "endpoint", "three", *asked, "--manual")
    planned = lab.run("approve", "three", "--dry-run", code=2)
    assert "open    warning duplicate-endpoint" in planned, planned
    assert "state: Pending" in lab.run("show", "three")
