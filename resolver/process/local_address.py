"""Whether this machine has an IP address, and sockets on addresses that it does not have yet.

A socket with the option `IP_FREEBIND` (ip(7)) listens on any address. Packets arrive as soon as the machine has it.
"""

import errno
import socket
from typing import Final

_FREEBIND: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 15),  # IP_FREEBIND of linux/in.h; Python has no name for it
    socket.AF_INET6: (socket.IPPROTO_IPV6, 78),  # IPV6_FREEBIND of linux/in6.h
}


def allow_absent(sock: socket.socket) -> None:
    """Let a socket be bound to an address that this machine does not have. Raises OSError."""
    sock.setsockopt(*_FREEBIND[sock.family], 1)


def is_absent(host: str) -> bool:
    """Return whether this machine lacks the address, or has not finished checking that no other machine has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return False
