"""pldns in a clean root: started as process 1, asked, and ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.live.daemon import until

ADDRESS = "127.0.0.1"


def answers(port: int) -> bool:
    """Return whether pldns answers at this port."""
    query = dns.message.make_query("health.pldns.", "A")
    try:
        return bool(dns.query.udp(query, ADDRESS, timeout=1, port=port).answer)
    except (OSError, dns.exception.DNSException):
        return False


@contextlib.contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[int]:
    """Run a command that starts pldns in a root, until it answers. Yields the process id that the machine sees.

    At the end, SIGTERM must end it with status 0.
    """
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            until(lambda: answers(port) or _alive(process, log))
            (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            yield int(child)
            os.kill(int(child), signal.SIGTERM)
            assert process.wait(60) == 0, log.read_text()
        finally:
            process.kill()


def _alive(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    return False
