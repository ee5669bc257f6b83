"""The sockets that a worker reads: its own, and those adopted from siblings that have ended.

Opens a reader for each socket by its role, and closes it. Who decides about adoption is not known here.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from resolver.host_port import HostPort
from resolver.process.socket_role import SocketRole
from resolver.settings import WorkerSettings
from resolver.worker.access.clients import Clients
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateLimiter
from resolver.worker.answer.responder import Responder
from resolver.worker.net import tcp
from resolver.worker.net.connections import Connections
from resolver.worker.net.stream import MakeSession, StreamListener
from resolver.worker.net.udp import UdpListener

DRAIN: Final = 5.0
"""Seconds that queries in flight have before the process ends or an adopted socket is closed."""
_POLL: Final = 0.02  # seconds between two checks for queries in flight


class Listeners:
    """The readers of a worker's sockets, by the index of the worker that owns the sockets."""

    def __init__(
        self,
        settings: WorkerSettings,
        roles: Sequence[SocketRole],
        clients: Clients,
        responder: Responder,
        contexts: Mapping[SocketRole, ssl.SSLContext],
        loop: asyncio.AbstractEventLoop,
        most: int,
    ) -> None:
        """`roles`: the role of each socket of any worker; `contexts`: the TLS context of each encrypted role.

        `most`: connections that this process has descriptors for.
        """
        self._roles = roles
        self._clients = clients
        self._responder = responder
        self._contexts = contexts
        self._loop = loop
        self._settings = settings
        self._limiter = RateLimiter(settings.rate_limit) if settings.rate_limit else None
        self._retired: list[Responder] = []
        """Earlier responders that still have queries in flight."""
        self.connections = Connections(settings.streams, responder, loop, most)
        """The connections of clients, at all stream listeners."""
        self._open: dict[int, list[tuple[SocketRole, HostPort, UdpListener | StreamListener]]] = {}
        self._adopted: dict[int, tuple[socket.socket, ...]] = {}

    @property
    def workers(self) -> frozenset[int]:
        """The workers whose sockets are read here."""
        return frozenset(self._open)

    def configure(self, settings: WorkerSettings, clients: Clients, responder: Responder, most: int) -> None:
        """Answer with another responder and other settings from now on. No connection is closed."""
        if settings.rate_limit != self._settings.rate_limit:
            self._limiter = RateLimiter(settings.rate_limit) if settings.rate_limit else None
        self._retired = [each for each in (*self._retired, self._responder) if each.pending]
        self._settings, self._clients, self._responder = settings, clients, responder
        self.connections.configure(settings.streams, responder, most)
        for listeners in self._open.values():
            for role, address, listener in listeners:
                if isinstance(listener, UdpListener):
                    listener.configure(responder, clients.at(address), self._limiter)
                else:
                    listener.configure(clients.at(address), *self._kind(role))

    def open(self, index: int, sockets: Iterable[socket.socket]) -> None:
        """Read these sockets of worker `index`."""
        listeners = self._open.setdefault(index, [])
        for role, sock in zip(self._roles, sockets, strict=True):
            address = HostPort(*sock.getsockname()[:2])
            clients = self._clients.at(address)
            listener: UdpListener | StreamListener
            if sock.type == socket.SOCK_DGRAM:
                listener = UdpListener(sock, self._responder, clients, self._loop, self._limiter)
            else:
                context = self._contexts.get(role)
                listener = StreamListener(sock, self.connections, clients, *self._kind(role), context)
            listeners.append((role, address, listener))

    def close(self, index: int) -> None:
        """Stop reading the sockets of worker `index`. Queries in flight are still answered."""
        for _, _, listener in self._open.pop(index, ()):
            listener.close()

    def adopt(self, index: int, sockets: tuple[socket.socket, ...]) -> None:
        """Read the sockets of another worker, which this process now holds as well."""
        self.open(index, sockets)
        self._adopted[index] = sockets

    def release(self, index: int) -> None:
        """Stop reading adopted sockets, and close them once queries in flight had time to be answered."""
        self.close(index)
        for sock in self._adopted.pop(index, ()):
            self._loop.call_later(DRAIN, sock.close)

    async def drain(self) -> None:
        """Stop reading all sockets, and wait until all queries in flight are answered, `DRAIN` seconds at most."""
        for index in list(self._open):
            self.close(index)
        deadline = self._loop.time() + DRAIN
        while self._loop.time() < deadline and (self._pending or self.connections):  # noqa: ASYNC110
            await asyncio.sleep(_POLL)

    @property
    def _pending(self) -> bool:
        return any(each.pending for each in (*self._retired, self._responder))

    def _kind(self, role: SocketRole) -> tuple[MakeSession, ClientTransport]:
        """Return what makes the sessions of a listener for streams, and the transport of its queries."""
        idle = int(self.connections.idle)
        if role == SocketRole.DNS:
            return tcp.session, ClientTransport("tcp", idle=idle)
        if role == SocketRole.TLS:
            return tcp.session, ClientTransport("tls", encrypted=True, idle=idle)
        from resolver.worker.net import doh  # noqa: PLC0415 - HTTP costs 60 ms and 5 MB; only its users pay

        path = self._settings.https.path if self._settings.https else ""
        return doh.sessions(path), ClientTransport("https", encrypted=True)
