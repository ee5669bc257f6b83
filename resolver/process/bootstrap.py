"""What a child process does first: it isolates itself, then reads its settings and takes over its descriptors.

The supervisor executes each child with the numbers of inherited descriptors in its arguments. Before anything else, the
child ties its life to the supervisor's, and closes itself to debuggers and to new privileges.
"""

import fcntl
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from resolver.memory_budget import UNLIMITED
from resolver.process import handed_files, log
from resolver.process.handed_files import Contents
from resolver.process.orders import OrderReceiver
from resolver.process.reload_state import ConfigurationUpdate, ReloadState
from resolver.process.sandbox.confine import harden
from resolver.process.sandbox.level import SandboxLevel
from resolver.process.socket_role import SocketRole
from resolver.query_log_settings import QueryLogSettings
from resolver.settings import Accepted, ControlSettings, LogSettings, SandboxMode, WorkerSettings

_SUPERVISORS: Final = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
)  # fmt: skip
"""Signals to which the supervisor alone reacts."""
_NICE: Final = 5
"""Niceness of control. On a core that both want, control gets a third of a worker's share (sched(7)).

With a higher value, changes would wait until clients ask less.
"""


class FirstTable(StrEnum):
    """What a worker must have before it reads its sockets."""

    SAVED = "saved"
    """The saved table. Without one, that of control, for which the worker waits a moment: control is starting."""
    NEWEST = "newest"
    """The table of control, for which the worker waits a moment: control serves, and is ahead of the saved table."""
    OF_CONTROL = "control"
    """The table of control, however long that takes: another pldns answers meanwhile."""


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """What a worker starts with. `sockets` are UDP sockets and listening TCP sockets, all non-blocking."""

    settings: WorkerSettings
    index: int
    dialer: socket.socket
    """Over it, the supervisor makes connections for this worker (`process.dial`)."""
    sockets: tuple[socket.socket, ...]
    roles: tuple[SocketRole, ...]
    """The role of each socket. The sockets of a sibling have the same roles in the same order."""
    orders: OrderReceiver
    beat: float
    """Seconds between two signs of life; 0: none."""
    first_table: FirstTable
    share: int = UNLIMITED
    """Octets of memory that this process may use in all."""
    files: Contents = field(default_factory=dict)
    """Contents of the certificates, keys and secrets that the settings name."""
    query_log: socket.socket | None = None
    """The socket to the query logger. It outlives this process and the logger."""
    warm_start: int | None = None
    """Descriptor of the warm-start file, None where there is none."""


@dataclass(frozen=True, slots=True)
class QueryLoggerStart:
    """What the query logger starts with. `records` is a non-blocking socket, which outlives this process."""

    settings: QueryLogSettings
    sandbox: SandboxMode
    records: socket.socket
    """From it come the records of all workers."""
    orders: OrderReceiver
    beat: float
    """Seconds between two signs of life; 0: none."""


@dataclass(frozen=True, slots=True)
class ControlStart:
    """What control starts with.

    `channel` listens, and is non-blocking. The socket, with the connections that wait in it, outlives this process.
    """

    accepted: Accepted
    """The whole configuration: control passes the part of workers on to workers that have an earlier one."""
    channel: socket.socket
    supervisor: int
    """Process id of the supervisor, which makes the connections of workers to `channel`."""
    orders: OrderReceiver
    beat: float
    """Seconds between two signs of life; 0: none."""
    sandboxes: Mapping[str, SandboxLevel] = field(default_factory=dict)
    """How far the supervisor and control are confined."""
    admin: socket.socket | None = None
    """The listening Unix socket of the admin interface, None where there is none. It outlives this process."""
    zones: int | None = None
    """Descriptor of the zones that the configuration check has parsed, None where there is none."""

    reloads: ReloadState = field(default_factory=ReloadState)
    """What became of the reloads before this process started."""

    @property
    def settings(self) -> ControlSettings:
        """The part for control."""
        return self.accepted.control


