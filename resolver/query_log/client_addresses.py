"""Addresses of clients as the log shows them: masked. Results are kept, within a bound."""

from ipaddress import ip_address
from typing import Final, NamedTuple

from resolver.query_log_settings import AddressMask

_KEPT: Final = 10_000
_MAPPED: Final = bytes(10) + b"\xff\xff"


class ClientAddress(NamedTuple):
    """An address, as octets and as text."""

    packed: bytes
    text: str


class ClientAddresses:
    """Makes addresses that can be logged."""

    def __init__(self, mask: AddressMask) -> None:
        self._mask = mask
        self._known: dict[bytes, ClientAddress] = {}

    def of(self, address: bytes) -> ClientAddress:
        """Return the logged address of a client's packed one, which may be IPv4-mapped."""
        found = self._known.get(address)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[address] = self._masked(address)
        return found

    def _masked(self, address: bytes) -> ClientAddress:
        octets = address[12:] if len(address) == 16 and address.startswith(_MAPPED) else address
        size = len(octets)
        if size not in {4, 16}:  # only a worker that was taken over sends such an address
            return ClientAddress(bytes(4), "0.0.0.0")  # noqa: S104 - not bound to
        hidden = 8 * size - (self._mask.ipv4 if size == 4 else self._mask.ipv6)
        packed = (int.from_bytes(octets, "big") >> hidden << hidden).to_bytes(size, "big")
        return ClientAddress(packed, str(ip_address(packed)))
