"""Addresses that are not public: each network has its own hosts there."""

from ipaddress import ip_network
from typing import Final

PRIVATE: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "168.63.129.16/32", "::/128", "::1/128", "fc00::/7", "fe80::/10", "::ffff:0:0/96",
)  # fmt: skip
"""Addresses that lead somewhere else for everyone: listed, since what libraries call private changes."""
_BOUNDS: Final = [
    (len(network.network_address.packed), network.network_address.packed, network.broadcast_address.packed)
    for network in map(ip_network, PRIVATE)
]


def is_private(address: bytes) -> bool:
    """True for a packed address of `PRIVATE`."""
    return any(size == len(address) and first <= address <= last for size, first, last in _BOUNDS)
