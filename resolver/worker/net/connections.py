"""The connections of clients over TCP and TLS: their number is limited, and idle ones are closed.

A connection counts from its accept on, so a client that sends no PROXY header or does not finish the handshake holds no
more than an idle connection does. What a connection carries is the concern of its session, and who may query is that of
the responder.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

from resolver.process import heap
from resolver.settings import Streams
from resolver.worker.access.clients import Client, Clients
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.responder import Responder
from resolver.worker.net.close_reason import CloseReason
from resolver.worker.net.stream_time import StreamTime
from zones.networks.prefixes import NONE

WAITING: Final = 32 << 20
"""Octets that may wait in all connections together: for clients that do not read, and for the rest of requests."""
HANDSHAKE: Final = 5.0
"""Seconds from the accept until the PROXY header and the TLS handshake are complete."""
_OPENING: Final = 4  # one of this many connections may still be in its handshake
_EACH: Final = 32_768  # octets of an open connection, roughly; with TLS
_WORTHWHILE: Final = 8 << 20  # octets that connections must have freed before memory is returned to the system


class Session(Protocol):
    """The protocol on one connection: DNS or HTTP."""

    @property
    def busy(self) -> bool:
        """Whether queries are in flight, and the client reads its answers."""

    def finish(self) -> None:
        """Answer the queries in flight, then close."""


class Acceptor(Protocol):
    """What a connection needs of the listener that accepted it."""

    @property
    def connections(self) -> "Connections":
        """All connections of the worker."""

    @property
    def clients(self) -> Clients:
        """The clients that may query at this listener."""

    @property
    def transport(self) -> ClientTransport:
        """The transport of the queries."""

    @property
    def requests(self) -> Mapping[int, list[int]]:
        """The counter of queries, by address family."""

    def count_closed(self, reason: CloseReason) -> None:
        """Count the end of a connection."""


class Connections:
    """All connections of a worker, ordered by the time of their last query."""

    def __init__(self, streams: Streams, responder: Responder, loop: asyncio.AbstractEventLoop, most: int) -> None:
        """`most`: connections that the process has descriptors for."""
        self.loop = loop
        self.responder = responder
        self.idle = float(streams.idle)
        """Seconds without a query after which a connection is closed."""
        self.time = StreamTime(loop.time, loop.call_soon)
        self._most = self._limit = min(streams.connections, most)
        self._per_client = streams.per_client
        self._most_waiting = WAITING
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._opening: OrderedDict[Connection, None] = OrderedDict()
        """Connections without a session yet, the oldest first."""
        self._by_client: dict[bytes, OrderedDict[Connection, None]] = {}
        self._waiting = 0
        """Octets that wait in all connections."""
        self._peak = 0
        """Most octets in use by connections since memory was returned to the system."""
        self._timer: asyncio.TimerHandle | None = None

    def configure(self, streams: Streams, responder: Responder, most: int) -> None:
        """Answer further queries with this responder. Connections beyond new limits stay until they end."""
        self.responder = responder
        self.idle = float(streams.idle)
        self._most, self._per_client = min(streams.connections, most), streams.per_client
        self._limit = self._most

    @property
    def wanted(self) -> int:
        """Octets that connections take where only the configuration limits them."""
        return self._most * _EACH + WAITING

    @property
    def octets(self) -> int:
        """Octets that connections take now, roughly."""
        return len(self._all) * _EACH + self._waiting

    def bound(self, octets: int) -> None:
        """Let connections take so many octets, of `wanted`. The idlest connections beyond that are closed."""
        wanted = self.wanted
        self._limit = max(1, self._most * octets // wanted)
        self._most_waiting = WAITING * octets // wanted
        while octets < wanted and len(self._all) > self._limit:
            _idlest(self._all).close("memory")

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether the next connection will take the place of another one."""
        return len(self._all) >= self._limit

    def join(self, connection: "Connection") -> None:
        """Add a connection. At the limit, close one of the client that has most; of these, the idlest."""
        if self.full:
            own = max(self._by_client.values(), key=len, default=self._all)
            _idlest(own if len(own) > 1 else self._all).close("limit")
        if len(self._opening) * _OPENING >= self._limit:
            next(iter(self._opening)).close("handshake")
        self._all[connection] = None
        self._opening[connection] = None
        connection.joined = True
        self._note_size()
        if self._timer is None:
            self._timer = self.loop.call_later(self.idle / 8, self._close_idle)

    def opened(self, connection: "Connection") -> None:
        """Note that a connection has its session."""
        self._opening.pop(connection, None)

    def identify(self, connection: "Connection") -> None:
        """Count a connection for its client, which is known now. At the client's limit, close one of its own."""
        if connection.joined:
            own = self._by_client.setdefault(connection.client.address, OrderedDict())
            if self._per_client and len(own) >= self._per_client:
                _idlest(own).close("client_limit")
                own = self._by_client.setdefault(connection.client.address, OrderedDict())
            own[connection] = None

    def touch(self, connection: "Connection") -> None:
        """Note a query on a connection."""
        if connection.joined:
            self._all.move_to_end(connection)
            if own := self._by_client.get(connection.client.address):
                own.move_to_end(connection)

    def leave(self, connection: "Connection") -> bool:
        """Remove a connection; return False for one that was removed before."""
        if not connection.joined:
            return False
        connection.joined = False
        del self._all[connection]
        self._opening.pop(connection, None)
        self._waiting -= connection.waiting
        own = self._by_client.get(connection.client.address)
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._by_client[connection.client.address]
        return True

    def wait(self, octets: int) -> None:
        """Note that so many more octets wait in a connection. Over the limit, close the connection with most."""
        self._waiting += octets
        if octets > 0:
            self._note_size()
            if self._waiting > self._most_waiting:
                max(self._all, key=lambda each: each.waiting).close("memory")

    def _note_size(self) -> None:
        self._peak = max(self._peak, self.octets)

    def finish(self, listener: Acceptor) -> None:
        """Have the connections of one listener end after the answers to their queries in flight."""
        for connection in [each for each in self._all if each.listener is listener]:
            connection.finish()

    def relieve(self) -> None:
        """Close the idlest connection to free its descriptor: the system has no more."""
        if self._all:
            _idlest(self._all).close("limit")

    def _close_idle(self) -> None:
        """Close the connections that have been idle too long. The order allows one timer for all of them."""
        now = self.loop.time()
        for connection in list(self._opening):
            if now - connection.asked < min(self.idle, HANDSHAKE):
                break
            connection.close("idle")
        for connection in list(self._all):
            if now - connection.asked < self.idle:
                break
            if connection.busy:
                connection.touch()
            else:
                connection.close("idle")
        size = self.octets
        if self._peak - size > _WORTHWHILE:
            self._peak = size
            heap.give_back()
        self._timer = self.loop.call_later(self.idle / 8, self._close_idle) if self._all else None


