"""Preconditions of the first child: an accepted configuration, the state directory, the channel, open files."""

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
from typing import BinaryIO, Final

import msgspec

from resolver.settings import Accepted
from resolver.supervisor.child import interrupts_blocked

_MAX_PATH: Final = 107  # octets of a Unix socket's path, unix(7)


class CannotStart(Exception):  # noqa: N818 - reads as a sentence
    """pldns cannot start. The message is one line with the reason, empty where stderr already has it."""


def accept(path: Path, flags: Mapping[str, str], command: Sequence[str]) -> tuple[Accepted, BinaryIO]:
    """Read the configuration in a separate process, which writes its errors to stderr. Raises `CannotStart`.

    Return the settings, and a file in memory with the parsed zones for control (`zones.dns.parsed_zones`).
    """
    zones = open(os.memfd_create("zones"), "r+b")  # noqa: PTH123, SIM115 - a descriptor, and the caller closes it
    request = json.dumps({"path": str(path), "flags": flags, "zones": zones.fileno()}).encode()
    with interrupts_blocked():
        done = subprocess.run(  # noqa: S603 - a command of `serve.Commands`
            command, input=request, stdout=subprocess.PIPE, pass_fds=(zones.fileno(),), check=False
        )
    if done.returncode:
        zones.close()
        raise CannotStart("" if done.returncode > 0 else f"the configuration check died of signal {-done.returncode}")
    return msgspec.json.decode(done.stdout, type=Accepted), zones


@contextlib.contextmanager
def held(directory: str) -> Iterator[int]:
    """Create the state directory (mode 0700) if it is missing, and lock it with flock(2). Raises `CannotStart`.

    Yield the descriptor of the lock. A process that gets a copy of the descriptor has the same lock.
    """
    try:
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(Path(directory) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"cannot use the state directory {directory}: {_reason(error)}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"the state directory {directory} is used by another pldns") from None
        yield lock
    finally:
        os.close(lock)


@contextlib.contextmanager
def channel(runtime: str) -> Iterator[tuple[str, socket.socket]]:
    """Yield the path of control's Unix socket, and the listening socket, in a new directory with mode 0700.

    The directory is in `runtime`, or where that is empty, in the system's directory for temporary files. Raises
    `CannotStart`.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="pldns-", dir=runtime.partition(":")[0] or None)
    except OSError as error:
        raise CannotStart(f"cannot make a directory for the control socket: {_reason(error)}") from None
    with directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        path = f"{directory.name}/control"
        if len(os.fsencode(path)) > _MAX_PATH:
            raise CannotStart(f"the socket path {path} is too long; set TMPDIR or RUNTIME_DIRECTORY to a shorter one")
        sock.bind(path)
        sock.listen(128)
        sock.settimeout(0)
        yield path, sock


def raise_open_files() -> None:
    """Raise the limit of open files to the system's maximum: each connection takes one. Children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; the soft limit is enough to start
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
