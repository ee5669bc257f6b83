"""Two daemons: a hub that reads files, and a spoke that follows it and answers the same."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.live.daemon import PATIENCE, PLDNS, Daemon, until
from tests.ports import free_port
from tests.resolver.control.running import write

pytestmark = pytest.mark.live
NAME, OTHER = "acct.blob.core.windows.net", "b.blob.core.windows.net"


class Pair(NamedTuple):
    hub: Daemon
    spoke: Daemon
    files: Path

    def write(self, file: str, *endpoints: str, fqdn: str = NAME) -> None:
        write(self.files / file, *endpoints, fqdn=fqdn)

    def source(self) -> Any:  # noqa: ANN401 - JSON
        return self.spoke.get("/v1/sources/center")[1]

    def connections(self, start: str) -> float:
        """Return how many connections of spokes the hub has counted."""
        return self.hub.metric("hub_connections_total", start=start) or 0.0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, at = tmp_path_factory.mktemp("hub"), free_port()
    files = folder / "files"
    (folder / "spoke").mkdir()
    write(files / "a.yaml", "one 10.0.0.4")
    hub = Daemon(folder, {"hub": {"listen": f"127.0.0.1:{at}"}, "sources": [_files(files)]})
    following = {"name": "center", "type": "hub", "urls": [f"http://127.0.0.1:{at}"]}
    spoke = Daemon(folder / "spoke", {"sources": [following]})
    hub.start()
    spoke.start()
    try:
        hub.ready()
        spoke.ready()
        yield Pair(hub, spoke, files)
    finally:
        spoke.stop()
        hub.stop()
    for each in (hub, spoke):
        assert "Traceback" not in (text := each.log.read_text()), text


def _files(path: Path) -> dict[str, str]:
    return {"name": "prod", "type": "files", "path": str(path)}


def test_a_spoke_answers_as_its_hub_does_and_follows_each_change(pair: Pair) -> None:
    assert pair.spoke.addresses(NAME) == {"10.0.0.4"}
    pair.write("b.yaml", "two 10.0.0.5", fqdn=OTHER)
    until(lambda: pair.spoke.addresses(OTHER) == {"10.0.0.5"})
    pair.write("a.yaml", "one 10.0.0.6")
    until(lambda: pair.spoke.addresses(NAME) == {"10.0.0.6"})
    source = pair.source()
    assert (source["type"], source["parts"], source["freshness"], source["last_error"]) == ("hub", 2, "fresh", "")
    (item,) = [each for each in pair.spoke.get("/v1/endpoints")[1]["items"] if each["name"] == "one"]
    assert (item["source"], item["where"]) == ("center", f"prod: {pair.files / 'a.yaml'}")
    command = [str(PLDNS), "explain", NAME, "--admin", f"http://127.0.0.1:{pair.spoke.admin}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert "source center (prod: a.yaml): fresh" in shown


def test_a_spoke_that_was_away_gets_only_what_it_lacks(pair: Pair) -> None:
    pair.spoke.stop()
    copies, serials = pair.connections("copy"), pair.connections("serial")
    pair.write("a.yaml", "one 10.0.0.7")
    until(lambda: pair.hub.addresses(NAME) == {"10.0.0.7"})
    pair.spoke.start().ready()
    until(lambda: pair.spoke.addresses(NAME) == {"10.0.0.7"})
    assert (pair.connections("copy"), pair.connections("serial")) == (copies, serials + 1)


def test_a_spoke_answers_without_its_hub_and_copies_again_when_it_is_back(pair: Pair) -> None:
    pair.hub.kill()
    until(lambda: "127.0.0.1" in pair.source()["last_error"])
    assert pair.spoke.addresses(OTHER) == {"10.0.0.5"}
    assert pair.spoke.get("/readyz")[0] == 200
    pair.write("a.yaml", "one 10.0.0.8")
    pair.hub.start().ready()
    until(lambda: pair.spoke.addresses(NAME) == {"10.0.0.8"})
    until(lambda: pair.source()["last_error"] == "")
    assert pair.connections("copy") == 1


def test_a_hub_that_has_lost_its_source_takes_nothing_from_its_spokes(pair: Pair) -> None:
    sources = pair.hub.config["sources"]
    pair.hub.config["sources"] = []
    pair.hub.write()
    os.kill(pair.hub.pid, signal.SIGHUP)
    held = until(lambda: pair.source()["sync"]["held"])
    assert held["reasons"] == ["all 2 private endpoints of the source", "everything of source prod"]
    assert pair.spoke.addresses(NAME) == {"10.0.0.8"}
    pair.hub.config["sources"] = sources
    pair.hub.write()
    os.kill(pair.hub.pid, signal.SIGHUP)
    until(lambda: pair.source()["sync"]["held"] is None)
    assert pair.spoke.addresses(NAME) == {"10.0.0.8"}
    pair.write("a.yaml", "one 10.0.0.9")
    until(lambda: pair.spoke.addresses(NAME) == {"10.0.0.9"})


def test_a_spoke_without_a_token_says_what_to_do(pair: Pair) -> None:
    assert pair.hub.post("/v1/tokens", {"name": "spoke", "role": "read"}) == 201
    assert pair.spoke.post("/v1/sources/center/sync", {"action": "now"}) == 202  # connects again
    until(lambda: "`pldns token new NAME --role read`" in pair.source()["last_error"])
    assert "the hub refuses the token" in str(pair.spoke.get("/v1/status")[1]["degraded"])
    assert pair.spoke.addresses(NAME) == {"10.0.0.9"}
    assert pair.hub.post("/v1/tokens/spoke/revoke", {}) == 200
    wait = {"action": "now", "wait": 30}
    status, reply = pair.spoke.unix("POST", "/v1/sources/center/sync", wait)
    assert (status, reply["result"]["outcome"], reply["last_error"]) == (202, "published", "")
