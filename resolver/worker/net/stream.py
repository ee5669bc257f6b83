"""Connections of clients over TCP, in the clear or with TLS: accepted, bounded, closed when idle.

What is counted and bounded begins with the accept: a PROXY header or a handshake that does not come holds no more than
an idle connection does. What is spoken on a connection is its session's; who may ask, the responder's.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from resolver.settings import Streams
from resolver.wire import proxy
from resolver.worker.access.clients import DROPPED, PROXY, Client, Clients, packed, unmapped
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.client_query import Send
from resolver.worker.answer.responder import Responder
from zones.networks.network import NONE

_BATCH: Final = 64  # connections accepted in one go; then the loop has its turn
_PAUSE: Final = 0.5  # seconds without accepting when the system has no more descriptors
_SHUTDOWN: Final = 2.0  # seconds for a client's side of the end of TLS
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_log = logging.getLogger(__name__)


class Session(Protocol):
    """What is spoken on one connection."""

    @property
    def busy(self) -> bool:
        """Queries are in work, and the client takes its answers."""

    def finish(self) -> None:
        """Answer what is in work, then close."""

    def abort(self) -> None:
        """Close at once."""


class Connections:
    """All connections of a worker, in the order of their last query."""

    def __init__(self, streams: Streams, responder: Responder, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.responder = responder
        self.idle = float(streams.idle)
        self._limit = streams.connections
        self._per_client = streams.per_client
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._by_client: dict[bytes, OrderedDict[Connection, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._all)

    def join(self, connection: "Connection") -> None:
        """Count one in. At the limit, the one that has been idle or stalled longest makes room."""
        if len(self._all) >= self._limit:
            _idlest(self._all).close("limit")
        self._all[connection] = None
        if self._timer is None:
            self._timer = self.loop.call_later(self.idle / 8, self._look)

    def identify(self, connection: "Connection") -> None:
        """Its client is known now: one of that client's own makes room, if there is a limit for each."""
        if self._per_client and connection in self._all:
            own = self._by_client.setdefault(connection.client.address, OrderedDict())
            if len(own) >= self._per_client:
                _idlest(own).close("client_limit")
                own = self._by_client.setdefault(connection.client.address, OrderedDict())
            own[connection] = None

    def touch(self, connection: "Connection") -> None:
        """It has asked something."""
        if connection in self._all:
            self._all.move_to_end(connection)
            if own := self._by_client.get(connection.client.address):
                own.move_to_end(connection)

    def leave(self, connection: "Connection") -> bool:
        """Count it out; False for one that had left."""
        if connection not in self._all:
            return False
        del self._all[connection]
        own = self._by_client.get(connection.client.address)
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._by_client[connection.client.address]
        return True

    def finish(self, listener: "Listener") -> None:
        """Those of one listener are to end once they are answered."""
        for connection in [each for each in self._all if each.listener is listener]:
            connection.finish()

    def _look(self) -> None:
        """Close what has been idle too long. One timer for all: the order tells where to stop."""
        now = self.loop.time()
        for connection in list(self._all):
            if now - connection.asked < self.idle:
                break
            if connection.busy:
                connection.touched()
            else:
                connection.close("idle")
        self._timer = self.loop.call_later(self.idle / 8, self._look) if self._all else None

    def relieve(self) -> None:
        """The system has no more descriptors: the idlest one gives up its own."""
        if self._all:
            _idlest(self._all).close("limit")


def _idlest(connections: "OrderedDict[Connection, None]") -> "Connection":
    return next((each for each in connections if not each.busy), None) or next(iter(connections))


