"""Ports on loopback for tests: no two test processes on a machine get the same one.

A port that the kernel chooses (`bind` to port 0) is safe only while its socket is open. A test that must write a port
into a configuration closes the socket first, and from then on any client socket on the machine may get that port.
`free_port` therefore takes ports that the kernel never chooses by itself, from a block that this process alone holds.

Does not know who listens on a port or for how long. Linux only.
"""

import functools
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = 100
"""Ports in a block. A process gives its ports out in turn, so a port comes back after 99 others."""
_FIRST: Final = 10_000
"""Well-known services of a development machine are below."""


def pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """Return a TCP and a UDP socket bound to one port. Prefer this to `free_port` where sockets can be handed over."""
    while True:
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind((host, 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


def free_port() -> int:
    """Return a port on which nobody listens, over UDP or TCP, and that no other test process gets."""
    return free_ports(1)[0]


def free_ports(count: int) -> range:
    """Return so many ports in a row, each as `free_port` gives it. Raises `OSError` when the block has no such row."""
    block = _block()
    for _ in range(_BLOCK):
        row = range(block.next, block.next + count)
        block.next = row.stop if row.stop < block.end else block.end - _BLOCK
        if row.stop <= block.end and all(map(_is_free, row)):
            return row
    raise OSError(f"the test ports from {block.end - _BLOCK} to {block.end - 1} have no {count} free ones in a row")


@dataclass
class _Block:
    """The ports before `end`; `next` is given out next. `claim` stays open as long as this process has the block."""

    next: int
    end: int
    claim: socket.socket


@functools.cache
def _block() -> _Block:
    """Claim a block until this process ends. Raises `OSError` when all blocks are claimed.

    The claim is the name of an abstract Unix socket (unix(7)). Like ports, such names belong to a network namespace,
    and the kernel frees a name when its process ends, however it ends.
    """
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    for first in range(_FIRST, 65_536 - _BLOCK, _BLOCK):
        if first <= high and first + _BLOCK > low:
            continue  # the kernel chooses from these
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0pldns-test-ports-{first}")
        except OSError:
            claim.close()
        else:
            return _Block(first, first + _BLOCK, claim)
    raise OSError("every block of test ports is claimed, or the kernel's local port range covers them all")


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection in TIME_WAIT holds no port
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
