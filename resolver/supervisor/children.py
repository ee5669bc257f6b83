"""Control, the workers and the query logger: started when they are due, watched, replaced when they hang, and reaped.

Does not know why pldns stops, or who takes over from it.

    a child:  due ──start──▶ starting ──ready──▶ serving ──ended──▶ due (after a delay that grows)
                                 └──hangs: killed──┴──────ended──▶ due
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from typing import BinaryIO, Final, NamedTuple

import msgspec
from msgspec import structs

from resolver.channel import warm_start
from resolver.memory_budget import UNLIMITED
from resolver.process import handed_files, orders
from resolver.process.bootstrap import FirstTable
from resolver.process.query_log_state import QueryLogState
from resolver.process.sandbox import capabilities, files, landlock
from resolver.process.sandbox.capabilities import Capability
from resolver.process.sandbox.landlock import Access
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import Accepted, LogLevelName
from resolver.supervisor import child, heartbeat, slot
from resolver.supervisor.admin_socket import AdminSocket
from resolver.supervisor.child import Child
from resolver.supervisor.dialer import Destinations, Dialer
from resolver.supervisor.heartbeat import Heartbeat
from resolver.supervisor.key_files import INTERVAL, key_files
from resolver.supervisor.listen import Listening
from resolver.supervisor.query_logger import QueryLoggerSlot
from resolver.supervisor.reload import Configuration
from resolver.supervisor.slot import Slot
from zones.clocks import SteadyTime

_SIGNS: Final = (orders.READY, orders.ALIVE)
LOOK: Final = 0.5
"""Seconds between two looks at the heartbeats."""

_log = logging.getLogger(__name__)


class ControlSockets(NamedTuple):
    """The sockets of control, which outlive it. `path`: the path of `channel`, to which workers connect."""

    path: str
    channel: socket.socket
    admin: AdminSocket


class ChildCommands(NamedTuple):
    """The command of each kind of child, without its options."""

    control: Sequence[str]
    worker: Sequence[str]
    query_log: Sequence[str]


class Children:
    """One control, N workers, and a query logger while queries are logged.

    Their links and dialers are in `selector`, with the child or dialer as data.
    """

    def __init__(
        self,
        configuration: Configuration,
        zones: BinaryIO,
        listening: Listening,
        sockets: ControlSockets,
        commands: ChildCommands,
        sandbox: SandboxLevel,
        selector: selectors.BaseSelector,
    ) -> None:
        """`configuration`: what each child that starts gets. `zones`: the parsed zones for the first control.

        `sockets`: those of control. `sandbox`: how far this process is
        confined, for control to show.
        """
        now, accepted = SteadyTime(time.monotonic()), configuration.accepted
        for_workers = msgspec.json.encode(accepted.worker)
        self._configuration = configuration
        scrubbed = child.scrubbed(os.environ)
        self._sandbox = msgspec.json.encode(sandbox).decode()
        self._destinations = Destinations(accepted.worker.upstreams)
        self._zones = zones
        self._key_files, self._check_files_at = key_files(accepted.worker), SteadyTime(now + INTERVAL)
        self._listening = listening
        self._sockets = sockets
        self._selector = selector
        self._state, self._digest = accepted.control.state_directory, warm_start.digest(accepted.control)
        self._limit = limit = accepted.processes.heartbeat
        self._log_settings = accepted.log
        self._looked = now
        self._control_files: Access | None = None
        """What the control that was started last may open."""
        self.control_serves = False
        """Whether control has reported that it serves the workers."""
        self.share = UNLIMITED
        """Octets of memory that each worker may use."""
        self.is_successor = False
        """Whether another pldns answers until the workers here are ready, so that they can wait for their table."""
        to_worker = commands.worker
        self.query_logger = QueryLoggerSlot(commands.query_log, accepted, scrubbed)
        self.control = Child("control", commands.control, b"", scrubbed, Heartbeat(limit, limit * heartbeat.BUSY))
        self.slots = [
            Slot(
                index,
                Child(f"worker {index}", to_worker, for_workers, scrubbed, Heartbeat(limit, limit)),
                own,
                now,
            )
            for index, own in enumerate(listening.workers)
        ]

    @property
    def workers(self) -> list[Child]:
        """The workers by index."""
        return [each.process for each in self.slots]

    @property
    def all(self) -> list[Child]:
        """Control, the workers, and the query logger, which may be off."""
        return [self.control, *self.workers, self.query_logger.process]

    @property
    def serving(self) -> int:
        """Number of workers that read their sockets."""
        return sum(each.absent_since is None for each in self.slots)

    @property
    def all_serve(self) -> bool:
        """Whether every child works."""
        return self.control_serves and self.serving == len(self.slots)

    def next_time(self) -> SteadyTime | None:
        """Return when something is due: a start, a look at children or files, sockets to adopt. None: nothing is."""
        times = [each.due for each in self.all] + [self._hand_over()]
        times += [self._check_files_at] if self._key_files else []
        if self._limit:
            times.append(SteadyTime(self._looked + LOOK))
        return min((when for when in times if when is not None), default=None)

    def _hand_over(self) -> SteadyTime | None:
        # With shared sockets, the remaining workers read them anyway.
        return None if self._listening.shared else slot.hand_over(self.slots, SteadyTime(time.monotonic()))

    # -- starting

    def start_due(self) -> None:
        """Start the children that are due."""
        now, logger = SteadyTime(time.monotonic()), self.query_logger.process
        if logger.due is not None and logger.due <= now:
            try:
                self._start(logger, now, self.query_logger.options, [self.query_logger.records])
            except OSError as error:
                logger.failed(error, now)
        if self.control.due is not None and self.control.due <= now:
            try:
                self._start_control(now)
            except OSError as error:
                self.control.failed(error, now)
        for each in self.slots:
            if each.process.due is not None and each.process.due <= now:
                try:
                    self._start_worker(each, now)
                except OSError as error:
                    each.process.failed(error, now)

    def renew_control(self) -> None:
        """Start control again where the configuration names files that its sandbox does not let it read."""
        accepted = self._configuration.accepted
        if accepted.control.sandbox == "off" or not landlock.version():
            return
        if not landlock.covers(self._control_files, files.control(accepted.control, os.environ, accepted.path)):
            _log.info("control starts again: the configuration names files outside its sandbox")
            self.control.restart()

    def _start_control(self, now: SteadyTime) -> None:
        accepted = self._configuration.accepted
        self._control_files = files.control(accepted.control, os.environ, accepted.path)
        self._configuration.control_started()
        self.control.settings = msgspec.json.encode(self._configuration.update)
        variables = child.private(os.environ)
        environment = handed_files.hand({name: os.fsencode(text) for name, text in variables.items()})
        try:
            channel, admin = self._sockets.channel.fileno(), self._sockets.admin.socket
            options = {
                "channel": str(channel),
                "environment": str(environment),
                "sandbox": self._sandbox,
            }
            descriptors = [channel, environment]
            if admin:
                options["admin"] = str(admin.fileno())
                descriptors.append(admin.fileno())
            if not self._zones.closed:
                self._zones.seek(0)
                options["zones"] = str(self._zones.fileno())
                descriptors.append(self._zones.fileno())
            self._start(self.control, now, options, descriptors)
            self._zones.close()  # a later control reads files that may have changed, and the memory is free again
        finally:
            os.close(environment)

    def _start_worker(self, worker: Slot, now: SteadyTime) -> None:
        dialer = Dialer(worker.index, self._sockets.path, self._destinations)
        own, query_log = [sock.fileno() for sock in worker.sockets], self.query_logger.workers_end
        first = FirstTable.NEWEST if self.control_serves else FirstTable.SAVED
        options = {
            "worker": str(worker.index),
            "dialer": str(dialer.worker_end),
            "sockets": ",".join(map(str, own)),
            "roles": ",".join(self._listening.roles),
            "share": str(self.share),
            "query-log": str(query_log),
            "table": FirstTable.OF_CONTROL if self.is_successor else first,
        }
        handed = {"files": handed_files.hand(self._key_files.contents)}
        saved = warm_start.opened(self._state, self._digest)
        if saved is not None:
            handed["warm-start"] = saved
        options |= {name: str(descriptor) for name, descriptor in handed.items()}
        try:
            # A Python below a folder of root's needs the other capability until it is loaded.
            with capabilities.withheld(Capability.NET_BIND_SERVICE):
                self._start(
                    worker.process,
                    now,
                    options,
                    [*own, dialer.worker_end, self.query_logger.workers_end, *handed.values()],
                )
        except OSError:
            dialer.close()
            raise
        finally:
            for descriptor in handed.values():
                os.close(descriptor)
        dialer.started(worker.process.pid or 0)
        self._selector.register(dialer, selectors.EVENT_READ, dialer)

    def _start(self, process: Child, now: SteadyTime, options: dict[str, str], descriptors: Sequence[int]) -> None:
        link = process.start(now, {**options, "log": msgspec.json.encode(self._log_settings).decode()}, descriptors)
        self._selector.register(link, selectors.EVENT_READ, process)

    # -- running

    def configure(self, accepted: Accepted) -> None:
        """Give children that start another configuration, and workers that run its certificates and secrets."""
        for each in self.workers:
            each.settings = msgspec.json.encode(accepted.worker)
        self.query_logger.configure(accepted, SteadyTime(time.monotonic()))
        self._digest = warm_start.digest(accepted.control)
        self._destinations.permit(accepted.worker.upstreams)
        before, self._key_files = self._key_files.contents, key_files(accepted.worker)
        self._check_files_at = SteadyTime(time.monotonic() + INTERVAL)
        if self._key_files.contents != before:
            self._send_files()

    def set_log_level(self, level: LogLevelName) -> None:
        """Have children that start log at this level."""
        self._log_settings = structs.replace(self._log_settings, level=level)

    def check_files(self) -> None:
        """Hand the certificates, keys and secrets to the workers where they have changed."""
        now = SteadyTime(time.monotonic())
        if not self._key_files or now < self._check_files_at:
            return
        self._check_files_at = SteadyTime(now + INTERVAL)
        if self._key_files.check():
            self._send_files()

    def _send_files(self) -> None:
        for each in self.workers:
            if each.link:
                # A worker that does not read its orders has ended, and the next one gets the contents at its start.
                with contextlib.suppress(OSError):
                    orders.send_files(each.link, self._key_files.contents)

    def read(self, process: Child) -> list[str]:
        """Handle a sign of life of a child, its `ready`, or the end of file when it has ended.

        Return the words of any other message of control; none for all else.
        """
        try:
            message = process.link.recv(orders.MAX_MESSAGE) if process.link else b""
        except OSError:
            message = b""
        if not message:
            self._unlink(process)
            return []
        process.heartbeat.heard(SteadyTime(time.monotonic()))
        if message.startswith(orders.QUERY_LOG) and process is self.query_logger.process:
            self._pass_on(message)
            return []
        if message == orders.READY:
            self.control_serves |= process is self.control
            for each in self.slots:
                if each.process is process:
                    each.ready()
        return message.decode().split() if process is self.control and message not in _SIGNS else []

    def _pass_on(self, message: bytes) -> None:
        with contextlib.suppress(OSError):  # control does not read now: another report comes soon
            if self.control.link:
                self.control.link.send(message)

    def dial(self, dialer: Dialer) -> None:
        """Make a connection for a worker."""
        if not dialer.serve():
            self._selector.unregister(dialer)
            dialer.close()

    def _unlink(self, process: Child) -> None:
        if process.link:
            self._selector.unregister(process.link)
            process.link.close()
            process.link = None

    def look(self) -> None:
        """Kill what hangs. A pause of this process was a pause of all of them."""
        now = SteadyTime(time.monotonic())
        if not self._limit or now - self._looked < LOOK:
            return
        paused, self._looked = now - self._looked > self._limit, now
        for each in self.all:
            if paused:
                each.heartbeat.resumed(now)
            elif fault := each.heartbeat.fault(now):
                self._replace(each, fault, now)

    def _replace(self, process: Child, fault: str, now: SteadyTime) -> None:
        _log.error("%s (pid %d) hangs: %s; killing it", process.name, process.pid or 0, fault)
        process.send_signal(signal.SIGKILL)
        process.heartbeat.ended()
        for each in self.slots:
            if each.process is process:
                each.hangs(now)

    def ended(self, pid: int, code: int) -> None:
        """Note that a process was reaped: a child, or the orphan of another process."""
        now = SteadyTime(time.monotonic())
        process = next((each for each in self.all if each.pid == pid), None)
        if process is None:
            return
        process.ended(code, now)
        self._unlink(process)
        if process is self.control:
            self.control_serves = False
        if process is self.query_logger.process:
            self._pass_on(orders.query_log_message(QueryLogState()))
        for each in self.slots:
            if each.process is process:
                each.ended(now)
                slot.orphan(self.slots, each)
