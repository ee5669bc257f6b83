"""The README and the pages under docs/ are right: commands run, queries get the answers shown, configurations load."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.rdatatype
import pytest
import trustme
import yaml

from resolver.config import file as config
from resolver.sources.azure.protocol import graph_query
from resolver.sources.files import FileSource
from tests.live.daemon import PATIENCE
from tests.paths import ROOT
from tests.ports import free_port
from zones.azure.resource import Resources

EXAMPLE = ROOT / "examples/hub-spoke"
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("bench/*.md")]
)
PLDNS = Path(sys.executable).with_name("pldns")

Start = Callable[..., Any]
Poll = Callable[..., Any]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Return the `pldns` command lines of a page, without prompts."""
    shown = [line for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [line[2:] for line in shown if line.startswith("$ pldns ")]


@pytest.fixture
def example(start: Start, tmp_path: Path) -> Any:  # noqa: ANN401 - a Daemon of conftest
    """A daemon with the example estate, on ports of its own, without an upstream that answers."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))

    wanted = yaml.safe_load((EXAMPLE / "pldns.yaml").read_text())
    return start(**{key: wanted[key] for key in ("sources", "networks", "zones")}).ready()


def answer(daemon: Any, command: str) -> list[str]:  # noqa: ANN401 - as above
    """Send the query of a `dig` command line. Return the answer section as `TYPE rdata`."""
    words = shlex.split(command)
    source = words[words.index("-b") + 1] if "-b" in words else "127.0.0.1"
    plain = [word for word in words[1:] if not word.startswith(("@", "-", "+")) and word not in {"5300", source}]
    name, rtype = plain
    found: dns.message.Message = daemon.ask(name, rtype, source=source)
    return [f"{dns.rdatatype.to_text(rr.rdtype)} {rdata}" for rr in found.answer for rdata in rr]


def test_the_lines_that_make_run_prints_are_answered_as_they_say(example: Any) -> None:  # noqa: ANN401
    lines = (EXAMPLE / "try.txt").read_text().splitlines()
    digs = lines[::2]
    assert [line.split()[0] for line in digs] == ["dig"] * 3
    for dig, promised in zip(digs, lines[1::2], strict=True):
        pairs = promised.removeprefix("# ").split()
        assert answer(example, dig) == [f"{t} {value}" for t, value in zip(pairs[::2], pairs[1::2], strict=True)]


def test_the_queries_in_the_readme_are_answered_as_shown(example: Any) -> None:  # noqa: ANN401
    (block,) = [block for block in blocks(ROOT / "README.md", "console") if "$ dig" in block]
    shown: dict[str, list[str]] = {}
    command = ""
    for line in block.splitlines():
        if line.startswith("$ "):
            command = line[2:]
        else:
            shown.setdefault(command, []).append(" ".join(line.split()[3:]))
    assert len(shown) == 2
    for command, lines in shown.items():
        assert answer(example, command) == lines


def test_the_finding_in_the_readme_is_what_the_daemon_says(example: Any) -> None:  # noqa: ANN401
    (shown,) = map(json.loads, blocks(ROOT / "README.md", "json"))
    status, said = example.get("/v1/findings?code=address-reused")
    assert status == 200
    for page in (shown, said):
        for item in page["items"]:
            assert {"first_seen", "age"} <= item.keys()
            del item["first_seen"], item["age"]
    assert said == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_configuration_on_a_page_is_accepted(page: Path, tmp_path: Path) -> None:
    pair = trustme.CA().issue_cert("localhost")
    (tmp_path / "dns.key").write_bytes(pair.private_key_pem.bytes())
    (tmp_path / "dns.pem").write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    for text in blocks(page, "yaml"):
        if any(key in text for key in ("dns:", "sources:", "upstreams:")):
            (tmp_path / "pldns.yaml").write_text(text)
            assert config.load(tmp_path / "pldns.yaml", {}).worker.listen


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_on_a_page_runs(page: Path, example: Any) -> None:  # noqa: ANN401 - a Daemon of conftest
    for line in commands(page):
        words = [str(PLDNS), *shlex.split(line)[1:]]
        if words[1] == "cache":  # these commands ask a running daemon
            words += ["-c", str(example.path)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode in {0, 2}, (line, done.stderr)
        assert done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_on_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


def test_make_run_serves_and_ends_with_make(poll: Poll, tmp_path: Path) -> None:
    """The ports and the state directory are not those of the example, because another copy may run on the machine."""
    listen = f"127.0.0.1:{free_port()}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment |= {
        "PLDNS_DNS__LISTEN": json.dumps([listen]),
        "PLDNS_ADMIN__LISTEN": f"127.0.0.1:{free_port()}",
        "PLDNS_STATE__DIRECTORY": str(tmp_path / "state"),
    }
    with (tmp_path / "log").open("wb") as log:
        make = subprocess.Popen(
            ["make", "run"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        poll(lambda: "all sources have data" in (tmp_path / "log").read_text())
        dig = (EXAMPLE / "try.txt").read_text()
        assert (tmp_path / "log").read_text().startswith(dig)
        command = [str(PLDNS), "query", "stcontososhop.blob.core.windows.net", "--server", listen]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        assert "10.1.2.7" in done.stdout
        make.send_signal(signal.SIGTERM)
        make.wait(PATIENCE)
        poll(lambda: not _group(make.pid))
    finally:
        for pid in _group(make.pid):
            os.kill(pid, signal.SIGKILL)
        make.wait(PATIENCE)


def _group(leader: int) -> list[int]:
    """Return the ids of the living processes in the group that `make` started."""
    out = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            out.append(int(stat.parent.name))
    return out


AZ = """#!/usr/bin/env python3
import json, sys
words = sys.argv[1:]
group = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Network"
if words[0] == "account":
    print("s1\\ns2")
elif words[0] == "network":
    at = group.format(words[words.index("--subscription") + 1])
    endpoint = {"id": at + "/privateEndpoints/pe", "privateLinkServiceConnections": []}
    nic = {"id": at + "/networkInterfaces/nic", "privateEndpoint": {"id": endpoint["id"]}, "ipConfigurations": []}
    vnet = {"id": at + "/virtualNetworks/vnet", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    print(json.dumps([{"private-endpoint": endpoint, "nic": nic, "vnet": vnet}[words[1]]]))
else:
    page = int(words[words.index("--skip-token") + 1]) if "--skip-token" in words else 0
    kind = "virtualNetworks" if "virtualnetworks" in words[words.index("-q") + 1] else "privateEndpoints"
    rows = [{"id": group.format("s1") + f"/{kind}/{page}", "properties": {"addressSpace": {"addressPrefixes": []}}}]
    token = str(page + 1) if page < 2 else None
    print(json.dumps({"count": 1, "data": rows, "skip_token": token, "total_records": 3}, indent=2))
"""


JQ = """#!/usr/bin/env python3
import json, sys
assert sys.argv[1:3] == ["-r", ".skip_token // empty"]
print(json.load(open(sys.argv[3]))["skip_token"] or "")
"""


def test_the_scripts_that_export_files_give_a_whole_estate(tmp_path: Path) -> None:
    """The scripts run with stand-ins for `jq` and for `az`, which has two subscriptions and three pages a query."""
    page = ROOT / "docs/files.md"
    network, graph = blocks(page, "sh")
    endpoints, vnets = blocks(page, "kusto")
    assert (endpoints.rstrip(), vnets.rstrip()) == (graph_query.ENDPOINTS, graph_query.VNETS)
    (tmp_path / "endpoints.kql").write_text(endpoints)
    (tmp_path / "vnets.kql").write_text(vnets)
    for name, text in (("az", AZ), ("jq", JQ)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for script, files, resources in (
        (network, {"private-endpoint.json", "nic.json", "vnet.json"}, (2, 2, 2)),
        (graph, {"graph-endpoints.json", "graph-vnets.json"}, (3, 0, 3)),
    ):
        folder = tmp_path / "endpoints"
        folder.mkdir()
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, timeout=PATIENCE, check=True)
        assert {file.name for file in folder.iterdir()} == files
        scan = FileSource(str(folder), set()).scan()
        found = Resources.joined(part for _, part in scan.changes if isinstance(part, Resources))
        assert (len(found.endpoints), len(found.nics), len(found.vnets)) == resources
        assert (scan.incomplete, found.faults) == ({}, ())
        shutil.rmtree(folder)
