"""The carriers of queries: one for each upstream server, transport and address to send from.

Does not know questions. Says in plain words why a carrier failed.
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Collection, Iterator
from typing import Final

from resolver.forward.client.dial import Dial, direct
from resolver.forward.client.poller import Poller
from resolver.forward.client.session import ServerRefused
from resolver.forward.client.streams import UpstreamStreams
from resolver.forward.client.udp import SHORTAGE, UdpSockets
from resolver.forward.health import UpstreamServer
from resolver.forward.outstanding_query import Carrier
from resolver.settings import Server, Transport

LONGEST: Final = 10.0
"""Seconds after which nothing waits for the reply to a query any more."""


class Carriers:
    """The open carriers. `sockets`: most UDP sockets to one server. `unmatched` takes note of a packet for no query."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sockets: int, unmatched: Callable[[], None], dial: Dial = direct
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._unmatched = unmatched
        self._dial = dial
        self._poller = Poller(loop)
        self._open: dict[tuple[UpstreamServer, Transport, str], Carrier] = {}
        self._leaving: list[Carrier] = []
        """Carriers of servers that are not asked any more. They wait for replies."""

    def __iter__(self) -> Iterator[Carrier]:
        return iter(self._open.values())

    def of(self, server: UpstreamServer, transport: Transport, source: str) -> Carrier:
        """Return the carrier of a query."""
        found = self._open.get((server, transport, source))
        if found is None:
            found = self._open[server, transport, source] = self._opened(server.server, transport, source)
        return found

    def _opened(self, server: Server, transport: Transport, source: str) -> Carrier:
        if transport == "udp":
            address = server.address, server.port
            return UdpSockets(address, source, self._sockets, self._poller, self._loop, self._unmatched)
        return UpstreamStreams(server, source, self._loop, self._unmatched, self._dial)

    def keep(self, servers: Collection[Server], sockets: int) -> None:
        """Note that only these servers are asked from now on. The carriers of others end with their queries."""
        self._sockets = sockets
        for carrier in self._open.values():
            if isinstance(carrier, UdpSockets):
                carrier.limit = sockets
        for unused in [each for each in self._open if each[0].server not in servers]:
            carrier = self._open.pop(unused)
            self._leaving.append(carrier)
            self._loop.call_later(LONGEST, self._end, carrier)

    def _end(self, carrier: Carrier) -> None:
        if carrier in self._leaving:
            self._leaving.remove(carrier)
            carrier.close()

    def drain(self) -> None:
        """Read the replies that have come over UDP."""
        self._poller.drain()

    def close(self) -> None:
        """Close all sockets and connections, and forget all queries."""
        for carrier in (*self._open.values(), *self._leaving):
            carrier.close()
        self._leaving.clear()
        self._poller.close()


def is_local(error: OSError | EOFError) -> bool:
    """Return whether an error is this machine's, not the server's."""
    return isinstance(error, OSError) and error.errno in SHORTAGE


def reason(error: OSError | EOFError) -> str:
    """Return the reason for clients to read. asyncio's own texts contain addresses of sockets."""
    if isinstance(error, EOFError):
        return "connection closed"
    if isinstance(error, ServerRefused):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not the expected one"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "no connection"
    return os.strerror(error.errno) if error.errno else "network error"
