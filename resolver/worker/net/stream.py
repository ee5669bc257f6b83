"""A listener for TCP, with or without TLS: accepts connections, and opens each up to its session.

Reads the PROXY header where the peer is a proxy. A connection without a header has no task of its own.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from resolver.wire import proxy
from resolver.worker.access.clients import DROPPED, PROXY, Clients, packed, unmapped
from resolver.worker.access.edns import ClientTransport
from resolver.worker.net.close_reason import CloseReason
from resolver.worker.net.connections import Connection, Connections
from resolver.worker.net.tls import TlsLayer
from resolver.worker.net.transport import SocketTransport

_BATCH: Final = 16  # connections accepted before the event loop continues
_PAUSE: Final = 0.5  # seconds without accepting when the system has no more descriptors
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_BUFFERS: Final = ((socket.SO_RCVBUF, 65_536), (socket.SO_SNDBUF, 131_072))
"""Octets that the kernel keeps for one connection, per direction; by default megabytes, which outlive a flood."""

_log = logging.getLogger(__name__)

MakeSession = Callable[[Connection], asyncio.Protocol]
"""Returns the session for a connection."""


class StreamListener:
    """A listening socket. With a `context`, connections use TLS."""

    def __init__(
        self,
        sock: socket.socket,
        connections: Connections,
        clients: Clients,
        make: MakeSession,
        transport: ClientTransport,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.connections = connections
        self.clients = clients
        self.transport = transport
        self._sock = sock
        sock.settimeout(0)
        for option, octets in _BUFFERS:  # accepted sockets have the options of the listening one
            if sock.getsockopt(socket.SOL_SOCKET, option) > 2 * octets:  # the kernel doubles what is set
                sock.setsockopt(socket.SOL_SOCKET, option, octets)
        self._make = make
        self._context = context
        self._loop = connections.loop
        self._counters = connections.responder.counters
        self.requests = {
            int(family): self._counters.cell("dns_requests_total", (transport.name, digit))
            for family, digit in ((socket.AF_INET, "4"), (socket.AF_INET6, "6"))
        }
        self._accepted = self._counters.cell("dns_connections_total", (transport.name,))
        self._open = True
        self._paused = False
        """Whether accepting waits for a free descriptor."""
        self._resume()

    def configure(self, clients: Clients, make: MakeSession, transport: ClientTransport) -> None:
        """Use these for new connections; open ones keep their session."""
        self.clients, self._make, self.transport = clients, make, transport

    def close(self) -> None:
        """Stop accepting connections and queries. Queries in flight are still answered."""
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        self.connections.finish(self)

    def count_closed(self, reason: CloseReason) -> None:
        """Count the end of a connection."""
        self._counters.add("dns_connections_closed_total", (self.transport.name, reason))

    def _resume(self) -> None:
        if self._open and not self._paused:
            self._loop.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        if self.connections.time.admit(self):
            self._accept_some()
        else:
            self._loop.remove_reader(self._sock.fileno())

    def work(self) -> None:
        """Accept in the turn that this listener has waited for."""
        if self._open:
            self._accept_some()
            self._resume()

    def _accept_some(self) -> None:
        for _ in range(_BATCH):
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # no connection waits, or the client closed it before the accept
                if error.errno in _EXHAUSTED:
                    self._pause(error)
                return
            self._start(sock, *address[:2])
            if self.connections.full:
                return  # the descriptor of the connection that made room is free after this turn of the loop

    def _pause(self, error: OSError) -> None:
        """Wait for a free descriptor. Without a pause, the waiting connection would keep the event loop busy."""
        self._counters.add("dns_connections_waiting_total", (self.transport.name,))
        self.connections.relieve()
        self._paused = True
        self._loop.remove_reader(self._sock.fileno())
        self._loop.call_later(_PAUSE, self._continue)
        _log.warning("connections over %s have to wait: %s", self.transport.name, error.strerror)

    def _continue(self) -> None:
        self._paused = False
        self._resume()

    def _start(self, sock: socket.socket, address: str, port: int) -> None:
        self._accepted[0] += 1
        sock.settimeout(0)
        octets = packed(address)
        network = self.clients.find(octets)
        if network == DROPPED:
            sock.close()
            self.count_closed("dropped")
            return
        connection = Connection(self, sock, self.clients.peer(octets), port)
        self.connections.join(connection)
        if network == PROXY:
            connection.task = self._loop.create_task(self._read_header(connection, sock))
            connection.task.add_done_callback(lambda _: connection.header_read())
        else:
            self._begin(connection, sock)

    async def _read_header(self, connection: Connection, sock: socket.socket) -> None:
        """Read the PROXY header, then begin."""
        try:
            await self._identify(connection, sock)
        except (OSError, EOFError, proxy.MalformedHeader):
            connection.close("proxy")
        else:
            if connection.client.network == DROPPED:
                connection.close("dropped")
            else:
                self._begin(connection, sock)

    def _begin(self, connection: Connection, sock: socket.socket) -> None:
        """Hand the socket to a transport: that of the session, or that of the TLS layer below it."""
        time = self.connections.time
        self.connections.identify(connection)
        connection.sock = None
        connection.transport = transport = SocketTransport(sock, self._loop, time, connection.unsent)
        if self._context is None:
            transport.begin(self._make(connection))
        else:
            make = self._make
            transport.begin(
                TlsLayer(self._context, time, lambda: make(connection), lambda: connection.refuse("handshake"))
            )

    async def _identify(self, connection: Connection, sock: socket.socket) -> None:
        """Set the client from the PROXY header. Reads the header only: the octets after it may belong to TLS."""
        header = await self._exactly(sock, proxy.HEAD)
        header += await self._exactly(sock, proxy.rest(header))
        source = proxy.source(header)
        if source is not None:
            connection.client, connection.port = self.clients.client(unmapped(source.address)), source.port

    async def _exactly(self, sock: socket.socket, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            more = await self._loop.sock_recv(sock, size - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets
