"""The supervisor: keeps one control and N workers alive, around sockets that outlive them.

It has no event loop, no configuration parser, no packets and no cloud: one selector, signals through a descriptor, and
waitpid(-1), which makes it a correct PID 1. Children are executed, never only forked.
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
from resolver.settings import Accepted
from resolver.supervisor import child, slot
from resolver.supervisor.child import Child
from resolver.supervisor.key_files import INTERVAL, key_files
from resolver.supervisor.listen import Listening
from resolver.supervisor.signals import Signals
from resolver.supervisor.slot import Slot
from zones.clocks import SteadyTime

DRAIN: Final = 5.5
"""Seconds that workers have to end: 5 s for queries in flight, and some to exit."""
SAVE: Final = 4.0
"""Seconds that control has after that. Container engines kill everything after 10 s."""

_log = logging.getLogger(__name__)


class Supervisor:
    """The children, and the loop that starts and reaps them."""

    def __init__(
        self,
        accepted: Accepted,
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
        for_control, for_workers = msgspec.json.encode(accepted), msgspec.json.encode(accepted.worker)
        private, scrubbed = child.private(os.environ), child.scrubbed(os.environ)
        self._zones = zones
        self._listening = listening
        self._channel_path, self._channel = channel
        self._signals = signals
        self._state, self._digest = accepted.control.state_directory, warm_start.digest(accepted.control)
        self._stopping = self._notified_ready = False
        self._key_files, self._check_files_at = key_files(accepted.worker), SteadyTime(now + INTERVAL)
        self._announcements = -1
        """A pipe to control, see `worker_pids`; -1 while control does not run."""
        self._control = Child("control", control, for_control, private)
        self._slots = [
            Slot(index, Child(f"worker {index}", worker, for_workers, scrubbed), own, now)
            for index, own in enumerate(listening.workers)
        ]
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ)

    def run(self) -> int:
        """Start all children, keep them running until a stop is requested, and end them. Return the exit status."""
        self._turn(0)
        while not self._stopping:
            self._start_due(SteadyTime(time.monotonic()))
            self._check_files(SteadyTime(time.monotonic()))
            # With shared sockets, the remaining workers read them anyway.
            again = None if self._listening.shared else slot.hand_over(self._slots, SteadyTime(time.monotonic()))
            self._turn(self._pause(again))
        self._stop()
        return 0

    def _turn(self, timeout: float | None) -> None:
        """Wait for an event for `timeout` seconds at most, and handle all that have happened."""
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Slot):
                self._read_link(key.data)
            elif self._signals.stop_requested():
                self._stopping = True
        self._reap()

    def _pause(self, hand_over: SteadyTime | None) -> float | None:
        times = [each.due for each in self._children()] + [hand_over]
        times += [self._check_files_at] if self._key_files else []
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
            self._control.start(now, options, descriptors)
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
        own_end, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own_end.settimeout(0)
        own = [sock.fileno() for sock in worker.sockets]
        options = {
            "worker": str(worker.index),
            "channel": self._channel_path,
            "sockets": ",".join(map(str, own)),
            "roles": ",".join(self._listening.roles),
            "orders": str(child_end.fileno()),
        }
        handed = {"files": handed_files.hand(self._key_files.contents)}
        saved = warm_start.opened(self._state, self._digest)
        if saved is not None:
            handed["warm-start"] = saved
        options |= {name: str(descriptor) for name, descriptor in handed.items()}
        try:
            worker.process.start(now, options, (*own, child_end.fileno(), *handed.values()))
        except OSError:
            own_end.close()
            raise
        finally:
            child_end.close()
            for descriptor in handed.values():
                os.close(descriptor)
        worker.link = own_end
        self._selector.register(own_end, selectors.EVENT_READ, worker)
        self._announce(worker)

    def _announce(self, worker: Slot) -> None:
        """Give control the process id of this worker: control admits no other process to the channel."""
        if self._announcements < 0 or worker.process.pid is None:
            return
        # The pipe is full or broken only when control hangs or has ended. The next control gets all process ids.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            worker_pids.announce(self._announcements, worker.index, worker.process.pid)

    # -- running

    def _check_files(self, now: SteadyTime) -> None:
        """Hand the certificates, keys and secrets to the workers where they have changed."""
        if not self._key_files or now < self._check_files_at:
            return
        self._check_files_at = SteadyTime(now + INTERVAL)
        if self._key_files.check():
            for each in self._slots:
                if each.link:
                    # A worker that does not read its orders has ended, and the next one gets the contents at its start.
                    with contextlib.suppress(OSError):
                        orders.send_files(each.link, self._key_files.contents)

    def _read_link(self, worker: Slot) -> None:
        """Handle a worker's `ready`, or the end of file when its process has ended."""
        try:
            message = worker.link.recv(16) if worker.link else b""
        except OSError:
            message = b""
        if not message:
            self._unlink(worker)
        elif message == orders.READY:
            worker.ready()
            if not self._notified_ready and all(each.absent_since is None for each in self._slots):
                self._notified_ready = True
                _log.info("all workers are up")
                systemd.notify("READY=1")

    def _unlink(self, worker: Slot) -> None:
        if worker.link:
            self._selector.unregister(worker.link)
            worker.link.close()
            worker.link = None

    def _reap(self) -> None:
        """Reap every child that has ended. As PID 1, the supervisor also inherits the orphans of other processes."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(ended[0], os.waitstatus_to_exitcode(ended[1]), SteadyTime(time.monotonic()))

    def _ended(self, pid: int, code: int, now: SteadyTime) -> None:
        if pid == self._control.pid:
            self._control.ended(code, now, expected=self._stopping)
            self._close_announcements()
        for each in self._slots:
            if pid == each.process.pid:
                each.process.ended(code, now, expected=self._stopping)
                self._unlink(each)
                each.ended(now)
                slot.orphan(self._slots, each)

    # -- stopping

    def _stop(self) -> None:
        """Close the listeners, end the workers, then control, which saves its state. Kill what does not end in time."""
        _log.info("stopping")
        systemd.notify("STOPPING=1")
        self._listening.close()
        self._end([each.process for each in self._slots], DRAIN)
        self._end([self._control], SAVE)

    def _end(self, children: Sequence[Child], patience: float) -> None:
        for each in children:
            each.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while any(each.pid for each in children) and (left := deadline - time.monotonic()) > 0:
            self._turn(left)
        for each in children:
            if each.pid:
                _log.warning("%s does not end; killing it", each.name)
                each.send_signal(signal.SIGKILL)
        while any(each.pid for each in children):
            self._turn(None)
