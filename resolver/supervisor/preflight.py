"""What must hold before the first child starts: an accepted configuration, the state directory, room for sockets."""

import contextlib
import fcntl
import json
import os
import resource
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from resolver.settings import Accepted
from resolver.supervisor.child import interrupts_blocked

_MAX_PATH: Final = 107  # octets of a Unix socket's path, unix(7)


class Refused(Exception):  # noqa: N818 - what happened to the start
    """pldns cannot start; one line that says why, empty where the reason is on stderr already."""


def accept(path: Path, flags: Mapping[str, str], command: Sequence[str]) -> Accepted:
    """Have a process of its own read the configuration. Raises `Refused`: it told its errors itself."""
    request = json.dumps({"path": str(path), "flags": flags}).encode()
    with interrupts_blocked():
        done = subprocess.run(command, input=request, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise Refused("" if done.returncode > 0 else f"the configuration check died of signal {-done.returncode}")
    return msgspec.json.decode(done.stdout, type=Accepted)


@contextlib.contextmanager
def held(directory: str) -> Iterator[None]:
    """Make the state directory if it is missing, 0700, and hold it alone by flock(2). Raises `Refused`."""
    try:
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(Path(directory) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(f"cannot use the state directory {directory}: {_reason(error)}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"the state directory {directory} is held by another pldns") from None
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def channel(runtime: str) -> Iterator[tuple[str, socket.socket]]:
    """Control's listening Unix socket and its path, in a fresh 0700 directory under `runtime` (empty: the system's).

    Raises `Refused`.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="pldns-", dir=runtime.partition(":")[0] or None)
    except OSError as error:
        raise Refused(f"cannot make a directory for the control socket: {_reason(error)}") from None
    with directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        path = f"{directory.name}/control"
        if len(os.fsencode(path)) > _MAX_PATH:
            raise Refused(f"the path {path} is too long for a socket; set TMPDIR or RUNTIME_DIRECTORY to a shorter one")
        sock.bind(path)
        sock.listen(128)
        sock.settimeout(0)
        yield path, sock


def raise_open_files() -> None:
    """Every connection is a descriptor: take as many as the system allows. Children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # an odd sandbox; the soft limit serves too
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
