"""The supervisor with real processes: small replacements for control and workers that start as the real ones do."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resolver.host_port import parse
from resolver.settings import Accepted, ControlSettings, WorkerSettings
from tests.ports import pair

LAUNCHER = """
import ctypes, os, sys
from pathlib import Path
from resolver.supervisor import supervisor
from resolver.supervisor.serve import Commands, serve

folder = Path(sys.argv[1])
supervisor.DRAIN = 0.5  # seconds; the test workers have no queries in flight
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: inherit orphans like PID 1
if len(sys.argv) > 2:
    for fd, source in enumerate(map(int, sys.argv[2:]), 3):
        os.dup2(source, fd)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sys.argv) - 2)}
accept = [sys.executable, str(folder / "accept.py")]
control = [sys.executable, str(folder / "control.py")]
worker = [sys.executable, str(folder / "worker.py")]
sys.exit(serve(folder / "pldns.yaml", {"dns.workers": "2"}, Commands(accept, control, worker)))
"""

ACCEPT = """
import json, os, sys
from pathlib import Path

folder = Path(__file__).parent
request = json.load(sys.stdin)
os.write(request.pop("zones"), b"parsed zones")
(folder / "request.json").write_text(json.dumps(request))
sys.stdout.write((folder / "accepted.json").read_text())
if (folder / "refuse").exists():
    sys.exit("pldns.yaml:1:1: no")
"""

# Writes the parsed zones to a file. Sends the index of the admitted worker on each connection to the channel.
CONTROL = """
import os, signal, sys
from pathlib import Path
from resolver.process import bootstrap

control = bootstrap.begin_control(sys.argv[1:])
zones = b"none" if control.zones is None else os.read(control.zones, 99)
file = Path(__file__).parent / f"zones-{os.getpid()}"
file.with_suffix(".new").write_bytes(zones)
file.with_suffix(".new").rename(file)
control.channel.settimeout(None)
while True:
    connection, _ = control.channel.accept()
    connection.send(str(control.workers.admit(connection)).encode())
"""

# Answers each UDP packet with facts about itself, and each TCP connection with its index.
WORKER = """
import json, os, select, signal, socket, subprocess, sys
from pathlib import Path
from resolver.process import bootstrap, orders

worker = bootstrap.begin_worker(sys.argv[1:])
folder = Path(__file__).parent
if (folder / f"refuse-{worker.index}").exists():
    sys.exit(3)
if (folder / "deaf").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
adopted = {}
worker.orders.send_ready()
while True:
    sockets = [*worker.sockets, *(each for own in adopted.values() for each in own)]
    for each in select.select([worker.orders, *sockets], [], [])[0]:
        if each is worker.orders:
            for order in worker.orders.receive():
                if isinstance(order, orders.Adopt):
                    adopted[order.index] = order.sockets
                else:
                    adopted.pop(order.index)
            break
        try:
            if each.type is socket.SOCK_STREAM:
                each.accept()[0].send(b"%d" % worker.index)
                continue
            question, client = each.recvfrom(512)
        except BlockingIOError:
            continue
        answer = {"worker": worker.index, "pid": os.getpid(), "adopted": list(adopted)}
        if question == b"environment":
            answer = dict(os.environ)
        elif question == b"status":
            answer = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        elif question == b"settings":
            answer = {"allow": worker.settings.allow}
        elif question == b"admitted":
            with socket.socket(socket.AF_UNIX) as channel:
                channel.connect(worker.channel)
                answer = {"index": channel.recv(16).decode()}
        elif question == b"orphan":
            shell = subprocess.run(["sh", "-c", "sleep 60 >/dev/null & echo $!"], stdout=-1, check=True)
            answer = {"pid": int(shell.stdout)}
        each.sendto(json.dumps(answer).encode(), client)