def begin_worker(arguments: Sequence[str]) -> WorkerStart:
    """Start as a worker; `arguments` are `sys.argv[1:]`. Raises OSError or ValueError: the process cannot continue."""
    options = _options(arguments)
    _isolate(f"worker/{options['worker']}", options)
    return WorkerStart(
        settings=msgspec.json.decode(_read(options), type=WorkerSettings),
        index=int(options["worker"]),
        dialer=_socket(options["dialer"]),
        sockets=tuple(_socket(fd) for fd in options["sockets"].split(",") if fd),
        roles=tuple(map(SocketRole, options["roles"].split(","))),
        orders=OrderReceiver(_socket(options["orders"])),
        beat=float(options["beat"]),
        first_table=FirstTable(options["table"]),
        share=int(options["share"]),
        files=handed_files.take(int(options["files"])),
        query_log=_socket(options["query-log"]) if "query-log" in options else None,
        warm_start=int(options["warm-start"]) if "warm-start" in options else None,
    )


def begin_query_logger(arguments: Sequence[str]) -> QueryLoggerStart:
    """Start as the query logger; `arguments` and errors as in `begin_worker`. It runs at the priority of control."""
    options = _options(arguments)
    _isolate("query-log", options)
    os.nice(_NICE)
    return QueryLoggerStart(
        settings=msgspec.json.decode(_read(options), type=QueryLogSettings),
        sandbox=msgspec.convert(options["sandbox"], SandboxMode),
        records=_socket(options["records"]),
        orders=OrderReceiver(_socket(options["orders"])),
        beat=float(options["beat"]),
    )


def begin_control(arguments: Sequence[str]) -> ControlStart:
    """Start as control; `arguments` and errors as in `begin_worker`. Control runs at a lower priority than workers."""
    options = _options(arguments)
    _isolate("control", options)
    # Only now: the variables may have secrets, and other processes could have read them from `/proc` before.
    variables = handed_files.take(int(options["environment"]))
    os.environ.update({name: os.fsdecode(value) for name, value in variables.items()})
    os.nice(_NICE)
    update = msgspec.json.decode(_read(options), type=ConfigurationUpdate)
    if update.accepted is None:
        raise ValueError("control needs a configuration")
    return ControlStart(
        accepted=update.accepted,
        reloads=update.state,
        channel=_socket(options["channel"]),
        supervisor=os.getppid(),
        orders=OrderReceiver(_socket(options["orders"])),
        beat=float(options["beat"]),
        sandboxes={"supervisor": msgspec.json.decode(options["sandbox"], type=SandboxLevel)},
        admin=_socket(options["admin"]) if "admin" in options else None,
        zones=int(options["zones"]) if "zones" in options else None,
    )


def _isolate(process: str, options: dict[str, str]) -> None:
    # A terminal signals the whole process group, for example for Ctrl-C.
    for number in _SUPERVISORS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    _hold_lifeline(int(options["lifeline"]))
    harden()
    log.setup(process, msgspec.json.decode(options.get("log", "{}"), type=LogSettings))


def _hold_lifeline(pipe: int) -> None:
    """End this process as soon as the supervisor, which alone holds the other end of the pipe, has ended.

    The kernel does it: end of file raises SIGIO, whose default action is to terminate (fcntl(2) O_ASYNC). An event
    loop or a thread would react late while a long call holds the interpreter.
    """
    os.set_inheritable(pipe, False)  # noqa: FBT003 - it takes no keyword
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        sys.exit(1)  # the supervisor ended before this process asked for the signal


def _options(arguments: Sequence[str]) -> dict[str, str]:
    return {name.removeprefix("--"): value for name, value in zip(arguments[::2], arguments[1::2], strict=True)}


def _read(options: dict[str, str]) -> bytes:
    with open(int(options["settings"]), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read()


def _socket(fd: str) -> socket.socket:
    sock = socket.socket(fileno=int(fd))
    sock.set_inheritable(False)
    return sock
