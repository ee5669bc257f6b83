"""`serve` as a process, with small replacements for control and workers that start as the real ones do."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from resolver.admin_settings import AdminSettings
from resolver.host_port import parse
from resolver.settings import Accepted, ControlSettings, CookieSettings, ProcessSettings, WorkerSettings

LAUNCHER = """
import ctypes, os, sys
from pathlib import Path
from resolver.supervisor import supervisor
from resolver.supervisor.serve import Commands, Start, serve

folder = Path(sys.argv[1])
start = Start.TAKEOVER if sys.argv[-1] == "--takeover" else Start.FRESH
descriptors = [int(word) for word in sys.argv[2:] if word != "--takeover"]
supervisor.DRAIN = 0.5  # seconds; the test workers have no queries in flight
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: inherit orphans like PID 1
if descriptors and start is Start.FRESH:
    for fd, source in enumerate(descriptors, 3):
        os.dup2(source, fd)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(descriptors))}
accept = [sys.executable, str(folder / "accept.py")]
control = [sys.executable, str(folder / "control.py")]
worker = [sys.executable, str(folder / "worker.py")]
sys.exit(serve(folder / "pldns.yaml", {"dns.workers": "2"}, start, Commands(accept, control, worker)))
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

# Writes the parsed zones to a file. Sends back what the supervisor says of each connection to the channel.
CONTROL = """
import os, signal, sys
from pathlib import Path
from resolver.process import bootstrap, dial

control = bootstrap.begin_control(sys.argv[1:])
zones = b"none" if control.zones is None else os.read(control.zones, 99)
file = Path(__file__).parent / f"zones-{os.getpid()}"
file.with_suffix(".new").write_bytes(zones)
file.with_suffix(".new").rename(file)
control.channel.settimeout(None)
control.orders.send_ready()
while True:
    connection, _ = control.channel.accept()
    index, pid = dial.GREETING.unpack(connection.recv(dial.GREETING.size))
    connection.send(f"{index} {pid}".encode())
"""

# Answers each UDP packet with facts about itself, and each TCP connection with its index. SIGTERM waits for answers.
WORKER = """
import json, os, select, signal, socket, subprocess, sys
from pathlib import Path
from resolver.process import bootstrap, dial, orders

worker = bootstrap.begin_worker(sys.argv[1:])
folder = Path(__file__).parent
if (folder / f"refuse-{worker.index}").exists():
    sys.exit(3)
if (folder / "deaf").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
adopted = {}
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
worker.orders.send_ready()
while True:
    sockets = [*worker.sockets, *(each for own in adopted.values() for each in own)]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    readable = select.select([worker.orders, *sockets], [], [])[0]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    for each in readable:
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
            answer = status
        elif question == b"settings":
            answer = {"allow": worker.settings.allow}
        elif question == b"lasting":
            answer = {"lasting": [worker.settings.cookies.root.hex(), worker.settings.mark.hex()]}
        elif question == b"connect":
            dial.request(worker.dialer, dial.DialControl())
            with dial.received(worker.dialer) as channel:
                channel.settimeout(10)
                answer = {"greeting": channel.recv(32).decode()}
        elif question == b"elsewhere":
            dial.request(worker.dialer, dial.DialUpstream("127.0.0.1", 80))
            answer = {"error": str(dial.received(worker.dialer))}
        elif question == b"orphan":
            shell = subprocess.run(["sh", "-c", "sleep 60 >/dev/null & echo $!"], stdout=-1, check=True)
            answer = {"pid": int(shell.stdout)}
        each.sendto(json.dumps(answer).encode(), client)
"""


class Daemon:
    """`serve` as a process, with its log."""

    def __init__(self, folder: Path, *words: int | str, under: Sequence[str] = (), **environ: str) -> None:
        """`words`: descriptors of sockets as from systemd, or `--takeover`. `under`: a command that executes it."""
        self.log_path = folder / f"log-{time.monotonic_ns()}"
        command = [*under, sys.executable, str(folder / "launcher.py"), str(folder), *map(str, words)]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder), **environ},
                pass_fds=[word for word in words if isinstance(word, int)],
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def has_logged(self, text: str) -> bool:
        return text in self.log

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

    def kill(self) -> None:
        """End all processes: this one, its children, and what took over from it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

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


def configure(
    folder: Path, *listen: str, workers: int = 1, state: str = "state", user: str = "root", secret: bytes = b""
) -> None:
    accepted = Accepted(
        path=str(folder / "pldns.yaml"),
        worker=WorkerSettings(
            listen=tuple(map(parse, listen or ["127.0.0.1:0"])),
            allow=("127.0.0.0/8",),
            cookies=CookieSettings(root=secret),
            mark=secret,
        ),
        control=ControlSettings(
            admin=AdminSettings(socket=str(folder / "admin.sock")),
            state_directory=str(folder / state),
            workers=workers,
        ),
        workers=workers,
        user=user,  # the scripts write into the folder as root
        processes=ProcessSettings(heartbeat=0),  # the small children wait without a sign of life
        warnings=("a warning from the configuration",),
    )
    (folder / "accepted.json").write_bytes(msgspec.json.encode(accepted))
