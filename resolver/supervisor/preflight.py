"""Preconditions of the first child: an accepted configuration, the state directory, the channel, open files."""

import contextlib
import fcntl
import json
import logging
import os
import resource
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from resolver.process import open_files
from resolver.settings import Accepted
from resolver.supervisor.child import interrupts_blocked

_PREFIX: Final = "pldns-"
_SOCKET: Final = "control"
_TEMPORARY: Final = ("/tmp", "/dev/shm")  # noqa: S108 - the directory in it is new, with mode 0700
_NEW: Final = 60.0
"""Seconds."""
_OF_CHILD: Final = 4  # descriptors: the link, the lifeline, the dialer, and the file that says how much memory is used
_TO_START: Final = 10  # descriptors that are open while a child or a check is being started
_MAX_PATH: Final = 107  # octets of a Unix socket's path, unix(7)

_log = logging.getLogger(__name__)


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
    """Create the state directory (mode 0700) if it is missing, and lock it with flock(2).

    Yield the descriptor of the lock. A process that gets a copy of the descriptor has the same lock. Raises
    `CannotStart` where another pldns has the lock. A directory that cannot be made, opened or locked is logged, and
    pldns starts without the lock. The directory itself is locked, which also works on a full or read-only disk.
    """
    lock = _opened(directory)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"the state directory {directory} is used by another pldns") from None
        except OSError as error:
            _log.warning("the state directory %s cannot be locked: %s", directory, _reason(error))
        yield lock
    finally:
        os.close(lock)


def _opened(directory: str) -> int:
    """Return a descriptor of the directory, or of an empty file in memory where there is none."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        return os.open(directory, flags)  # mkdir on a read-only file system would fail, although the directory exists
    try:
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(directory, flags)
    except OSError as error:
        _log.error("the state directory %s cannot be used: %s; nothing is saved", directory, _reason(error))
        return os.memfd_create("lock")


@contextlib.contextmanager
def channel(runtime: str, state: str) -> Iterator[tuple[str, socket.socket]]:
    """Yield the path of control's Unix socket, and the listening socket, in a new directory with mode 0700.

    The directory is in `runtime`. Where that is empty or belongs to another user, it is in the system's directory for
    temporary files, else in shared memory, else in the state directory `state`. Raises `CannotStart` where none of
    them can be written.
    """
    directory = _made(runtime.partition(":")[0], state)
    with directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        path = f"{directory.name}/{_SOCKET}"
        if len(os.fsencode(path)) > _MAX_PATH:
            raise CannotStart(f"the socket path {path} is too long; set TMPDIR or RUNTIME_DIRECTORY to a shorter one")
        sock.bind(path)
        sock.listen(128)
        sock.settimeout(0)
        yield path, sock


def _made(runtime: str, state: str) -> tempfile.TemporaryDirectory[str]:
    reasons = []
    for parent in filter(None, [runtime, os.environ.get("TMPDIR"), *_TEMPORARY, state]):
        try:
            directory = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True)
        except OSError as error:
            reasons.append(f"{parent}: {_reason(error)}")
            continue
        _remove_abandoned(Path(parent))
        return directory
    raise CannotStart(f"cannot make a directory for the control socket ({', '.join(reasons)})")


def _remove_abandoned(parent: Path) -> None:
    """Remove the directories of supervisors that were killed: nobody listens on their socket."""
    for socket_path in parent.glob(f"{_PREFIX}*/{_SOCKET}"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(0)
            status = socket_path.lstat()
            new = time.time() - status.st_mtime < _NEW  # another supervisor may be about to listen
            if status.st_uid != os.geteuid() or not stat.S_ISSOCK(status.st_mode) or new:
                continue
            try:
                sock.connect(str(socket_path))
            except ConnectionRefusedError:
                socket_path.unlink()
                socket_path.parent.rmdir()


def raise_open_files() -> None:
    """Raise the limit of open files to the system's maximum: each connection takes one. Children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; the soft limit is enough to start
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check_open_files(workers: int) -> None:
    """Check that the supervisor can hold the sockets, which are open now, and start control and so many workers.

    Raises `CannotStart`: otherwise some of the workers could never be started.
    """
    needed = open_files.held() + _OF_CHILD * (workers + 1) + _TO_START
    if needed > open_files.limit():
        raise CannotStart(
            f"the limit of open files is {open_files.limit()}, and {workers} workers need {needed}: raise it "
            "(`ulimit -n`, `LimitNOFILE=`), or set `dns.workers` lower"
        )


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
