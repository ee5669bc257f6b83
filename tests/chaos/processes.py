"""Faults of processes: killed, hung, paused, restarted, taken over, reloaded, or with a log that nobody reads."""

import contextlib
import os
import signal
from functools import partial
from typing import Any, Final

from tests.chaos.fault import Allowed, Fault, Over, event
from tests.chaos.site import Site
from tests.chaos.stepped import set_offset
from tests.live.daemon import give_way, living, until

PAUSE: Final = 4.0
"""Seconds: longer than the heartbeat of 3 s."""


def _send(kind: str, number: int, site: Site) -> Over:
    """Send a signal to control or the first worker. Over when another process runs in its place."""
    pid = site.children()[kind][0]
    os.kill(pid, number)
    return lambda: pid not in site.children()[kind] and site.is_well()


def _kill_children(site: Site) -> Over:
    """Kill control and all workers at once. They need the saved table."""
    pids = {pid for kind in site.children().values() for pid in kind}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return lambda: not pids & {pid for kind in site.children().values() for pid in kind} and site.is_well()


def _pause(site: Site) -> None:
    """Stop all processes, as the pause of a virtual machine does."""
    pids = [site.pid, *(pid for kind in site.children().values() for pid in kind)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    give_way(PAUSE)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def _kill_supervisor(site: Site) -> None:
    """Kill the supervisor. All processes end with it, and something starts pldns again."""
    children = [pid for kind in site.children().values() for pid in kind]
    os.kill(site.pid, signal.SIGKILL)
    until(lambda: not any(map(living, [site.pid, *children])))
    site.begin()


def _restart(site: Site) -> None:
    site.stop()
    site.begin()


def _reload(change: dict[str, Any], status: int, site: Site) -> None:
    site.configure(change)
    found = site.post("/v1/reload", {})
    assert found == status, f"the reload had status {found}"


def _block_log(site: Site) -> Over:
    """Let nobody read the log, fill its pipe, and kill a worker, whose end is logged."""
    site.log_is_read.clear()
    descriptor = os.open(f"/proc/self/fd/{site.log_pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, b"\n" * 4096)
    os.close(descriptor)
    return _send("worker", signal.SIGKILL, site)


def _set_clock(seconds: float, site: Site) -> Over:
    """Set the system's clock, and move an endpoint, which pldns has to notice."""
    set_offset(site.clock, seconds)
    return site.serves(site.moved())


KILLS: Final = (
    event("worker killed", partial(_send, "worker", signal.SIGKILL)),
    event("control killed", partial(_send, "control", signal.SIGKILL)),
    event("control and all workers killed at once", _kill_children),
    event("worker hangs (SIGSTOP)", partial(_send, "worker", signal.SIGSTOP)),
    event("control hangs (SIGSTOP)", partial(_send, "control", signal.SIGSTOP)),
)
RELOADS: Final = (
    event("reload of a good configuration", partial(_reload, {"rate_limit": {"per_second": 90_000}}, 200)),
    Fault(
        "reload of a bad configuration",
        partial(_reload, {"allow": ["nonsense"]}, 422),
        partial(_reload, {}, 200),
    ),
)
ORDERLY: Final = (event("takeover by a successor (SIGUSR2)", Site.take_over), *RELOADS)
RESTARTS: Final = (
    event("stopped, and started again", _restart, Allowed.LOSS),
    event("supervisor killed, and started again", _kill_supervisor, Allowed.LOSS),
)
HELD: Final = (
    event("stopped after a lame duck of 1 s, and started again; systemd holds the sockets", _restart),
    event("supervisor killed, and started again; systemd holds the sockets", _kill_supervisor),
)
PAUSED: Final = event("all processes paused for 4 s", _pause)
CLOCK: Final = (
    event("clock set back by a day", partial(_set_clock, -86_400.0)),
    event("clock set forward by a year", partial(_set_clock, 365 * 86_400.0)),
)
LOG: Final = Fault(
    "nobody reads the log, and a worker is killed", _block_log, lambda site: site.log_is_read.set(), hold=0.0
)