def _idlest(connections: "OrderedDict[Connection, None]") -> "Connection":
    return next((each for each in connections if not each.busy), None) or next(iter(connections))


class Connection:
    """One connection, from its accept to its end."""

    __slots__ = (
        "__weakref__", "_in_session", "_in_transport", "asked", "client", "joined", "listener", "port", "requests",
        "session", "sock", "task", "transport",
    )  # fmt: skip

    def __init__(self, listener: Acceptor, sock: socket.socket, client: Client, port: int) -> None:
        self.listener = listener
        self.client = client
        self.port = port
        """The client's port."""
        self.joined = False
        """Whether the connection is among `Connections`."""
        self.sock: socket.socket | None = sock
        """None once a transport owns the socket."""
        self.transport: asyncio.Transport | None = None
        """The transport that owns the socket."""
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None
        """Reads the PROXY header."""
        self.asked = listener.connections.loop.time()
        """Loop time of the last whole query, or of the accept."""
        self.requests = listener.requests[sock.family]
        self._in_transport = 0
        self._in_session = 0

    @property
    def busy(self) -> bool:
        """Whether the client waits for an answer."""
        return self.session is not None and self.session.busy

    @property
    def waiting(self) -> int:
        """Octets that wait here for the client to read them, or to send the rest of a request."""
        return self._in_transport + self._in_session

    def unsent(self, octets: int) -> None:
        """Note how many octets wait in the transport."""
        more, self._in_transport = octets - self._in_transport, octets
        if self.joined:
            self.listener.connections.wait(more)

    def kept(self, octets: int) -> None:
        """Note how many octets wait in the session."""
        more, self._in_session = octets - self._in_session, octets
        if more and self.joined:
            self.listener.connections.wait(more)

    def take(self, packet: bytes, send: SendReply) -> bool:
        """Answer a whole query, as `Responder.take`. A repeated packet is answered without being parsed."""
        self.requests[0] += 1
        responder = self.listener.connections.responder
        client = self.listener.clients.peer(self.client.address)  # its network may have changed since the accept
        watch = responder.watch
        if watch is not None:
            send = watch.sending(packet, client, self.port, self.listener.transport.name, send)
        taken = client.network >= NONE and responder.repeat(packet, client.network, send)
        if taken or responder.take(packet, client, self.listener.transport, send):
            self.touch()
            return True
        return False

    def touch(self) -> None:
        """Note that the connection is in use."""
        self.asked = self.listener.connections.loop.time()
        self.listener.connections.touch(self)

    def session_started(self, session: Session) -> None:
        """Note that the session has its transport."""
        self.session = session
        self.listener.connections.opened(self)

    def session_ended(self) -> None:
        """Note that the session has lost its transport."""
        self.session = self.transport = None  # they refer to this connection: no reference cycle may stay
        self.refuse("ended")

    def header_read(self) -> None:
        """Note that reading the PROXY header has ended. Close the socket if no transport took it."""
        self.task = None
        if self.sock:
            self.sock.close()
            self.sock = None

    def finish(self) -> None:
        """End after the answers to the queries in flight."""
        if self.session:
            self.session.finish()
        else:
            self.close("stop")

    def refuse(self, reason: CloseReason) -> None:
        """Count `reason` for a connection that ends by itself."""
        if self.listener.connections.leave(self):
            self.listener.count_closed(reason)

    def close(self, reason: CloseReason) -> None:
        """End at once, and count `reason`."""
        if not self.listener.connections.leave(self):
            return
        self.listener.count_closed(reason)
        if self.transport:
            self.transport.abort()
        elif self.task:
            self.task.cancel()
