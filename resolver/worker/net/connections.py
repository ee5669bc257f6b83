"""The connections of clients over TCP and TLS: their number is limited, and idle ones are closed.

A connection counts from its accept on, so a client that sends no PROXY header or does not finish the handshake holds no
more than an idle connection does. What a connection carries is the concern of its session, and who may query is that of
the responder.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal, Protocol

from resolver.settings import Streams
from resolver.worker.access.clients import Client, Clients
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.responder import Responder
from zones.networks.prefixes import NONE

CloseReason = Literal["ended", "idle", "limit", "client_limit", "dropped", "proxy", "handshake", "stop"]
"""Why a connection ended, as counted: `ended` by the client or its session, `stop` with the worker."""


class Session(Protocol):
    """The protocol on one connection: DNS or HTTP."""

    @property
    def busy(self) -> bool:
        """Whether queries are in flight, and the client reads its answers."""

    def finish(self) -> None:
        """Answer the queries in flight, then close."""

    def abort(self) -> None:
        """Close at once."""


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
        self._limit = min(streams.connections, most)
        self._per_client = streams.per_client
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._by_client: dict[bytes, OrderedDict[Connection, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def configure(self, streams: Streams, responder: Responder, most: int) -> None:
        """Answer further queries with this responder. Connections beyond new limits stay until they end."""
        self.responder = responder
        self.idle = float(streams.idle)
        self._limit, self._per_client = min(streams.connections, most), streams.per_client

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether the next connection will take the place of another one."""
        return len(self._all) >= self._limit

    def join(self, connection: "Connection") -> None:
        """Add a connection. At the limit, close the one that has been idle or stalled longest."""
        if self.full:
            _idlest(self._all).close("limit")
        self._all[connection] = None
        if self._timer is None:
            self._timer = self.loop.call_later(self.idle / 8, self._close_idle)

    def identify(self, connection: "Connection") -> None:
        """Count a connection for its client, which is known now. At the client's limit, close one of its own."""
        if self._per_client and connection in self._all:
            own = self._by_client.setdefault(connection.client.address, OrderedDict())
            if len(own) >= self._per_client:
                _idlest(own).close("client_limit")
                own = self._by_client.setdefault(connection.client.address, OrderedDict())
            own[connection] = None

    def touch(self, connection: "Connection") -> None:
        """Note a query on a connection."""
        if connection in self._all:
            self._all.move_to_end(connection)
            if own := self._by_client.get(connection.client.address):
                own.move_to_end(connection)

    def leave(self, connection: "Connection") -> bool:
        """Remove a connection; return False for one that was removed before."""
        if connection not in self._all:
            return False
        del self._all[connection]
        own = self._by_client.get(connection.client.address)
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._by_client[connection.client.address]
        return True

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
        for connection in list(self._all):
            if now - connection.asked < self.idle:
                break
            if connection.busy:
                connection.touch()
            else:
                connection.close("idle")
        self._timer = self.loop.call_later(self.idle / 8, self._close_idle) if self._all else None


def _idlest(connections: "OrderedDict[Connection, None]") -> "Connection":
    return next((each for each in connections if not each.busy), None) or next(iter(connections))


class Connection:
    """One connection, from its accept to its end."""

    __slots__ = ("__weakref__", "asked", "client", "listener", "requests", "session", "sock", "task")

    def __init__(self, listener: Acceptor, sock: socket.socket, client: Client) -> None:
        self.listener = listener
        self.client = client
        self.sock: socket.socket | None = sock
        """None once a transport owns the socket."""
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None
        """Opens the connection."""
        self.asked = listener.connections.loop.time()
        """Loop time of the last whole query, or of the accept."""
        self.requests = listener.requests[sock.family]

    @property
    def busy(self) -> bool:
        """Whether the client waits for an answer."""
        return self.session is not None and self.session.busy

    def take(self, packet: bytes, send: SendReply) -> bool:
        """Answer a whole query, as `Responder.take`. A repeated packet is answered without being parsed."""
        self.requests[0] += 1
        responder = self.listener.connections.responder
        client = self.listener.clients.peer(self.client.address)  # its network may have changed since the accept
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

    def session_ended(self) -> None:
        """Note that the session has lost its transport."""
        if self.listener.connections.leave(self):
            self.listener.count_closed("ended")

    def opened(self) -> None:
        """Note that opening has ended. Close the socket if no session took it."""
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

    def close(self, reason: CloseReason) -> None:
        """End at once, and count `reason`."""
        if not self.listener.connections.leave(self):
            return
        self.listener.count_closed(reason)
        if self.session:
            self.session.abort()
        elif self.task:
            self.task.cancel()
