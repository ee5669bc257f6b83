"""The supervisor with real processes: small replacements for control and workers that start as the real ones do."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import pair
from tests.resolver.supervisor.small_daemon import Daemon, configure, runs, until


def test_each_child_gets_its_part_of_the_accepted_configuration(start: Callable[..., Daemon], folder: Path) -> None:
    daemon = start().up()
    request = json.loads((folder / "request.json").read_text())
    assert request == {"path": str(folder / "pldns.yaml"), "flags": {"dns.workers": "2"}}
    assert daemon.ask("settings") == {"allow": ["127.0.0.0/8"]}
    assert "warning supervisor a warning from the configuration\n" in daemon.log
    assert (folder / "state").stat().st_mode & 0o777 == 0o700


def test_a_worker_has_no_credentials_and_can_gain_no_privileges(start: Callable[..., Daemon]) -> None:
    daemon = start(AZURE_CLIENT_SECRET="s", IDENTITY_HEADER="h", NOTIFY_SOCKET="@none", LC_ALL="C.UTF-8").up()  # noqa: S106 - of the test
    environment = daemon.ask("environment")
    assert environment["LC_ALL"] == "C.UTF-8"
    allowed = re.compile(r"PATH|LANG|LANGUAGE|LC_\w+|TZ|PYTHON\w*|LD_LIBRARY_PATH|SSL_CERT_\w+")
    assert [name for name in environment if not allowed.fullmatch(name)] == []
    status = daemon.ask("status")
    assert status["NoNewPrivs"].strip() == "1"
    ignored = int(status["SigIgn"], 16)
    assert ignored & 1 << signal.SIGINT - 1
    assert int(status["SigBlk"], 16) == 0


def test_the_supervisor_connects_a_worker_to_control_and_to_nothing_else(
    start: Callable[..., Daemon], folder: Path
) -> None:
    daemon = start().up()
    assert daemon.ask("connect") == {"greeting": f"0 {daemon.pid('worker 0')}"}
    assert daemon.ask("elsewhere") == {"error": "[Errno 13] Permission denied"}
    (directory,) = folder.glob("pldns-*")
    assert directory.stat().st_mode & 0o777 == 0o700
    assert daemon.stop() == 0
    assert not directory.exists()


def test_packets_wait_while_a_killed_worker_is_replaced(start: Callable[..., Daemon]) -> None:
    daemon = start().up()
    before = daemon.ask()
    os.kill(before["pid"], signal.SIGKILL)
    after = daemon.ask()
    assert after["worker"] == before["worker"]
    assert after["pid"] != before["pid"]
    with socket.create_connection(daemon.address, 10) as tcp:
        assert tcp.recv(16) == b"0"
    assert f"warning supervisor worker 0 (pid {before['pid']}) was killed by SIGKILL; restarting in 0.1 s" in daemon.log


def test_workers_answer_while_control_is_replaced_and_their_connects_wait(start: Callable[..., Daemon]) -> None:
    daemon = start().up()
    worker, control = daemon.ask()["pid"], daemon.pid("control")
    os.kill(control, signal.SIGKILL)
    assert daemon.ask()["pid"] == worker
    until(lambda: not runs(control))
    assert daemon.ask("connect") == {"greeting": f"0 {worker}"}
    assert daemon.pid("control") != control


def test_only_the_first_control_gets_the_parsed_zones(start: Callable[..., Daemon], folder: Path) -> None:
    daemon = start().up()
    first = daemon.pid("control")
    until((folder / f"zones-{first}").exists)
    os.kill(first, signal.SIGKILL)
    until(lambda: daemon.pid("control") != first)
    until((folder / f"zones-{daemon.pid('control')}").exists)
    assert (folder / f"zones-{first}").read_text() == "parsed zones"
    assert (folder / f"zones-{daemon.pid('control')}").read_text() == "none"


def test_a_worker_that_fails_at_once_is_started_with_growing_delays(start: Callable[..., Daemon], folder: Path) -> None:
    (folder / "refuse-0").touch()
    daemon = start()
    until(lambda: "restarting in 0.4 s" in daemon.log)
    delays = re.findall(r"worker 0 \(pid \d+\) exited with status 3; restarting in ([\d.]+) s", daemon.log)
    assert delays[:3] == ["0.1", "0.2", "0.4"]
    (folder / "refuse-0").unlink()
    daemon.up()


def test_a_command_that_cannot_be_executed_is_retried(start: Callable[..., Daemon], folder: Path) -> None:
    launcher = folder / "launcher.py"
    launcher.write_text(launcher.read_text().replace("control = [sys.executable", "control = ['/no/such/program'"))
    daemon = start().up()
    until(lambda: "control could not be started" in daemon.log and "restarting in 0.2 s" in daemon.log)
    assert daemon.stop() == 0


def test_no_child_outlives_a_killed_supervisor(start: Callable[..., Daemon]) -> None:
    daemon = start().up()
    children = [daemon.pid("worker 0"), daemon.pid("control")]
    assert all(map(runs, children))
    daemon.process.kill()
    until(lambda: not any(map(runs, children)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_process_group_ends_all_processes_and_frees_the_ports(
    start: Callable[..., Daemon], number: signal.Signals
) -> None:
    daemon = start().up()
    children = [daemon.pid("worker 0"), daemon.pid("control")]
    os.killpg(daemon.process.pid, number)
    assert daemon.process.wait(15) == 0
    assert not any(map(runs, children))
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.bind(daemon.address)
    assert "Traceback" not in daemon.log


def test_a_worker_that_does_not_end_is_killed(start: Callable[..., Daemon], folder: Path) -> None:
    (folder / "deaf").touch()
    daemon = start().up()
    worker = daemon.pid("worker 0")
    assert daemon.stop() == 0
    assert not runs(worker)
    assert "warning supervisor worker 0 does not end; killing it\n" in daemon.log


def test_a_refused_configuration_logs_only_its_own_errors(start: Callable[..., Daemon], folder: Path) -> None:
    (folder / "refuse").touch()
    daemon = start()
    assert daemon.process.wait(15) == 1
    assert daemon.log == "pldns.yaml:1:1: no\n"


def test_a_second_instance_on_the_port_is_refused_in_one_line(start: Callable[..., Daemon], folder: Path) -> None:
    first = start().up()
    listen = "{}:{}".format(*first.address)
    configure(folder, listen, state="other")
    second = start()
    assert second.process.wait(15) == 1
    assert second.log == f"error supervisor cannot listen on udp {listen}: address already in use\n"
    assert first.ask()["worker"] == 0


def test_a_second_instance_on_the_state_directory_is_refused_in_one_line(
    start: Callable[..., Daemon], folder: Path
) -> None:
    start().up()
    second = start()
    assert second.process.wait(15) == 1
    assert second.log == f"error supervisor the state directory {folder / 'state'} is used by another pldns\n"


def test_after_a_killed_supervisor_the_next_one_can_start(start: Callable[..., Daemon]) -> None:
    first = start().up()
    children = [first.pid("worker 0"), first.pid("control")]
    first.process.kill()
    until(lambda: not any(map(runs, children)))
    assert start().up().ask()["worker"] == 0


def test_orphans_of_other_processes_are_reaped(start: Callable[..., Daemon]) -> None:
    daemon = start().up()
    orphan = daemon.ask("orphan")["pid"]
    parent = Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[1]
    assert int(parent) == daemon.process.pid
    os.kill(orphan, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{orphan}").exists())
    assert daemon.ask()["worker"] == 0


def test_sockets_from_systemd_are_shared_by_all_workers(start: Callable[..., Daemon], folder: Path) -> None:
    configure(folder, workers=2)
    tcp, udp = pair()
    with tcp, udp:
        tcp.listen()
        daemon = start(udp.fileno(), tcp.fileno()).up()
        assert daemon.address == udp.getsockname()
    assert f"{daemon.address[1]} (from systemd)\n" in daemon.log
    (folder / "refuse-1").touch()
    os.kill(daemon.pid("worker 1"), signal.SIGKILL)
    assert {daemon.ask()["worker"] for _ in range(20)} == {0}
    assert daemon.ask()["adopted"] == []
    with socket.create_connection(daemon.address, 10) as client:
        assert client.recv(16) == b"0"


def test_systemd_sees_readiness_status_a_heartbeat_and_the_stop(start: Callable[..., Daemon], folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(60)

        def wait_for(message: bytes) -> None:
            while message not in manager.recv(4096).split(b"\n"):
                pass

        daemon = start(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="100000")
        wait_for(b"READY=1")
        wait_for(b"STATUS=1 of 1 workers answer; control works")
        wait_for(b"WATCHDOG=1")
        wait_for(b"WATCHDOG=1")
        assert daemon.stop() == 0
        wait_for(b"STOPPING=1")


def test_a_sibling_reads_the_sockets_of_a_worker_that_stays_absent(start: Callable[..., Daemon], folder: Path) -> None:
    configure(folder, workers=2)
    daemon = start().up()
    with daemon.client_of(0) as of_0, daemon.client_of(1) as of_1:
        (folder / "refuse-1").touch()
        os.kill(daemon.pid("worker 1"), signal.SIGKILL)
        answer = daemon.ask(client=of_1)  # the packet waits in the socket until a sibling reads it
        assert answer["worker"] == 0
        assert answer["adopted"] == [1]
        until(lambda: daemon.has_logged("warning supervisor worker 1 is absent; worker 0 reads its sockets\n"))
        (folder / "refuse-1").unlink()
        until(lambda: daemon.ask(client=of_0)["adopted"] == [])
        assert daemon.ask(client=of_1)["worker"] == 1


def test_sockets_adopted_by_a_sibling_that_ends_go_to_the_next(start: Callable[..., Daemon], folder: Path) -> None:
    configure(folder, workers=3)
    daemon = start().up()
    with daemon.client_of(2) as of_2:
        (folder / "refuse-2").touch()
        os.kill(daemon.pid("worker 2"), signal.SIGKILL)
        first = daemon.ask(client=of_2)
        os.kill(first["pid"], signal.SIGKILL)
        second = daemon.ask(client=of_2)
        assert second["pid"] != first["pid"]
        assert 2 in second["adopted"]
