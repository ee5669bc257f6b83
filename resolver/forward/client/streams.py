"""The connections to one upstream server over TCP, TLS or HTTPS. New queries go to the latest one.

When the server closes a connection, unanswered queries are sent again on a new one: once, or repeatedly as long as each
connection brings an answer (RFC 7766 §6.2.4). A connection without a reply in time gets no new queries, because a
firewall may have forgotten it; its late replies are still used.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from resolver.forward.client import identity
from resolver.forward.client.connection import UpstreamConnection
from resolver.forward.client.dial import Dial
from resolver.forward.outstanding_query import Carrier, OutstandingQuery
from resolver.settings import Server

_ALPN: Final = {"tls": "dot", "https": "h2"}


class UpstreamStreams(Carrier):
    """Carries queries to one server."""

    def __init__(
        self, server: Server, source: str, loop: asyncio.AbstractEventLoop, unmatched: Callable[[], None], dial: Dial
    ) -> None:
        self.server = server
        self.source = source
        self.alpn = _ALPN.get(server.transport, "")
        self.context: ssl.SSLContext | None = identity.context(server, self.alpn) if self.alpn else None
        self.unmatched = unmatched
        self.dial = dial
        self._loop = loop
        self._latest: UpstreamConnection | None = None
        self._leaving: set[UpstreamConnection] = set()

    def __len__(self) -> int:
        """Return the number of open connections."""
        return sum(each.is_open for each in (self._latest, *self._leaving) if each is not None)

    def send(self, query: OutstandingQuery) -> None:
        """Send a query, at once or when a connection is open."""
        if self._latest is None:
            self._latest = UpstreamConnection(self, self._loop)
        query.carrier = self
        self._latest.send(query)

    def finish(self, query: OutstandingQuery) -> None:
        """Forget a query that has its reply."""
        if isinstance(query.channel, UpstreamConnection):
            query.channel.stop(query, answered=True)

    def stop(self, query: OutstandingQuery) -> None:
        """Forget a query without a reply."""
        if isinstance(query.channel, UpstreamConnection):
            query.channel.stop(query, answered=False)

    def timed_out(self, query: OutstandingQuery) -> None:
        """Open a new connection for the next query, if nothing has been heard since this one was sent."""
        connection = self._latest
        if connection is None or query.channel is not connection or query.sent is None:
            return
        if connection.heard < query.sent:
            self._latest = None
            self._leaving.add(connection)
            connection.leave()

    def close(self) -> None:
        """Close all connections and forget all queries."""
        for connection in (self._latest, *self._leaving):
            if connection is not None:
                connection.taken()
                connection.close()
        self._latest = None
        self._leaving.clear()

    def ended(self, connection: UpstreamConnection, error: Exception | None) -> None:
        """Send the unanswered queries of a connection again, unless that was done before without any answer."""
        leaving = connection in self._leaving
        self._leaving.discard(connection)
        if connection is self._latest:
            self._latest = None
        for query in connection.taken():
            if leaving or not connection.was_open or (query.resent and not connection.useful):
                query.carrier = None
                query.failed(error if isinstance(error, OSError) else EOFError())
            else:
                query.resent = not connection.useful
                self.send(query)
