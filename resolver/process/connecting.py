"""Sockets that connect to a server, whose address or own address may be on one link: `fe80::1%eth0` (RFC 4007).

The interface is looked up for each socket, because it may be made again with another index while pldns runs.
"""

import errno
import fcntl
import socket
import struct
from typing import Final

_INDEX: Final = 0x8933  # SIOCGIFINDEX of linux/sockios.h
_REQUEST: Final = struct.Struct("16si20x")  # struct ifreq of netdevice(7): name and index

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def connecting(kind: socket.SocketKind, address: str, port: int, source: str) -> socket.socket:
    """Return a non-blocking socket that is connected to a server, or over TCP may still be connecting. Never waits.

    `source`: the address to connect from; empty: the system chooses. Raises OSError.
    """
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        if source:
            made.bind(_socket_address(source, 0))
        made.connect(_socket_address(address, port))
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            made.close()
            raise
    return made


def _socket_address(host: str, port: int) -> SocketAddress:
    """Return the address as `socket` takes it. Raises OSError if there is no such interface."""
    address, mark, interface = host.partition("%")
    if not mark:
        return host, port
    return address, port, 0, int(interface) if interface.isdigit() else _index(interface)


def _index(interface: str) -> int:
    """Return the index of an interface. Raises OSError. A worker lacks the socket that `if_nametoindex` needs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        found = fcntl.ioctl(sock, _INDEX, _REQUEST.pack(interface.encode()[:15], 0))
    index: int = _REQUEST.unpack(found)[1]
    return index
