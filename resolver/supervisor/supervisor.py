"""`pldns serve`: keeps one control and N workers alive around sockets that outlive them.

No event loop, no configuration parser, no packets, no cloud: one selector, signals through a wake-up descriptor, and
waitpid(-1), which makes it a right PID 1. Children are executed anew, never forked from this process.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from resolver.channel import warm_start
from resolver.process import log, systemd
from resolver.settings import Accepted
from resolver.supervisor import child, listen, preflight, slot
from resolver.supervisor.child import Process
from resolver.supervisor.slot import Place

DRAIN: Final = 5.5
"""Seconds for workers at the stop: 5 s of in-flight work, and to leave."""
SAVE: Final = 4.0
"""Seconds for control after that; container engines kill all after 10 s."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Commands:
    """What is executed for each child, before its options. `-P`: never import from the current directory."""

    accept: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.check")
    control: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.control")
    worker: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.worker")


_COMMANDS: Final = Commands()


def serve(config_path: Path, flags: Mapping[str, str], commands: Commands = _COMMANDS) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status.

    1: the configuration is refused, another instance holds the state directory, or an address cannot be bound; one
    line on stderr says which. Only the main thread can call it.
    """
    log.setup("supervisor")
    with contextlib.ExitStack() as stack:
        try:
            signals = stack.enter_context(Signals())
            accepted = preflight.accept(config_path, flags, commands.accept)
            stack.enter_context(preflight.held(accepted.control.state_directory))
            listening = listen.listen(accepted.worker, accepted.workers, os.environ)
            stack.callback(listening.close)
            channel = stack.enter_context(preflight.channel(os.environ.get("RUNTIME_DIRECTORY", "")))
        except (preflight.Refused, listen.CannotListen) as error:
            if line := str(error):
                _log.error(line)
            return 1
        preflight.raise_open_files()
        _tell(accepted, listening)
        return Supervisor(accepted, listening, channel, commands, signals).run()


def _tell(accepted: Accepted, listening: listen.Listening) -> None:
    for warning in accepted.warnings:
        _log.warning(warning)
    if os.geteuid() == 0:
        _log.warning("running as root: give pldns a user of its own; port 53 needs no more than CAP_NET_BIND_SERVICE")
    for role, address in listening.addresses:
        spoken = "" if role == "dns" else f" ({role})"
        _log.info("listening on %s%s%s", address, spoken, " (from systemd)" if listening.shared else "")


class Signals:
    """The signals that matter, as a descriptor for the selector (signal.set_wakeup_fd)."""

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.settimeout(0)
        self._write.settimeout(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._read.fileno()

    def stop_asked(self) -> bool:
        """Forget what came in since the last call; True when a stop was among it."""
        try:
            numbers = self._read.recv(4096)
        except BlockingIOError:
            return False
        return signal.SIGTERM in numbers or signal.SIGINT in numbers


class Supervisor:
    """The children, and the loop around them."""

    def __init__(
        self,
        accepted: Accepted,
        listening: listen.Listening,
        channel: tuple[str, socket.socket],
        commands: Commands,
        signals: Signals,
    ) -> None:
        now = time.monotonic()
        for_control, for_workers = msgspec.json.encode(accepted.control), msgspec.json.encode(accepted.worker)
        private, scrubbed = child.private(os.environ), child.scrubbed(os.environ)
        self._listening = listening
        self._channel_path, self._channel = channel
        self._signals = signals
        self._state, self._digest = accepted.control.state_directory, warm_start.digest(accepted.control)
        self._stopping = self._told_ready = False
        self._announcements = -1
        """A pipe to control, in which it reads which pid is which worker."""
        self._control = Process("control", commands.control, for_control, private)
        self._places = [
            Place(index, Process(f"worker {index}", commands.worker, for_workers, scrubbed), own, now)
            for index, own in enumerate(listening.workers)
        ]
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ)

    def run(self) -> int:
        """Start all, keep all, and stop all when asked; returns the exit status."""
        self._turn(0)
        while not self._stopping:
            self._start_due(time.monotonic())
            # Where all workers share the descriptors, those that live read them anyway.
            again = None if self._listening.shared else slot.hand_over(self._places, time.monotonic())
            self._turn(self._pause(again))
        self._stop()
        return 0

    def _turn(self, timeout: float | None) -> None:
        """Wait for something to happen, and take note of it."""
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Place):
                self._hear(key.data)
            elif self._signals.stop_asked():
                self._stopping = True
        self._reap()

    def _pause(self, hand_over: float | None) -> float | None:
        times = [each.due for each in self._processes()] + [hand_over]
        next_time = min((when for when in times if when is not None), default=None)
        return None if next_time is None else max(0.0, next_time - time.monotonic())

    def _processes(self) -> list[Process]:
        return [self._control, *(each.process for each in self._places)]

    def _start_due(self, now: float) -> None:
        if self._control.due is not None and self._control.due <= now:
            try:
                self._start_control(now)
            except OSError as error:
                self._control.failed(error, now)
        for each in self._places:
            if each.process.due is not None and each.process.due <= now:
                try:
                    self._start_worker(each, now)
                except OSError as error:
                    each.process.failed(error, now)

    def _start_control(self, now: float) -> None:
        reading, self._announcements = os.pipe()
        try:
            os.set_blocking(self._announcements, False)
            for each in self._places:
                self._announce(each)
            options = {"channel": str(self._channel.fileno()), "workers": str(reading)}
            self._control.start(now, options, (self._channel.fileno(), reading))
        except OSError:
            self._forget_control()
            raise
        finally:
            os.close(reading)

    def _forget_control(self) -> None:
        os.close(self._announcements)
        self._announcements = -1

    def _start_worker(self, worker: Place, now: float) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        own = [sock.fileno() for sock in worker.sockets]
        options = {
            "worker": str(worker.index),
            "channel": self._channel_path,
            "sockets": ",".join(map(str, own)),
            "roles": ",".join(self._listening.roles),
            "link": str(theirs.fileno()),
        }
        served = warm_start.opened(self._state, self._digest)
        if served is not None:
            options["headstart"] = str(served)
        try:
            worker.process.start(now, options, (*own, theirs.fileno(), *([] if served is None else [served])))
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if served is not None:
                os.close(served)
        worker.link = ours
        self._selector.register(ours, selectors.EVENT_READ, worker)
        self._announce(worker)

    def _announce(self, worker: Place) -> None:
        """Tell control which pid is this worker: it admits no other to the channel."""
        if self._announcements < 0 or worker.process.pid is None:
            return
        # Full or broken only when control hangs or is dead; the next control is told all of it anew.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._announcements, f"{worker.index} {worker.process.pid}\n".encode())

    def _hear(self, worker: Place) -> None:
        """A worker says that it reads its sockets or, by end of file, that it is about to be reaped."""
        try:
            message = worker.link.recv(16) if worker.link else b""
        except OSError:
            message = b""
        if not message:
            self._unlink(worker)
        elif message == b"ready":
            worker.back()
            if not self._told_ready and all(each.away_since is None for each in self._places):
                self._told_ready = True
                _log.info("all workers are up")
                systemd.notify("READY=1")

    def _unlink(self, worker: Place) -> None:
        if worker.link:
            self._selector.unregister(worker.link)
            worker.link.close()
            worker.link = None

    def _reap(self) -> None:
        """Reap every child that has ended, strangers too: PID 1 inherits everyone's orphans."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(ended[0], os.waitstatus_to_exitcode(ended[1]), time.monotonic())

    def _ended(self, pid: int, code: int, now: float) -> None:
        if pid == self._control.pid:
            self._control.ended(code, now, expected=self._stopping)
            self._forget_control()
        for each in self._places:
            if pid == each.process.pid:
                each.process.ended(code, now, expected=self._stopping)
                self._unlink(each)
                each.left(now)
                slot.orphan(self._places, each)

    def _stop(self) -> None:
        """Listeners first, then work in flight, then control, which saves; what is late is killed."""
        _log.info("stopping")
        systemd.notify("STOPPING=1")
        self._listening.close()
        self._end([each.process for each in self._places], DRAIN)
        self._end([self._control], SAVE)

    def _end(self, processes: Sequence[Process], patience: float) -> None:
        for each in processes:
            each.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while any(each.pid for each in processes) and (left := deadline - time.monotonic()) > 0:
            self._turn(left)
        for each in processes:
            if each.pid:
                _log.warning("%s does not end; killing it", each.name)
                each.send_signal(signal.SIGKILL)
        while any(each.pid for each in processes):
            self._turn(None)
