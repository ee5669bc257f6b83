"""Which role sees the addresses of DNS clients: `operate`. All others see the network around each address.

Does not know which resources have addresses.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

from resolver.admin.access.identity import IDENTITY, Role
from resolver.admin.access.problems import Code, Refused

_KEPT: Final = {4: 24, 6: 56}
"""Bits of an address that everybody sees, by IP version: the prefix that RFC 7871 §11.1 recommends to reveal."""


class ShownClients:
    """The addresses of clients, as the sender of a request may see them."""

    def __init__(self, request: web.Request) -> None:
        self.are_whole: Final = request[IDENTITY].role.includes(Role.OPERATE)

    def text(self, address: bytes) -> str:
        """Return a packed address as text: `10.1.0.4`, or `10.1.0.0/24`. Raises ValueError for one that is none."""
        found: IPv4Address | IPv6Address = ip_address(address)
        if self.are_whole:
            return str(found)
        return str(ip_network((found, _KEPT[found.version]), strict=False))

    def check_filter(self, address: bytes, bits: int) -> None:
        """Refuse a filter of clients by a prefix that is longer than what `text` shows. Raises `Refused`."""
        most = _KEPT[ip_address(address).version]
        if not self.are_whole and bits > most:
            raise Refused(Code.ROLE_TOO_LOW, f"client: a prefix of more than {most} bits needs the role `operate`")
