"""The query log of a running daemon: lines in a file, restarts of the logger, and other settings after a reload."""

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, until

Start = Callable[..., Daemon]


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def logged(file: Path, name: str) -> list[dict[str, Any]]:
    """Return the JSON lines of queries for a name."""
    return [found for line in lines(file) if line.startswith("{") and (found := json.loads(line))["name"] == name]


def outputs(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.get("/v1/status")[1]["query_log"]["outputs"]
    return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the user of pldns can reach. Folders of pytest are closed to all but its own user."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def logging(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that logs the queries of clients in the network `near`, masked."""
    daemon = Daemon(
        tmp_path_factory.mktemp("daemon"),
        {
            "query_log": {"to": str(folder / "all.log"), "mask": {"ipv4": 24}, "networks": ["near"]},
            "networks": [
                {"name": "near", "clients": ["127.0.0.0/24"]},
                {"name": "far", "clients": ["127.0.1.0/24"]},
            ],
        },
    )
    try:
        yield daemon.start().ready()
    finally:
        daemon.stop()
    assert "Traceback" not in daemon.log.read_text()


def test_queries_are_in_the_file_with_their_replies(logging: Daemon, folder: Path) -> None:
    file = folder / "all.log"
    for _ in range(2):  # the second one comes from the packet cache
        logging.ask("One.localhost", source="127.0.0.9")
    logging.ask("one.localhost", tcp=True)
    logging.ask("two.invalid", "AAAA")
    logging.ask("one.localhost", source="127.0.1.9")
    until(lambda: logged(file, "two.invalid"))
    found = logged(file, "one.localhost")
    assert [each["proto"] for each in found] == ["udp", "udp", "tcp"]
    assert {(each["client"], each["network"], each["type"], each["rcode"]) for each in found} == {
        ("127.0.0.0", "near", "A", "NOERROR")
    }
    assert {each["flags"] for each in found} == {"qr,aa,rd,ra"}
    assert all(0 < each["port"] < 65536 and each["octets"] > 12 and each["seconds"] >= 0 for each in found)
    (denied,) = logged(file, "two.invalid")
    assert (denied["rcode"], denied["type"]) == ("NXDOMAIN", "AAAA")


def test_the_log_is_in_the_status_and_the_metrics(logging: Daemon, folder: Path) -> None:
    logging.ask("three.localhost")
    until(lambda: outputs(logging)[0]["written"] > 0)
    status = logging.get("/v1/status")[1]
    assert status["query_log"] | {"outputs": []} == {"running": True, "queue_dropped": 0, "outputs": []}
    (output,) = status["query_log"]["outputs"]
    assert (output["output"], output["to"]) == ("lines", str(folder / "all.log"))
    assert (output["dropped"], output["fault"]) == (0, "")
    levels = {each.pop("process"): each for each in status["sandbox"]}
    assert levels["query log"] == levels["worker 0"]
    assert status["memory"]["query_log"] > 1 << 20
    metrics = logging.get("/metrics")[1]
    assert 'pldns_query_log_written_total{output="lines"}' in metrics
    assert 'pldns_query_log_dropped_total{output="lines"} 0.0' in metrics


def test_a_logger_that_dies_starts_again_and_loses_nothing_that_waits(logging: Daemon, folder: Path) -> None:
    file = folder / "all.log"
    until(lambda: logging.children()["query_log"])
    (before,) = logging.children()["query_log"]
    os.kill(before, signal.SIGSTOP)
    logging.ask("waits.localhost")
    os.kill(before, signal.SIGKILL)
    until(lambda: logged(file, "waits.localhost"))
    assert logging.children()["query_log"] != [before]
    text = logging.log.read_text()
    assert text.count(f"query log (pid {before}) was killed by SIGKILL") == 1


def test_a_moved_file_is_begun_again(logging: Daemon, folder: Path) -> None:
    file = folder / "all.log"
    logging.ask("moved.localhost")
    until(lambda: logged(file, "moved.localhost"))
    file.rename(file.with_suffix(".old"))

    def is_begun() -> bool:
        logging.ask("begun.localhost")
        return bool(logged(file, "begun.localhost"))

    until(is_begun)
    assert not logged(file, "moved.localhost")


def test_a_reload_changes_the_log_and_turns_it_off_and_on(logging: Daemon, folder: Path) -> None:
    assert logging.post("/v1/reload", {}) == 200
    (same,) = logging.children()["query_log"]
    section = logging.config.pop("query_log")
    logging.write()
    assert logging.post("/v1/reload", {}) == 200
    until(lambda: not logging.children()["query_log"])
    assert logging.get("/v1/status")[1]["query_log"] is None
    logging.ask("off.localhost")
    logging.config["query_log"] = {"to": str(folder / "other.log"), "classes": ["denial"], "format": "coredns"}
    logging.write()
    assert logging.post("/v1/reload", {}) == 200
    for name in ("on.localhost", "on.invalid"):
        logging.ask(name)
    until(lambda: lines(folder / "other.log"))
    (line,) = lines(folder / "other.log")
    assert line.startswith("[INFO] 127.0.0.1:")
    assert '"A IN on.invalid. udp 39 false 1232" NXDOMAIN qr,aa,rd,ra ' in line
    logging.config["query_log"] = section
    logging.write()
    assert logging.post("/v1/reload", {}) == 200
    until(lambda: logging.children()["query_log"] not in ([], [same]))
    logging.ask("again.localhost")
    until(lambda: logged(folder / "all.log", "again.localhost"))
    assert not logged(folder / "all.log", "off.localhost")


def test_without_the_section_there_is_no_process(start: Start) -> None:
    daemon = start().ready()
    assert not daemon.children()["query_log"]
    assert daemon.get("/v1/status")[1]["query_log"] is None


def test_the_last_queries_are_written_before_the_end(start: Start) -> None:
    daemon = start(query_log={"to": "./queries.log"}, user="root").ready()
    daemon.ask("last.localhost")
    daemon.stop()
    assert len(logged(daemon.directory / "queries.log", "last.localhost")) == 1
