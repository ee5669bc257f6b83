"""The supervisor: keeps one control and N workers alive, around sockets that outlive them.

It has no event loop, no configuration parser, no packets and no cloud: one selector, signals through a descriptor, and
waitpid(-1), which makes it a correct PID 1. Children are executed, never only forked.

    running ──SIGTERM──▶ lame duck (queries are answered, /readyz is 503) ──▶ saving ──▶ draining ──▶ end
       │ ▲
       │ └──the successor fails: control is started again──┐
       └──a successor asks──▶ handing over (control has ended, the workers answer) ──it is ready──▶ draining ──▶ end

`children` has the states of a child, `takeover` the messages between two supervisors.
"""

import contextlib
import logging
import os
import selectors
import signal
import time
from collections.abc import Sequence
from typing import BinaryIO, Final

from resolver import settings_change
from resolver.process import orders, systemd
from resolver.process.sandbox.level import SandboxLevel
from resolver.supervisor.cgroup import ControlGroups
from resolver.supervisor.child import Child
from resolver.supervisor.children import LOOK, ChildCommands, Children, ControlSockets
from resolver.supervisor.dialer import Dialer
from resolver.supervisor.listen import Listening
from resolver.supervisor.log_level import RunningLogLevel
from resolver.supervisor.memory import MemoryBudget
from resolver.supervisor.reload import Configuration
from resolver.supervisor.reloading import Reloading
from resolver.supervisor.signals import STOP, Signals, name_of
from resolver.supervisor.successor import Successor
from resolver.supervisor.takeover import Offer, Predecessor
from zones.clocks import SteadyTime

DRAIN: Final = 5.5
"""Seconds that workers have to end: 5 s for queries in flight, and some to exit."""
LOG: Final = 0.4
"""Seconds that the query logger has after that."""
SAVE: Final = 4.0
"""Seconds that control has before that. Container engines kill everything after 10 s."""
TAKEOVER: Final = 300.0
"""Seconds that a successor has to become ready. Control decodes the inventory of a million endpoints meanwhile."""

_log = logging.getLogger(__name__)


class EndAtOnce(Exception):  # noqa: N818 - reads as a sentence
    """There is no time, or no need, for an ordered stop. The message says why."""


