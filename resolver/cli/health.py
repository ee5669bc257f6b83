"""`pldns healthcheck`: one question for health.pldns., which every worker answers by itself. Loads next to nothing."""

import os
import socket
import sys
import time
from typing import Final

from resolver.host_port import HostPort

_QUESTION: Final = b"\x06health\x05pldns\x00\x00\x01\x00\x01"  # A, IN
_REFUSED: Final = 5  # a client outside `dns.allow`: refused, but by a worker that lives
_NOERROR: Final = 0


def check(server: HostPort, timeout: float) -> int:
    """0 when a worker answers within `timeout` seconds, else 1 and a line on stderr."""
    try:
        rcode = _ask(server, timeout)
    except OSError as error:
        return _unwell(f"{server.host} port {server.port}: {error.strerror or f'no answer within {timeout:g} s'}")
    return 0 if rcode in {_NOERROR, _REFUSED} else _unwell(f"{server.host} port {server.port}: answered rcode {rcode}")


def _ask(server: HostPort, timeout: float) -> int:
    """The rcode of the answer. Raises OSError, `TimeoutError` among them."""
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


def _unwell(text: str) -> int:
    sys.stderr.write(f"pldns: {text}\n")
    return 1