class Connection:
    """One connection, from its accept to its end."""

    __slots__ = ("__weakref__", "asked", "client", "listener", "requests", "session", "sock", "task")

    def __init__(self, listener: "Listener", sock: socket.socket, client: Client) -> None:
        self.listener = listener
        self.client = client
        self.sock: socket.socket | None = sock
        """Until a transport has it."""
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None
        self.asked = listener.connections.loop.time()
        """When the last whole query came, or the connection; loop time."""
        self.requests = listener.requests[sock.family]

    @property
    def busy(self) -> bool:
        """It waits for us, not we for it."""
        return self.session is not None and self.session.busy

    def take(self, packet: bytes, send: Send) -> bool:
        """A whole query has come: as `Responder.take`. What was asked before in just this form needs no parsing."""
        self.requests[0] += 1
        responder = self.listener.connections.responder
        client = self.listener.clients.peer(self.client.address)  # its network may have changed since it connected
        taken = client.network >= NONE and responder.repeat(packet, client.network, send)
        if taken or responder.take(packet, client, self.listener.transport, send):
            self.touched()
            return True
        return False

    def touched(self) -> None:
        """It is in use."""
        self.asked = self.listener.connections.loop.time()
        self.listener.connections.touch(self)

    def begun(self, session: Session) -> None:
        """The session has its transport."""
        self.session = session

    def left(self) -> None:
        """The session has ended."""
        if self.listener.connections.leave(self):
            self.listener.count_closed("ended")

    def finish(self) -> None:
        """End once what is in work has been answered."""
        if self.session:
            self.session.finish()
        else:
            self.close("stop")

    def close(self, reason: str) -> None:
        """End at once; `reason` is counted."""
        if not self.listener.connections.leave(self):
            return
        self.listener.count_closed(reason)
        if self.session:
            self.session.abort()
        elif self.task:
            self.task.cancel()

    def released(self) -> None:
        """Nobody opens it any more; what was not handed on is closed."""
        self.task = None
        if self.sock:
            self.sock.close()
            self.sock = None


Make = Callable[[Connection], asyncio.Protocol]
"""Makes the session of a connection."""


class Listener:
    """A listening socket. `make` gives the session of a connection; with a `context` it is spoken inside TLS."""

    def __init__(
        self,
        sock: socket.socket,
        connections: Connections,
        clients: Clients,
        make: Make,
        transport: ClientTransport,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.connections = connections
        self.transport = transport
        self._sock = sock
        sock.settimeout(0)
        self.clients = clients
        self._make = make
        self._context = context
        self._loop = connections.loop
        self._counters = connections.responder.counters
        self.requests = {
            family: self._counters.cell("dns_requests_total", (transport.name, digit))
            for family, digit in ((socket.AF_INET, "4"), (socket.AF_INET6, "6"))
        }
        self._accepted = self._counters.cell("dns_connections_total", (transport.name,))
        self._open = True
        self._resume()

    def close(self) -> None:
        """Accept no more, and take no more queries; what is in work is still answered."""
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        self.connections.finish(self)

    def count_closed(self, reason: str) -> None:
        """A connection is no more."""
        self._counters.add("dns_connections_closed_total", (self.transport.name, reason))

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # none is waiting, or one has left before we came
                if error.errno in _EXHAUSTED:
                    self._exhausted(error)
                return
            self._take(sock, address[0])

    def _exhausted(self, error: OSError) -> None:
        """Without a pause, the connection that cannot be accepted would wake us for ever."""
        self._counters.add("dns_connections_waiting_total", (self.transport.name,))
        self.connections.relieve()
        self._loop.remove_reader(self._sock.fileno())
        self._loop.call_later(_PAUSE, self._resume)
        _log.warning("connections over %s have to wait: %s", self.transport.name, error.strerror)

    def _take(self, sock: socket.socket, address: str) -> None:
        self._accepted[0] += 1
        sock.settimeout(0)
        octets = packed(address)
        network = self.clients.find(octets)
        if network == DROPPED:
            sock.close()
            self.count_closed("dropped")
            return
        connection = Connection(self, sock, self.clients.peer(octets))
        self.connections.join(connection)
        connection.task = self._loop.create_task(self._begin(connection, sock, proxied=network == PROXY))
        connection.task.add_done_callback(lambda _: connection.released())

    async def _begin(self, connection: Connection, sock: socket.socket, *, proxied: bool) -> None:
        """Read the PROXY header, shake hands, and hand over to the session."""
        reason = "proxy"
        try:
            if proxied:
                await self._identify(connection, sock)
            if connection.client.network == DROPPED:
                connection.close("dropped")
                return
            self.connections.identify(connection)
            reason = "handshake"
            connection.sock = None
            tls = {} if self._context is None else {
                "ssl_handshake_timeout": self.connections.idle, "ssl_shutdown_timeout": _SHUTDOWN,
            }  # fmt: skip
            await self._loop.connect_accepted_socket(lambda: self._make(connection), sock, ssl=self._context, **tls)
        except (OSError, EOFError, proxy.Malformed):
            connection.close(reason)

    async def _identify(self, connection: Connection, sock: socket.socket) -> None:
        """Take the client that the proxy tells. Nothing is read beyond the header: what follows may be TLS."""
        header = await self._exactly(sock, proxy.HEAD)
        header += await self._exactly(sock, proxy.rest(header))
        source = proxy.source(header)
        if source is not None:
            connection.client = self.clients.client(unmapped(source.address))

    async def _exactly(self, sock: socket.socket, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            more = await self._loop.sock_recv(sock, size - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets
