"""`pldns healthcheck`: sends one query for health.pldns., which every worker answers itself.

Imports almost nothing, because a container runtime may start it every few seconds.
"""

import os
import socket
import sys
import time
from typing import Final

from resolver.host_port import HostPort

_QUESTION: Final = b"\x06health\x05pldns\x00\x00\x01\x00\x01"  # type A, class IN
_HEALTHY: Final = frozenset({0, 5})
"""NOERROR; and REFUSED, which a worker sends to a client outside `dns.allow`."""


def run(server: HostPort, timeout: float) -> int:
    """Return 0 when a worker answers within `timeout` seconds; otherwise print a line on stderr and return 1."""
    try:
        rcode = _ask(server, timeout)
    except OSError as error:
        return _unhealthy(server, error.strerror or f"no answer within {timeout:g} s")
    return 0 if rcode in _HEALTHY else _unhealthy(server, f"the answer has rcode {rcode}")


def _ask(server: HostPort, timeout: float) -> int:
    """Return the rcode of the answer. Raises OSError, of which `TimeoutError` is a kind."""
    number = os.urandom(2)
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    deadline = time.monotonic() + timeout
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((server.host, server.port))
        sock.send(number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + _QUESTION)
        while True:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            reply = sock.recv(512)
            if len(reply) >= 12 and reply[:2] == number and reply[2] & 0x80:
                return reply[3] & 0x0F


def _unhealthy(server: HostPort, reason: str) -> int:
    sys.stderr.write(f"pldns: {server.host} port {server.port}: {reason}\n")
    return 1
