"""Which Host headers a listener accepts (RFC 9110 §7.4).

A browser can be made to send requests to an address under a foreign name (DNS rebinding). The name appears in the Host
header. So only names of this machine are accepted there.
"""

import re
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Any, Final

from aiohttp import web

from resolver.admin.access.problems import Code, Refused


class OwnHosts:
    """The hosts of one listener: loopback, `listen`, the address that the client has reached, and `names`."""

    def __init__(self, listen: str, names: Callable[[], Collection[str]]) -> None:
        self._listen = listen
        self._names = names

    @web.middleware
    async def check(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own type is private
        """Refuse requests for other hosts: a middleware of aiohttp."""
        if not self.has(request.headers.get("Host", ""), request):
            raise Refused(
                Code.FOREIGN_HOST,
                "the Host header names neither a loopback address, nor the listener, nor a name in `admin.hosts`",
            )
        response: web.StreamResponse = await handler(request)
        return response

    def has(self, authority: str, request: web.Request) -> bool:
        """Return whether `HOST[:PORT]` names the listener that a request has reached."""
        host = host_of(authority)
        own = {self._listen, "localhost", *self._names(), _reached(request)}
        return bool(host) and (host in own or is_loopback(host))


def _reached(request: web.Request) -> str:
    """Return the address of this machine that the client has connected to; empty if the client has gone."""
    address = request.get_extra_info("sockname")
    return str(address[0]) if address else ""


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(authority: str) -> str:
    """Return the host of `HOST[:PORT]` in lower case, without brackets; empty for a malformed text."""
    match = _AUTHORITY.fullmatch(authority)
    return (match[1] or match[2]).rstrip(".").lower() if match else ""


_AUTHORITY: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+))(?::[0-9]*)?")
