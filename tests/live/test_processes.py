"""A running daemon when processes die, sources fail and ports are in use."""

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.daemon import PATIENCE

pytestmark = pytest.mark.live

Start = Callable[..., Any]
Poll = Callable[..., Any]

NAME = "acct.blob.core.windows.net"


def endpoints(folder: Path, *addresses: str, name: str = NAME, file: str = "a.yaml") -> None:
    """Write a file with one endpoint in the short form, by a rename."""
    folder.mkdir(exist_ok=True)
    endpoint = {"name": file, "target": "t", "group": "blob", "records": [{"fqdn": name, "ips": list(addresses)}]}
    (folder / ".new").write_text(yaml.safe_dump({"endpoints": [endpoint]}))
    (folder / ".new").rename(folder / file)


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    return tmp_path / "endpoints"


SOURCES = [{"name": "lab", "type": "files", "path": "./endpoints"}]


def test_a_killed_worker_is_replaced_and_answers(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    (worker,) = daemon.children()["worker"]
    os.kill(worker, signal.SIGKILL)
    poll(lambda: daemon.children()["worker"] not in ([], [worker]))
    assert poll(lambda: daemon.addresses(NAME)) == {"10.0.0.4"}


def test_a_killed_worker_leaves_its_packets_to_a_sibling(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(dns={"workers": 2}, sources=SOURCES).ready()
    os.kill(daemon.children()["worker"][0], signal.SIGKILL)
    for _ in range(40):
        assert poll(lambda: daemon.addresses(NAME)) == {"10.0.0.4"}


def test_workers_answer_while_control_is_dead(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGSTOP)
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    os.kill(control, signal.SIGKILL)
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    daemon.ready()
    endpoints(estate, "10.0.0.5")
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.5"})


def test_workers_have_priority_over_control(start: Start, estate: Path) -> None:
    daemon = start(sources=SOURCES).ready()
    (control,), (worker,) = (daemon.children()[kind] for kind in ("control", "worker"))
    assert os.getpriority(os.PRIO_PROCESS, control) > os.getpriority(os.PRIO_PROCESS, worker)


def test_a_change_evicts_the_answers_of_its_name_alone(start: Start, estate: Path, poll: Poll) -> None:
    endpoints(estate, "10.0.0.9", name="other.blob.core.windows.net", file="other.yaml")
    daemon = start(sources=SOURCES).ready()
    poll(lambda: daemon.addresses("other.blob.core.windows.net") == {"10.0.0.9"})
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    endpoints(estate, "10.0.0.5")
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.5"})
    endpoints(estate, "10.0.0.6")
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.6"})
    poll(lambda: daemon.metric("answers_evicted_total") == 2.0)


def test_a_start_without_any_data_serves_the_last_table(start: Start, estate: Path, poll: Poll) -> None:
    """The saved inventory is gone, the source fails, and all processes are new."""
    daemon = start(sources=SOURCES).ready()
    daemon.stop()
    estate.rename(estate.with_name("away"))
    (daemon.directory / "state" / "inventory.v3").unlink()
    daemon.start()
    assert poll(lambda: daemon.addresses(NAME)) == {"10.0.0.4"}
    poll(lambda: daemon.get("/readyz")[0] == 503)
    endpoints(estate, "10.0.0.5")
    daemon.ready()
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.5"})


def test_the_last_table_of_another_configuration_is_not_served(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    daemon.stop()
    daemon.path.write_text(yaml.safe_dump(daemon.config | {"sources": [{**SOURCES[0], "path": "./other"}]}))
    (daemon.directory / "state" / "inventory.v3").unlink()
    daemon.start()
    poll(lambda: daemon.get("/readyz")[0] == 503)
    assert daemon.addresses(NAME) == set()


def test_a_control_without_data_removes_nothing_from_workers(start: Start, estate: Path, poll: Poll) -> None:
    """The saved inventory is gone and the source fails, but the workers still have their table."""
    daemon = start(sources=SOURCES).ready()
    estate.rename(estate.with_name("away"))
    shutil.rmtree(daemon.directory / "state")
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    poll(lambda: daemon.children()["control"] not in ([], [control]))
    poll(lambda: daemon.get("/readyz")[0] == 503)
    poll(lambda: daemon.get("/v1/status")[1])
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    estate.with_name("away").rename(estate)
    daemon.ready()
    assert daemon.addresses(NAME) == {"10.0.0.4"}


def test_a_lost_source_does_not_stop_changes_of_another(start: Start, estate: Path, tmp_path: Path, poll: Poll) -> None:
    """The saved inventory is gone and one of two sources fails. The other one is followed, and no name is removed."""
    other = tmp_path / "other"
    endpoints(other, "10.0.1.4", name="b.blob.core.windows.net", file="b.yaml")
    sources = [*SOURCES, {"name": "other", "type": "files", "path": "./other"}]
    daemon = start(sources=sources).ready()
    daemon.stop()
    other.rename(tmp_path / "away")
    (daemon.directory / "state" / "inventory.v3").unlink()
    daemon.start()
    assert poll(lambda: daemon.addresses(NAME)) == {"10.0.0.4"}
    endpoints(estate, "10.0.0.5")
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.5"})
    assert daemon.get("/readyz")[0] == 503
    assert daemon.addresses("b.blob.core.windows.net") == {"10.0.1.4"}
    endpoints(tmp_path / "away", "10.0.1.5", name="c.blob.core.windows.net", file="b.yaml")
    (tmp_path / "away").rename(other)
    daemon.ready()
    poll(lambda: daemon.addresses("c.blob.core.windows.net") == {"10.0.1.5"})
    assert daemon.addresses("b.blob.core.windows.net") == set()


def test_no_child_outlives_the_supervisor(
    start: Start, estate: Path, poll: Poll, is_living: Callable[[int], bool]
) -> None:
    daemon = start(sources=SOURCES).ready()
    pids = [pid for kind in daemon.children().values() for pid in kind]
    daemon.signal(signal.SIGKILL)
    poll(lambda: not any(map(is_living, pids)))


def test_ctrl_c_to_the_group_stops_all_and_frees_the_port(
    start: Start, estate: Path, poll: Poll, is_living: Callable[[int], bool]
) -> None:
    daemon = start(sources=SOURCES).ready()
    pids = [pid for kind in daemon.children().values() for pid in kind]
    os.killpg(daemon.pid, signal.SIGINT)
    assert daemon.wait() == 0
    assert not any(map(is_living, pids))
    daemon.start().ready()


def test_control_that_ends_before_its_workers_logs_no_error(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(dns={"workers": 2}, sources=SOURCES).ready()
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGTERM)
    poll(lambda: daemon.children()["control"] not in ([], [control]))
    daemon.ready()
    daemon.stop()
    lines = daemon.log.read_text().splitlines()
    assert [line for line in lines if "xception" in line or "Traceback" in line] == []


def test_a_second_instance_exits_1_with_one_line(start: Start, estate: Path, tmp_path: Path) -> None:
    daemon = start(sources=SOURCES).ready()
    other = tmp_path / "other"
    shutil.copytree(tmp_path, other, ignore=shutil.ignore_patterns("state", "other"))
    command = [*daemon.command[:-1], str(other / "pldns.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning")]
    assert len(lines) == 1
    assert f"127.0.0.1:{daemon.port}: address already in use" in lines[0]


def test_a_restart_changes_no_winner(start: Start, estate: Path, poll: Poll) -> None:
    """The second endpoint would win by its id, but the endpoint that had the name before the restart keeps it."""
    endpoints(estate, "10.0.0.9", file="z.yaml")
    (estate / "a.yaml").unlink()
    daemon = start(sources=SOURCES).ready()
    endpoints(estate, "10.0.0.4", file="a.yaml")
    poll(lambda: [f for f in daemon.get("/v1/findings")[1]["items"] if f["rule"] == "incumbent"])
    assert daemon.addresses(NAME) == {"10.0.0.9"}
    daemon.stop()
    daemon.start().ready()
    assert daemon.addresses(NAME) == {"10.0.0.9"}


def test_a_change_is_served_and_a_broken_file_keeps_its_endpoints(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    endpoints(estate, "10.0.0.6", "10.0.0.7")
    poll(lambda: daemon.addresses(NAME) == {"10.0.0.6", "10.0.0.7"})
    (estate / "a.yaml").write_text("endpoints: [{name: a\n")
    (finding,) = poll(lambda: [f for f in daemon.get("/v1/findings")[1]["items"] if f["code"] == "source-unreadable"])
    assert "line" in finding["evidence"]["message"]
    assert finding["subject"].endswith("a.yaml")
    assert daemon.addresses(NAME) == {"10.0.0.6", "10.0.0.7"}
    (estate / "a.yaml").unlink()
    poll(lambda: daemon.get("/v1/findings?code=sync-held")[1]["items"])
    assert daemon.addresses(NAME) == {"10.0.0.6", "10.0.0.7"}
    assert daemon.post("/v1/sources/lab/sync", {"action": "accept"}) == 202
    poll(lambda: not daemon.addresses(NAME))


def test_a_source_that_is_missing_at_the_start_is_waited_for(start: Start, tmp_path: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES)
    poll(lambda: daemon.get("/readyz")[0] == 503)
    assert "lab" in str(daemon.get("/readyz")[1])
    assert daemon.ask(NAME).rcode() == 2  # SERVFAIL: NXDOMAIN or a public address would be wrong
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    daemon.ready()
    assert daemon.addresses(NAME) == {"10.0.0.4"}


def test_hostile_packets_get_an_error_or_nothing_and_do_no_harm(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(sources=SOURCES).ready()
    noise = random.Random(7)  # noqa: S311 - repeatable noise
    loop = bytes.fromhex("000001000001000000000000c00c00010001")
    response = bytes.fromhex("000081800001000000000000") + b"\x04acct\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for packet in [b"", b"\x00", loop, response, *(noise.randbytes(noise.randrange(600)) for _ in range(300))]:
            sock.sendto(packet, ("127.0.0.1", daemon.port))
        sock.sendto(noise.randbytes(65_000), ("127.0.0.1", daemon.port))
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE) as stream:
        stream.sendall(b"\xff\xff" + noise.randbytes(65_535))
        stream.sendall(len(response).to_bytes(2, "big") + response)
    assert poll(lambda: daemon.addresses(NAME)) == {
        "10.0.0.4"
    }  # the packets before may have filled the socket buffer, so ask again
    assert len(daemon.children()["worker"]) == 1
    metrics = daemon.get("/metrics")[1]
    assert "pldns_dns_dropped_total" in metrics
