"""Runs a daemon whose processes are attacked from within, in a network of its own where the identity endpoint answers.

    unshare --mount --net python -m tests.live.sandboxed FOLDER USER

writes the results of the attacks to stdout as JSON. No packet leaves the machine: the network has the loopback
interface alone, which also has the address of the identity endpoint.
"""

import fcntl
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.live import attacks

IDENTITY_ENDPOINT: Final = "169.254.169.254"
DNS: Final = ("127.0.0.1", 5300)
ADMIN: Final = "http://127.0.0.1:8053"
PATIENCE: Final = 90.0
ROOT: Final = Path(__file__).parents[2]
SERVE: Final = """
import sys
from pathlib import Path
from resolver.supervisor.serve import Commands, serve
folder = sys.argv[1]
command = (sys.executable, "-P", "-m", "tests.live.taken_over", folder)
commands = Commands(control=(*command, "control"), worker=(*command, "worker"))
sys.exit(serve(Path(folder) / "config/pldns.yaml", {}, commands=commands))
"""

_FLAGS, _ADDRESS = 0x8914, 0x8916  # SIOCSIFFLAGS, SIOCSIFADDR
_UP: Final = 1


def open_loopback() -> None:
    """Bring the loopback interface up, and give the address of the identity endpoint to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _FLAGS, struct.pack("16sh14x", b"lo", _UP))
        address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(IDENTITY_ENDPOINT))
        fcntl.ioctl(sock, _ADDRESS, struct.pack("16s16s", b"lo:1", address))


def reveal(*needed: Path) -> None:
    """Have everyone reach these paths in this mount namespace, also where a directory above them is closed."""
    closed = {
        above for path in needed for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH
    }  # fmt: skip
    for directory in sorted(closed):
        inside = [path for path in needed if directory in path.parents]
        kept: list[Path] = []
        for path in inside:
            kept.append(Path("/run" if Path("/run").is_dir() else "/mnt") / f"kept-{len(kept)}-{directory.name}")
            kept[-1].mkdir(exist_ok=True)
            subprocess.run(["mount", "--bind", path, kept[-1]], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory], check=True)
        for path, copy in zip(inside, kept, strict=True):
            path.mkdir(parents=True)
            subprocess.run(["mount", "--bind", copy, path], check=True)


class IdentityEndpoint(threading.Thread):
    """Accepts connections and counts them."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.connections = 0
        self._sock = socket.create_server((IDENTITY_ENDPOINT, 80))

    def run(self) -> None:
        while True:
            connection, _ = self._sock.accept()
            self.connections += 1
            connection.close()


def results(log: Path) -> dict[str, Any]:
    """Return the results in the log, by the process."""
    found = {}
    for line in log.read_text().splitlines():
        if line.startswith(attacks.RESULT):
            process, _, text = line.removeprefix(attacks.RESULT).partition(" ")
            found[process] = json.loads(text)
    return found


def status() -> Any:  # noqa: ANN401 - JSON
    try:
        with urllib.request.urlopen(f"{ADMIN}/v1/status", timeout=PATIENCE) as reply:  # noqa: S310 - of HTTP
            return json.load(reply)
    except OSError:
        return None


def ready(shown: Any, log: Path) -> bool:  # noqa: ANN401 - JSON
    """Return whether every process shows its sandbox and works. A worker shows it before it reads its sockets."""
    return bool(shown) and len(shown["sandbox"]) == 3 and "all workers are up" in log.read_text()


def main() -> None:
    """Start the daemon, wait until both processes were attacked and work, and write what happened."""
    folder, user = Path(sys.argv[1]), int(sys.argv[2])
    open_loopback()
    if user:
        reveal(Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT, folder)
    endpoint = IdentityEndpoint()
    endpoint.start()
    (folder / "log").touch()
    with (folder / "log").open("ab") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE, str(folder)], stderr=log, user=user, group=user, extra_groups=[],
            env={**os.environ, "AZURE_CLIENT_SECRET": "secret", "IDENTITY_HEADER": "secret", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        found, shown = results(folder / "log"), status()
        while len(found) < 2 or not ready(shown, folder / "log") or not endpoint.connections:
            if daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit((folder / "log").read_text())
            signal.sigtimedwait([], 0.05)
            found, shown = results(folder / "log"), status()
        environment = Path(f"/proc/{daemon.pid}/environ").read_bytes()
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)
    json.dump(
        {**found, "sandbox": shown["sandbox"], "identity": endpoint.connections, "environment": environment.hex(),
         "user": user, "log": (folder / "log").read_text()},
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()
