"""Whether an address is one of this server's own listeners, so that a query sent there would come back.

Opens a UDP socket to ask the kernel which addresses and interfaces this machine has. Sends no packet.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from resolver.host_port import HostPort, parse


def overlap(one: str, another: str) -> bool:
    """Return whether two listen addresses (`ADDRESS:PORT`) cannot both be bound."""
    return is_own(parse(one), (another,)) or is_own(parse(another), (one,))


def is_own(upstream: HostPort, listen: Iterable[str]) -> bool:
    """Return whether one of the listen addresses (`ADDRESS:PORT`) receives what is sent to `upstream`."""
    for own in map(parse, listen):
        here = own.host == upstream.host or (own.address.is_unspecified and _is_local(upstream.address))
        if here and upstream.port == own.port != 0:
            return True
    return False


def _is_local(address: IPv4Address | IPv6Address) -> bool:
    """Return whether this machine has the address: the kernel would then send from that very address."""
    if address.is_loopback:
        return True
    with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(socket.getaddrinfo(str(address), 53, flags=socket.AI_NUMERICHOST)[0][4])
            return ip_address(probe.getsockname()[0]) == address
        except OSError:
            return False


def missing_interface(host: str) -> str:
    """Return the interface in the scope of an address if this machine lacks that interface; else an empty string."""
    interface = host.partition("%")[2]
    if not interface or interface.isdigit():
        return ""
    try:
        socket.if_nametoindex(interface)
    except OSError:
        return interface
    return ""
