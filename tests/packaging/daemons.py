"""pldns in a clean root: started as process 1, asked, and ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import dns.exception
import dns.message
import dns.query

from tests.live.daemon import until

ADDRESS: Final = "127.0.0.1"
GRACE: Final = 10.0
"""Seconds from SIGTERM to SIGKILL: the default of container engines."""


def answers(port: int) -> bool:
    """Return whether pldns answers at this port."""
    query = dns.message.make_query("health.pldns.", "A")
    try:
        return bool(dns.query.udp(query, ADDRESS, timeout=1, port=port).answer)
    except (OSError, dns.exception.DNSException):
        return False


@contextlib.contextmanager
def running(command: Sequence[str], is_up: Callable[[int], bool], log: Path) -> Iterator[int]:
    """Run a command that starts pldns in a root, until it answers. Yields the process id that the machine sees.

    `is_up` gets this process id, and returns whether pldns answers. At the end, SIGTERM must end pldns with status 0,
    within the time that container engines give by default.
    """
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            pid = until(lambda: _child(process, log))
            until(lambda: _child(process, log) and is_up(pid))
            yield pid
            os.kill(pid, signal.SIGTERM)
            assert process.wait(GRACE) == 0, log.read_text()
        finally:
            process.kill()


def _child(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """Return the process id of the only child; 0 if it does not run yet. Fails if the process has ended."""
    assert process.poll() is None, log.read_text()
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() or 0)
