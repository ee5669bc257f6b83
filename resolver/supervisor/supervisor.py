"""The supervisor: keeps one control and N workers alive, around sockets that outlive them.

It has no event loop, no configuration parser, no packets and no cloud: one selector, signals through a descriptor, and
waitpid(-1), which makes it a correct PID 1. Children are executed, never only forked.

    a child:         due ──start──▶ starting ──ready──▶ serving ──ended──▶ due (after a delay that grows)
                                        └──hangs: killed──┴──────ended──▶ due
    the supervisor:  running ──SIGTERM──▶ lame duck (listeners answer, /readyz is 503) ──▶ draining ──▶ end
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from typing import BinaryIO, Final

import msgspec

from resolver.channel import warm_start
from resolver.process import handed_files, orders, systemd, worker_pids
from resolver.process.reload_state import ConfigurationUpdate, ReloadOutcome
from resolver.settings import Accepted
from resolver.supervisor import child, heartbeat, slot
from resolver.supervisor.child import Child
from resolver.supervisor.heartbeat import Heartbeat
from resolver.supervisor.key_files import INTERVAL, key_files
from resolver.supervisor.listen import Listening
from resolver.supervisor.reload import Configuration
from resolver.supervisor.signals import STOP, Signals, name_of
from resolver.supervisor.slot import Slot
from zones.clocks import SteadyTime

DRAIN: Final = 5.5
"""Seconds that workers have to end: 5 s for queries in flight, and some to exit."""
SAVE: Final = 4.0
"""Seconds that control has after that. Container engines kill everything after 10 s."""
RELOAD_PATIENCE: Final = 10.0
"""Seconds after which a reload is over for systemd, also where control has not reported its end."""
_LOOK: Final = 0.5
"""Seconds between two looks at the heartbeats."""

_log = logging.getLogger(__name__)


class EndAtOnce(Exception):  # noqa: N818 - reads as a sentence
    """A signal that allows no time for an ordered stop arrived. The message names it."""


class Supervisor:
    """The children, and the loop that starts, watches and reaps them."""

    def __init__(
        self,
        configuration: Configuration,
        zones: BinaryIO,
        listening: Listening,
        channel: tuple[str, socket.socket],
        control: Sequence[str],
        worker: Sequence[str],
        signals: Signals,
    ) -> None:
        """`zones`: the parsed zones for the first control; closed once it has them.

        `channel`: the path of control's socket and the socket. `control`, `worker`: the commands of the children.
        """
        now = SteadyTime(time.monotonic())
        accepted = configuration.accepted
        self._configuration = configuration
        for_control, for_workers = msgspec.json.encode(configuration.update), msgspec.json.encode(accepted.worker)
        private, scrubbed = child.private(os.environ), child.scrubbed(os.environ)
        self._zones = zones
        self._listening = listening
        self._channel_path, self._channel = channel
        self._signals = signals
        self._state, self._digest = accepted.control.state_directory, warm_start.digest(accepted.control)
        self._limit, self._lame_duck = accepted.processes.heartbeat, accepted.processes.lame_duck
        self._watchdog, self._looked = systemd.watchdog(os.environ), now
        self._reported = SteadyTime(0.0)
        """When systemd's watchdog was last notified."""
        self._stopping = self._is_ending = self._notified_ready = self._control_serves = False
        self._key_files, self._check_files_at = key_files(accepted.worker), SteadyTime(now + INTERVAL)
        self._reloaded_by: SteadyTime | None = None
        """When systemd hears of the end of a reload, although control has not reported it. None: no reload goes on."""
        self._announcements = -1
        """A pipe to control, see `worker_pids`; -1 while control does not run."""
        busy = self._limit * heartbeat.BUSY
        self._control = Child("control", control, for_control, private, Heartbeat(self._limit, busy))
        self._slots = [
            Slot(
                index,
                Child(f"worker {index}", worker, for_workers, scrubbed, Heartbeat(self._limit, self._limit)),
                own,
                now,
            )
            for index, own in enumerate(listening.workers)
        ]
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ)

    def run(self) -> int:
        """Start all children, keep them running until a stop is requested, and end them. Return the exit status."""
        try:
            self._turn(0)
            while not self._stopping:
                self._keep_running()
            self._stop()
        except EndAtOnce as reason:
            _log.warning("%s: ending at once", reason)
            self._kill(self._children())
            return 1
        return 0

    def _keep_running(self, until: SteadyTime | None = None) -> None:
        """Start the children that are due, and wait for the next event; `until` this time at most."""
        self._start_due(SteadyTime(time.monotonic()))
        self._check_files(SteadyTime(time.monotonic()))
        self._configuration.expire(SteadyTime(time.monotonic()))
        self._end_reload(SteadyTime(time.monotonic()))
        # With shared sockets, the remaining workers read them anyway.
        again = None if self._listening.shared else slot.hand_over(self._slots, SteadyTime(time.monotonic()))
        self._turn(self._pause(again, until))

    def _turn(self, timeout: float | None) -> None:
        """Wait for an event for `timeout` seconds at most, and handle all that have happened."""
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                self._read_link(key.data)
            else:
                for number in self._signals.received():
                    self._react(number)
        self._reap()
        self._look(SteadyTime(time.monotonic()))

    def _pause(self, *others: SteadyTime | None) -> float | None:
        """Return the seconds until something is due: a start, a look at the heartbeats, or one of these times."""
        times = [*others, *(each.due for each in self._children())]
        if self._limit:
            times.append(SteadyTime(self._looked + _LOOK))
        if self._watchdog:
            times.append(SteadyTime(self._reported + self._watchdog))
        times += [self._check_files_at] if self._key_files else []
        times += [self._configuration.due, self._reloaded_by]
        next_time = min((when for when in times if when is not None), default=None)
        return None if next_time is None else max(0.0, next_time - time.monotonic())

    def _children(self) -> list[Child]:
        return [self._control, *(each.process for each in self._slots)]

    # -- starting

    def _start_due(self, now: SteadyTime) -> None:
        if self._control.due is not None and self._control.due <= now:
            try:
                self._start_control(now)
            except OSError as error:
                self._control.failed(error, now)
        for each in self._slots:
            if each.process.due is not None and each.process.due <= now:
                try:
                    self._start_worker(each, now)
                except OSError as error:
                    each.process.failed(error, now)

    def _start_control(self, now: SteadyTime) -> None:
        self._configuration.control_started()
        self._control.settings = msgspec.json.encode(self._configuration.update)
        reading, self._announcements = os.pipe()
        try:
            os.set_blocking(self._announcements, False)
            for each in self._slots:
                self._announce(each)
            options = {"channel": str(self._channel.fileno()), "workers": str(reading)}
            descriptors = [self._channel.fileno(), reading]
            if not self._zones.closed:
                self._zones.seek(0)
                options["zones"] = str(self._zones.fileno())
                descriptors.append(self._zones.fileno())
            self._start(self._control, now, options, descriptors)
            self._zones.close()  # a later control reads files that may have changed, and the memory is free again
        except OSError:
            self._close_announcements()
            raise
        finally:
            os.close(reading)

    def _close_announcements(self) -> None:
        os.close(self._announcements)
        self._announcements = -1

    def _start_worker(self, worker: Slot, now: SteadyTime) -> None:
        own = [sock.fileno() for sock in worker.sockets]
        options = {
            "worker": str(worker.index),
            "channel": self._channel_path,
            "sockets": ",".join(map(str, own)),
            "roles": ",".join(self._listening.roles),
            "control": "serves" if self._control_serves else "starts",
        }
        handed = {"files": handed_files.hand(self._key_files.contents)}
        saved = warm_start.opened(self._state, self._digest)
        if saved is not None:
            handed["warm-start"] = saved
        options |= {name: str(descriptor) for name, descriptor in handed.items()}
        try:
            self._start(worker.process, now, options, [*own, *handed.values()])
        finally:
            for descriptor in handed.values():
                os.close(descriptor)
        self._announce(worker)

    def _start(self, process: Child, now: SteadyTime, options: dict[str, str], descriptors: Sequence[int]) -> None:
        link = process.start(now, options, descriptors)
        self._selector.register(link, selectors.EVENT_READ, process)

    def _announce(self, worker: Slot) -> None:
        """Give control the process id of this worker: control admits no other process to the channel."""
        if self._announcements < 0 or worker.process.pid is None:
            return
        # The pipe is full or broken only when control hangs or has ended. The next control gets all process ids.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            worker_pids.announce(self._announcements, worker.index, worker.process.pid)

    # -- running

    def _react(self, number: int) -> None:
        """React to a signal; docs/operations.md has the table."""
        name = name_of(number)
        if number in STOP and self._stopping:
            raise EndAtOnce(f"a second {name}")
        if number in STOP:
            _log.info("%s: stopping", name)
            self._stopping = True
        elif number == signal.SIGQUIT:
            raise EndAtOnce(name)
        elif number == signal.SIGHUP:
            self._reload(SteadyTime(time.monotonic()))
        elif number == signal.SIGUSR1:
            for each in self._children():
                _log.info("%s: %s", name, each.describe(SteadyTime(time.monotonic())))
        else:
            _log.warning("%s is ignored", name)

    def _reload(self, now: SteadyTime, request: int = 0) -> None:
        """Have a new configuration checked. `request`: the number of control's request; 0 for a signal."""
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._configuration.request(now, request)
        if self._configuration.pid is None:  # no process could be started: control has to know
            self._send_reloaded(ConfigurationUpdate(self._configuration.state), now)

    def _checked(self, code: int, now: SteadyTime) -> None:
        """Apply an accepted configuration to what the supervisor owns, and send the result to control."""
        update, zones = self._configuration.ended(code, now)
        with zones:
            if update.accepted is not None:
                self._accept(update.accepted, now)
            self._send_reloaded(update, now, zones.fileno())

    def _accept(self, accepted: Accepted, now: SteadyTime) -> None:
        for each in self._slots:
            each.process.settings = msgspec.json.encode(accepted.worker)
        self._digest = warm_start.digest(accepted.control)
        self._lame_duck = accepted.processes.lame_duck
        before, self._key_files = self._key_files.contents, key_files(accepted.worker)
        self._check_files_at = SteadyTime(now + INTERVAL)
        if self._key_files.contents != before:
            self._send_files()

    def _send_reloaded(self, update: ConfigurationUpdate, now: SteadyTime, zones: int | None = None) -> None:
        self._reloaded_by = SteadyTime(now + RELOAD_PATIENCE)
        # A control that is absent gets the configuration, and the state of reloads, when it starts.
        with contextlib.suppress(OSError), open(os.devnull, "rb") as nothing:  # noqa: PTH123 - needs no path
            if self._control.link:
                orders.send_reloaded(self._control.link, update, nothing.fileno() if zones is None else zones)

    def _end_reload(self, now: SteadyTime) -> None:
        """Tell systemd that a reload is over."""
        if self._reloaded_by is not None and self._reloaded_by <= now:
            self._reloaded_by = None
            systemd.notify("READY=1")

    def _send_files(self) -> None:
        for each in self._slots:
            if each.process.link:
                # A worker that does not read its orders has ended, and the next one gets the contents at its start.
                with contextlib.suppress(OSError):
                    orders.send_files(each.process.link, self._key_files.contents)

    def _check_files(self, now: SteadyTime) -> None:
        """Hand the certificates, keys and secrets to the workers where they have changed."""
        if not self._key_files or now < self._check_files_at:
            return
        self._check_files_at = SteadyTime(now + INTERVAL)
        if self._key_files.check():
            self._send_files()

    def _read_link(self, process: Child) -> None:
        """Handle a sign of life of a child, its `ready`, or the end of file when it has ended."""
        try:
            message = process.link.recv(orders.MAX_MESSAGE) if process.link else b""
        except OSError:
            message = b""
        if not message:
            self._unlink(process)
            return
        process.heartbeat.heard(SteadyTime(time.monotonic()))
        if message == orders.READY:
            self._ready(process)
        elif process is self._control:
            self._read_control(message.decode().split())

    def _read_control(self, words: list[str]) -> None:
        match words:
            case [orders.RELOAD, number]:
                self._reload(SteadyTime(time.monotonic()), int(number))
            case [orders.APPLIED, serial] if self._configuration.pid is None:
                if self._configuration.state.outcome is ReloadOutcome.APPLIED:
                    _log.info("configuration %s is in effect", serial)
                self._end_reload(self._reloaded_by or SteadyTime(0.0))

    def _ready(self, process: Child) -> None:
        for each in self._slots:
            if each.process is process:
                each.ready()
        self._control_serves |= process is self._control
        if not self._notified_ready and all(each.absent_since is None for each in self._slots):
            self._notified_ready = True
            _log.info("all workers are up")
            systemd.notify("READY=1")
        self._report_status()

    def _report_status(self) -> None:
        """Have systemd show which processes work (`systemctl status`)."""
        working = sum(each.absent_since is None for each in self._slots)
        control = "control works" if self._control_serves else "control is absent"
        systemd.notify(f"STATUS={working} of {len(self._slots)} workers answer; {control}")

    def _unlink(self, process: Child) -> None:
        if process.link:
            self._selector.unregister(process.link)
            process.link.close()
            process.link = None

    def _look(self, now: SteadyTime) -> None:
        """Kill what hangs, and notify systemd's watchdog. A pause of this process was a pause of all."""
        if self._watchdog and now - self._reported >= self._watchdog:
            self._reported = now
            systemd.notify("WATCHDOG=1")
        if not self._limit or now - self._looked < _LOOK:
            return
        paused, self._looked = now - self._looked > self._limit, now
        for each in self._children():
            if paused:
                each.heartbeat.resumed(now)
            elif fault := each.heartbeat.fault(now):
                self._replace(each, fault, now)

    def _replace(self, process: Child, fault: str, now: SteadyTime) -> None:
        _log.error("%s (pid %d) hangs: %s; killing it", process.name, process.pid or 0, fault)
        process.send_signal(signal.SIGKILL)
        process.heartbeat.ended()
        for each in self._slots:
            if each.process is process:
                each.hangs(now)

    def _reap(self) -> None:
        """Reap every child that has ended. As PID 1, the supervisor also inherits the orphans of other processes."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(ended[0], os.waitstatus_to_exitcode(ended[1]), SteadyTime(time.monotonic()))

    def _ended(self, pid: int, code: int, now: SteadyTime) -> None:
        if pid == self._configuration.pid:
            self._checked(code, now)
            return
        for each in self._children():
            if pid == each.pid:
                each.ended(code, now, expected=self._is_ending)
                self._unlink(each)
                break
        else:
            return  # an orphan
        if each is self._control:
            self._control_serves = False
            self._close_announcements()
        for worker in self._slots:
            if worker.process is each:
                worker.ended(now)
                slot.orphan(self._slots, worker)
        if not self._is_ending:
            self._report_status()

    # -- stopping

    def _stop(self) -> None:
        """Be a lame duck, close the listeners, end the workers, then control, which saves its state."""
        systemd.notify("STOPPING=1\nSTATUS=stopping")
        self._be_lame_duck()
        self._is_ending = True
        self._listening.close()
        self._end([each.process for each in self._slots], DRAIN)
        self._end([self._control], SAVE)

    def _be_lame_duck(self) -> None:
        """Answer on while load balancers learn from `/readyz` that pldns stops."""
        with contextlib.suppress(OSError):  # control is absent: `/readyz` does not answer at all
            if self._control.link:
                orders.send_stopping(self._control.link)
        end = SteadyTime(time.monotonic() + self._lame_duck)
        while time.monotonic() < end:
            self._keep_running(until=end)

    def _end(self, children: Sequence[Child], patience: float) -> None:
        """Ask children to end, and kill those that have not ended in time."""
        for each in children:
            each.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while any(each.pid for each in children) and (left := deadline - time.monotonic()) > 0:
            self._turn(min(left, _LOOK))
        for each in children:
            if each.pid:
                _log.warning("%s does not end; killing it", each.name)
        self._kill(children)

    def _kill(self, children: Sequence[Child]) -> None:
        self._is_ending = True
        for each in children:
            each.send_signal(signal.SIGKILL)
        with contextlib.suppress(EndAtOnce):
            while any(each.pid for each in children):
                self._turn(None)