"""


class Daemon:
    """`serve` as a process, with its log."""

    def __init__(self, folder: Path, *descriptors: int, **environ: str) -> None:
        self.log_path = folder / f"log-{time.monotonic_ns()}"
        command = [sys.executable, str(folder / "launcher.py"), str(folder), *map(str, descriptors)]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder), **environ},
                pass_fds=descriptors,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def up(self) -> "Daemon":
        until(lambda: "all workers are up" in self.log or self.process.poll() is not None)
        assert self.process.poll() is None, self.log
        return self

    @property
    def address(self) -> tuple[str, int]:
        found = re.search(r"listening on ([\d.]+):(\d+)", self.log)
        assert found, self.log
        return found[1], int(found[2])

    def pid(self, name: str) -> int:
        """Return the id of the newest process with this name."""
        return int(re.findall(rf"{name} started \(pid (\d+)\)", self.log)[-1])

    def ask(self, question: str = "", client: socket.socket | None = None) -> dict[str, Any]:
        with contextlib.ExitStack() as stack:
            if not client:
                client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                client.settimeout(60)
                client.connect(self.address)
            client.send(question.encode())
            answer: dict[str, Any] = json.loads(client.recv(4096))
            return answer

    def client_of(self, index: int) -> socket.socket:
        """Return a client that the kernel has assigned to this worker's socket."""
        while True:
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.settimeout(60)
            client.connect(self.address)
            if self.ask(client=client)["worker"] == index:
                return client
            client.close()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        signal.sigtimedwait([], 0.01)  # leave the processor to others between two checks


def runs(pid: int) -> bool:
    """Return whether the process runs; an unreaped zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"launcher": LAUNCHER, "accept": ACCEPT, "control": CONTROL, "worker": WORKER}.items():
        (tmp_path / f"{name}.py").write_text(text)
    configure(tmp_path)
    return tmp_path


def configure(folder: Path, listen: str = "127.0.0.1:0", workers: int = 1, state: str = "state") -> None:
    accepted = Accepted(
        path=str(folder / "pldns.yaml"),
        worker=WorkerSettings(listen=(parse(listen),), allow=("127.0.0.0/8",)),
        control=ControlSettings(state_directory=str(folder / state), workers=workers),
        workers=workers,
        warnings=("a warning from the configuration",),
    )
    (folder / "accepted.json").write_bytes(msgspec.json.encode(accepted))


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Daemon]]:
    daemons: list[Daemon] = []

    def call(*descriptors: int, **environ: str) -> Daemon:
        daemons.append(Daemon(folder, *descriptors, **environ))
        return daemons[-1]

    yield call
    for daemon in daemons:
        daemon.process.kill()
        daemon.process.wait()


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
    allowed = re.compile(r"PATH|LANG|LANGUAGE|LC_\w+|TZ|PYTHON\w*|LD_LIBRARY_PATH")
    assert [name for name in environment if not allowed.fullmatch(name)] == []
    status = daemon.ask("status")
    assert status["NoNewPrivs"].strip() == "1"
    ignored = int(status["SigIgn"], 16)
    assert ignored & 1 << signal.SIGINT - 1
    assert int(status["SigBlk"], 16) == 0


def test_control_admits_a_worker_that_was_announced_and_nobody_else(start: Callable[..., Daemon], folder: Path) -> None:
    daemon = start().up()
    assert daemon.ask("admitted") == {"index": "0"}
    (directory,) = folder.glob("pldns-*")
    assert directory.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(directory / "control"))
        assert stranger.recv(16) == b"None"
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
    assert daemon.ask("admitted") == {"index": "0"}
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
    configure(folder, listen=listen, state="other")
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


def test_systemd_is_notified_of_readiness_and_of_the_stop(start: Callable[..., Daemon], folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(60)
        daemon = start(NOTIFY_SOCKET=str(folder / "notify"))
        assert manager.recv(64) == b"READY=1"
        assert daemon.stop() == 0
        assert manager.recv(64) == b"STOPPING=1"


def test_a_sibling_reads_the_sockets_of_a_worker_that_stays_absent(start: Callable[..., Daemon], folder: Path) -> None:
    configure(folder, workers=2)
    daemon = start().up()
    with daemon.client_of(0) as of_0, daemon.client_of(1) as of_1:
        (folder / "refuse-1").touch()
        os.kill(daemon.pid("worker 1"), signal.SIGKILL)
        answer = daemon.ask(client=of_1)  # the packet waits in the socket until a sibling reads it
        assert answer["worker"] == 0
        assert answer["adopted"] == [1]
        assert "warning supervisor worker 1 is absent; worker 0 reads its sockets\n" in daemon.log
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
        assert second["adopted"] == [2]
