"""A query on its way to its reply, as all parts of the answering code share it."""

from collections.abc import Callable
from typing import Final, Protocol

from resolver.channel.query_records import QueryRecord
from resolver.settings import Transport
from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.access.clients import Client
from resolver.worker.access.edns import ClientTransport, EdnsResult
from resolver.worker.answer.compiled import Compiled
from zones.clocks import SteadyTime

SMALL: Final = 512
"""Octets of a reply that every client accepts, and that is never cut because of its ratio to the query."""

SendReply = Callable[[bytes, Compiled | None], None]
"""Sends a reply, at once or later. The second argument is the answer that the reply was made from; None for an error
and for a truncated reply.
"""


class Watch(Protocol):
    """Notes queries and their replies."""

    def repeated(self, began: SteadyTime, records: list[QueryRecord]) -> None:
        """Note packets over UDP, read at `began`, that were answered without being parsed."""

    def sending(self, packet: bytes, client: Client, port: int, proto: Transport, send: SendReply) -> SendReply:
        """Return a function that sends the reply, and notes the query. `port`: of the client."""


class ClientQuery:
    """One query: its packet, who sent it, how, and where the reply goes."""

    __slots__ = (
        "client", "edns", "forwarded", "key", "limit", "network", "packet", "query", "send", "started", "stream",
    )  # fmt: skip

    def __init__(
        self, packet: bytes, query: Query, edns: EdnsResult, client: Client, transport: ClientTransport, send: SendReply
    ) -> None:
        self.packet = packet
        self.query = query
        self.edns = edns
        self.network = edns.network
        """Index of the network that the query is answered for."""
        self.client = client.address
        """Packed address of the client."""
        self.send = send
        self.key = b""
        """Key of the answer in the answer cache."""
        self.started = SteadyTime(0.0)
        """When the worker began to answer."""
        self.forwarded = False
        """Whether an upstream server was asked."""
        limit = transport.limit
        self.stream = limit is None
        """True for TCP, TLS and HTTPS."""
        if limit is None:
            limit = codes.MAX_MESSAGE
        elif edns.proven or not client.factor:
            limit = min(limit, query.payload)
        else:
            limit = min(limit, query.payload, max(SMALL, client.factor * len(packet)))
        self.limit = limit
        """Octets that the reply may have."""
