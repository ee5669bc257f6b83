"""Socket addresses of IPv6 addresses with a scope (RFC 4007): `fe80::1%eth0` is on the link of one interface.

The interface is looked up for each socket, because it may be made again with another index while pldns runs.
"""

import socket

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def socket_address(host: str, port: int) -> SocketAddress:
    """Return the address as `socket` takes it. Raises OSError if there is no such interface."""
    address, mark, interface = host.partition("%")
    if not mark:
        return host, port
    return address, port, 0, int(interface) if interface.isdigit() else socket.if_nametoindex(interface)