class Supervisor:
    """The loop around the children, from the start to the end."""

    def __init__(
        self,
        configuration: Configuration,
        zones: BinaryIO,
        listening: Listening,
        sockets: ControlSockets,
        commands: ChildCommands,
        signals: Signals,
        sandbox: SandboxLevel,
        takeover: tuple[Offer, Predecessor | None],
    ) -> None:
        """`takeover`: the offer to a successor, and what this process takes over from. The rest: see `Children`."""
        offer, predecessor = takeover
        self._listening = listening
        self._admin_socket = sockets.admin
        self._signals = signals
        self._configuration = configuration
        self._watchdog = systemd.watchdog(os.environ)
        self._watchdog_at = SteadyTime(0.0)
        """When systemd's watchdog is to be notified."""
        self._stopping = self._handed_over = self._notified_ready = False
        self._status = ""
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ, self._react)
        self._children = Children(configuration, zones, listening, sockets, commands, sandbox, self._selector)
        self._reloading = Reloading(configuration, self._children)
        self._log_level = RunningLogLevel(configuration.accepted.log.level, self._children)
        self._memory = MemoryBudget(configuration, self._children, ControlGroups())
        self._offer = offer
        self._successor = Successor()
        self._predecessor = predecessor
        self._give_up = SteadyTime(time.monotonic() + TAKEOVER)
        """When a takeover that is not complete is abandoned."""
        if predecessor:
            self._children.is_successor = True
            self._selector.register(predecessor, selectors.EVENT_READ, self._hear_predecessor)
        else:
            self._make_offer()

    def run(self) -> int:
        """Start all children, keep them running until a stop is requested, and end them. Return the exit status."""
        try:
            self._turn(0)
            while not self._stopping:
                self._keep_running()
            self._stop()
        except EndAtOnce as reason:
            _log.warning("%s: ending at once", reason)
            self._offer.refuse()
            self._kill(self._children.all)
            return 1
        return 0

    def _keep_running(self, until: SteadyTime | None = None) -> None:
        """Start the children that are due, and wait for the next event; `until` this time at most."""
        self._memory.look()
        self._children.start_due()
        self._children.check_files()
        self._reloading.look()
        self._log_level.look()
        parts = (self._children, self._reloading, self._log_level, self._memory)
        self._turn(self._pause(until, *(each.next_time() for each in parts)))
        self._report()
        if (self._predecessor or self._offer.is_taken) and time.monotonic() >= self._give_up:
            self._abandon("it took too long")

    def _pause(self, *times: SteadyTime | None) -> float | None:
        """Return the seconds until the first of these times, or until the watchdog or a takeover is due."""
        due = [each for each in times if each is not None]
        due += [self._watchdog_at] if self._watchdog else []
        due += [self._give_up] if self._predecessor or self._offer.is_taken else []
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _turn(self, timeout: float | None) -> None:
        """Wait for an event for `timeout` seconds at most, and handle all that have happened."""
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                words = self._children.read(key.data)
                self._reloading.heard(words)
                self._log_level.heard(words)
            elif isinstance(key.data, Dialer):
                self._children.dial(key.data)
            else:
                key.data()
        self._reap()
        self._children.look()
        if self._watchdog and time.monotonic() >= self._watchdog_at:
            self._watchdog_at = SteadyTime(time.monotonic() + self._watchdog)
            systemd.notify("WATCHDOG=1")

    def _reap(self) -> None:
        """Reap every child that has ended. As PID 1, the supervisor also inherits the orphans of other processes."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, code = ended[0], os.waitstatus_to_exitcode(ended[1])
                self._children.ended(pid, code)
                self._reloading.ended(pid, code)
                self._successor.ended(pid, code)

    def _react(self) -> None:
        """React to the signals that arrived; docs/operations.md has the table."""
        for number in self._signals.received():
            name = name_of(number)
            if number in STOP and self._stopping:
                raise EndAtOnce(f"a second {name}")
            if number in STOP:
                _log.info("%s: stopping", name)
                self._stopping = True
            elif number == signal.SIGQUIT:
                raise EndAtOnce(name)
            elif number == signal.SIGHUP:
                self._reloading.request()
            elif number == signal.SIGUSR1:
                for each in self._children.all:
                    _log.info("%s: %s", name, each.describe(SteadyTime(time.monotonic())))
            elif number == signal.SIGUSR2:
                self._successor.start()
            else:
                _log.warning("%s is ignored", name)

    # -- readiness

    def _report(self) -> None:
        """Report to systemd, and to a predecessor, when the workers are ready. `systemctl status` shows the status."""
        children = self._children
        if self._predecessor and children.all_serve and not self._predecessor.has_been_replaced:
            self._predecessor.replace()
        if self._predecessor or self._stopping:
            return
        if not self._notified_ready and children.serving == len(children.slots):
            self._notified_ready = True
            _log.info("all workers are up")
            systemd.notify("READY=1")
        control = "control works" if children.control_serves else "control is absent"
        status = f"STATUS={children.serving} of {len(children.slots)} workers answer; {control}"
        if status != self._status:
            self._status = status
            systemd.notify(status)

    # -- taking over from a predecessor

    def _hear_predecessor(self) -> None:
        """Leave the predecessor when it was replaced or has died. End when it wants to stop before."""
        predecessor = self._predecessor
        if predecessor is None:
            return
        wants_end = predecessor.wants_end()
        self._selector.unregister(predecessor)
        predecessor.close()
        self._predecessor = None
        self._children.is_successor = False
        if predecessor.has_been_replaced:
            _log.info("took over from the pldns with pid %d", predecessor.pid)
        elif wants_end:
            raise EndAtOnce("the pldns that was to be taken over stops")
        else:
            _log.warning("the pldns that was to be taken over has died")
        self._make_offer()

    def _make_offer(self) -> None:
        if self._offer.open():
            self._selector.register(self._offer, selectors.EVENT_READ, self._meet_successor)

    # -- handing over to a successor

    def _meet_successor(self) -> None:
        """Accept a successor. It gets the sockets once control has saved the state."""
        link = self._offer.accept()
        if link is None:
            return
        _log.info("the pldns with pid %d takes over", self._offer.pid)
        self._give_up = SteadyTime(time.monotonic() + TAKEOVER)
        self._end([self._children.control], SAVE)
        if self._offer.hand_over(self._listening, settings_change.lasting(self._configuration.accepted)):
            self._selector.register(link, selectors.EVENT_READ, self._hear_successor)
        else:
            self._abandon("it has ended")

    def _hear_successor(self) -> None:
        if not self._offer.is_ready():
            self._abandon("it has ended")
            return
        _log.info("the pldns with pid %d has taken over", self._offer.pid)
        systemd.notify(f"MAINPID={self._offer.pid}")  # before the successor, which is the main process then, notifies
        self._forget_successor()
        self._handed_over = self._stopping = True

    def _abandon(self, reason: str) -> None:
        """Give up a takeover: as its successor, end; otherwise go on as before."""
        if self._predecessor:
            raise EndAtOnce(f"the takeover failed, {reason}")
        _log.error("the takeover by the pldns with pid %d failed: %s", self._offer.pid, reason)
        self._forget_successor()
        self._admin_socket.open()  # the successor had replaced the socket
        self._children.control.resume(SteadyTime(time.monotonic()))

    def _forget_successor(self) -> None:
        if self._offer.link:
            with contextlib.suppress(KeyError):  # it did not get as far as the sockets
                self._selector.unregister(self._offer.link)
            self._offer.close()

    # -- stopping

    def _stop(self) -> None:
        """Be a lame duck, have control save its state, close the listeners, and end the workers.

        Until the workers end, they answer. The query logger ends last. After a takeover, workers and query logger are
        left, and systemd has a new main process, which does not stop.
        """
        if not self._handed_over:
            systemd.notify("STOPPING=1\nSTATUS=stopping")
            self._offer.refuse()
            self._forget_successor()
            self._be_lame_duck()
            self._end([self._children.control], SAVE)
        self._listening.close()
        self._end(self._children.workers, DRAIN)
        self._end([self._children.query_logger.process], LOG)

    def _be_lame_duck(self) -> None:
        """Answer on while load balancers learn from `/readyz` that pldns stops."""
        with contextlib.suppress(OSError):  # control is absent: `/readyz` does not answer at all
            if self._children.control.link:
                orders.send_stopping(self._children.control.link)
        end = SteadyTime(time.monotonic() + self._configuration.accepted.processes.lame_duck)
        while time.monotonic() < end:
            self._keep_running(until=end)

    def _end(self, children: Sequence[Child], patience: float) -> None:
        """Ask children to end, and kill those that have not ended in time."""
        for each in children:
            each.end()
        deadline = time.monotonic() + patience
        while any(each.pid for each in children) and (left := deadline - time.monotonic()) > 0:
            self._turn(min(left, LOOK))
        for each in children:
            if each.pid:
                _log.warning("%s does not end; killing it", each.name)
        self._kill(children)

    def _kill(self, children: Sequence[Child]) -> None:
        for each in children:
            each.end(signal.SIGKILL)
        while any(each.pid for each in children):
            with contextlib.suppress(EndAtOnce):
                self._turn(None)
