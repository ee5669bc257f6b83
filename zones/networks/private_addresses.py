"""Address blocks that are not public: the same address is another host in each network."""

from ipaddress import ip_network
from typing import Final

PRIVATE: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "168.63.129.16/32", "::/128", "::1/128", "fc00::/7", "fe80::/10", "::ffff:0:0/96",
)  # fmt: skip
"""The blocks are listed here, since the set that libraries call private changes between versions."""
_BOUNDS: Final = [
    (len(network.network_address.packed), network.network_address.packed, network.broadcast_address.packed)
    for network in map(ip_network, PRIVATE)
]


_FIRST: Final = {
    size: frozenset(octet for of, first, last in _BOUNDS if of == size for octet in range(first[0], last[0] + 1))
    for size in (4, 16)
}
"""The first octets of private addresses, by the size of the address. Nearly all public addresses have others."""


def is_private(address: bytes) -> bool:
    """Return True where a packed address lies in a block of `PRIVATE`."""
    if not address or address[0] not in _FIRST.get(len(address), ()):
        return False
    return any(size == len(address) and first <= address <= last for size, first, last in _BOUNDS)
