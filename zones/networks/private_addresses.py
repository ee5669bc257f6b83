"""Address blocks that are not public: the same address is another host in each network.

An IPv6 address that carries a private IPv4 address (NAT64, 6to4, IPv4-compatible) leads to that host. It is private
too.
"""

from ipaddress import ip_network
from typing import Final

PRIVATE: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "168.63.129.16/32", "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "::ffff:0:0/96",
)  # fmt: skip
"""The blocks are listed here, since the set that libraries call private changes between versions."""
_BOUNDS: Final = [
    (len(network.network_address.packed), network.network_address.packed, network.broadcast_address.packed)
    for network in map(ip_network, PRIVATE)
]
_WELL_KNOWN_NAT64: Final = bytes.fromhex("0064ff9b0000000000000000")
"""64:ff9b::/96 (RFC 6052 §2.1)."""
_LOCAL_NAT64: Final = bytes.fromhex("0064ff9b0001")
"""64:ff9b:1::/48 (RFC 8215). A network may choose a longer prefix inside this one."""
_6TO4: Final = bytes.fromhex("2002")
"""2002::/16 (RFC 3056 §2)."""
_COMPATIBLE: Final = bytes(12)
"""::/96 (RFC 4291 §2.5.5.1)."""


def _by_first_octet(size: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return the bounds of the blocks of one address size, by each first octet that they have."""
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for of, first, last in _BOUNDS:
        for octet in range(first[0], last[0] + 1) if of == size else ():
            found.setdefault(octet, []).append((first, last))
    return found


_BLOCKS: Final[dict[int, dict[int, list[tuple[bytes, bytes]]]]] = {
    4: _by_first_octet(4), 16: {_WELL_KNOWN_NAT64[0]: [], _6TO4[0]: []} | _by_first_octet(16)
}  # fmt: skip
"""Bounds of the blocks by address size and first octet. Addresses that carry another one have no bounds. Most public
addresses have another first octet.
"""


def is_private(address: bytes) -> bool:
    """Return True where a packed address lies in a block of `PRIVATE`, or carries an IPv4 address that does."""
    blocks = _BLOCKS.get(len(address))
    bounds = None if blocks is None else blocks.get(address[0])
    if bounds is None:
        return False
    for first, last in bounds:
        if first <= address <= last:
            return True
    carried = _carried(address) if len(address) == 16 else None
    return carried is not None and is_private(carried)


def _carried(address: bytes) -> bytes | None:
    """Return the IPv4 address in an IPv6 address; None if there is none."""
    if address.startswith((_WELL_KNOWN_NAT64, _COMPATIBLE)):
        return address[12:]
    if address.startswith(_6TO4):
        return address[2:6]
    return _locally_translated(address) if address.startswith(_LOCAL_NAT64) else None


def _locally_translated(address: bytes) -> bytes:
    """Return the IPv4 address in an address under 64:ff9b:1::/48.

    The prefix has 48, 56, 64 or 96 bits. All but the last leave octets of the suffix zero (RFC 6052 §2.2), so the last
    octet that is not zero shows which one it is.
    """
    if any(address[13:]):
        return address[12:]
    if address[12]:
        return address[9:13]
    return address[7:8] + address[9:12] if address[11] else address[6:8] + address[9:11]
