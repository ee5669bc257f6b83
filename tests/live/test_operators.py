"""What operators change in a running daemon, seen from outside: one daemon for all of it."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

ESTATE = """
endpoints:
  - {name: one, target: a, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}
  - {name: two, target: b, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.5]}]}
"""
NAME = "acct.blob.core.windows.net"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("operators")
    (folder / "endpoints").mkdir()
    (folder / "endpoints" / "a.yaml").write_text(ESTATE)
    made = Daemon(folder, {"sources": [{"name": "estate", "type": "files", "path": "./endpoints"}]})
    made.config["admin"] |= {"socket": "auto"}
    made.write()
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


def test_draining_makes_it_unready_and_goes_on_answering(daemon: Daemon) -> None:
    assert daemon.post("/v1/drain", {"draining": True}) == 200
    status, body = daemon.get("/readyz")
    assert (status, body["missing"]) == (503, ["draining"])
    assert daemon.addresses(NAME) == {"10.1.0.4"}
    assert daemon.post("/v1/drain", {"draining": False}) == 200
    assert daemon.get("/readyz")[0] == 200


def test_a_log_level_holds_for_all_processes_and_goes_back_by_itself(daemon: Daemon) -> None:
    usual = {"level": "info", "configured": "info", "until": None}
    assert daemon.post("/v1/log-level", {"level": "error", "seconds": 3600}) == 202
    until(lambda: level(daemon)["level"] == "error")
    before = len(daemon.log.read_text())
    assert daemon.post("/v1/drain", {"draining": False}) == 200  # its audit line has the level info
    assert "audit" not in daemon.log.read_text()[before:]
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    until(lambda: daemon.children()["control"] not in ([], [control]))
    until(lambda: level(daemon).get("until"))  # the next control has the level, and knows when it ends
    assert level(daemon)["level"] == "error"
    assert daemon.post("/v1/log-level", {"level": "warning", "seconds": 1}) == 202
    until(lambda: level(daemon) == usual)
    assert "warning supervisor the log level of all processes is now info" in daemon.log.read_text()
    daemon.ready()


def level(daemon: Daemon) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return the log level; nothing while control is absent."""
    return daemon.unix("GET", "/v1/log-level")[1] or {}


def test_a_pin_is_served_at_once_and_after_a_restart(daemon: Daemon) -> None:
    assert daemon.post("/v1/pins", {"name": NAME, "endpoint": "two", "reason": "on call"}) == 200
    until(lambda: daemon.addresses(NAME) == {"10.1.0.5"})
    daemon.stop()
    daemon.start().ready()
    assert daemon.addresses(NAME) == {"10.1.0.5"}
    (pin,) = daemon.get("/v1/pins")[1]["items"]
    assert pin["reason"] == "on call"
