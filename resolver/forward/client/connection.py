"""One connection to an upstream server, for many queries (RFC 7766 §6.2, RFC 7858, RFC 8484).

Knows no DNS but the id of a message. Its session (`stream`, `doh`) knows how messages are framed. Does not open another
connection when this one ends: `streams` does.
"""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, Protocol

from resolver.forward.client import identity, random_ids
from resolver.forward.client.dial import Dial
from resolver.forward.client.session import ServerRefused, UpstreamSession
from resolver.forward.client.stream import StreamSession
from resolver.forward.outstanding_query import OutstandingQuery
from resolver.settings import Server
from zones.clocks import SteadyTime

if TYPE_CHECKING:
    from resolver.forward.client.doh import HttpsSession

IDLE: Final = 10.0
"""Seconds without a query after which the connection is closed."""
OPENING: Final = 4.0
"""Seconds that connecting and the TLS handshake may take."""
_MOST_CANCELLED: Final = 0x1000  # ids that are not used again on one connection


class Destination(Protocol):
    """What a connection needs of its server: where it is, and who takes what happens."""

    server: Server
    source: str
    """Address to send from. Empty: the system chooses."""
    alpn: str
    context: ssl.SSLContext | None
    dial: Dial

    def unmatched(self) -> None:
        """Take note of a message that is for no query."""

    def ended(self, connection: "UpstreamConnection", error: Exception | None) -> None:
        """Take the end of a connection, which may have left unanswered queries."""


class UpstreamConnection:
    """A connection that opens with its first query and ends when it is idle, or when the server closes it."""

    def __init__(self, to: Destination, loop: asyncio.AbstractEventLoop) -> None:
        self._to = to
        self._loop = loop
        self._session: UpstreamSession | None = None
        self._opening: asyncio.Task[None] | None = loop.create_task(self._open())
        self._queries: dict[int, OutstandingQuery] = {}
        self._cancelled: set[int] = set()
        """Ids of queries whose answer may still come."""
        self._idle: asyncio.TimerHandle | None = None
        self._leaving = False
        """The connection takes no new queries, and ends with its last one."""
        self.heard = SteadyTime(float("-inf"))
        """Time of the last answer."""
        self.useful = False
        """The connection has brought an answer to a query."""
        self.was_open = False
        """The connection was opened."""

    @property
    def is_open(self) -> bool:
        """Whether the connection has been opened and has not ended."""
        return self._session is not None

    def send(self, query: OutstandingQuery) -> None:
        """Send a query, at once or when the connection is open."""
        number = random_ids.below(0x10000)
        while number in self._queries or number in self._cancelled:
            number = random_ids.below(0x10000)
        self._queries[number] = query
        query.number, query.channel = number, self
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._session is not None and not self._session.send(number, query.packet):
            query.sent = None

    def stop(self, query: OutstandingQuery, *, answered: bool) -> None:
        """Stop waiting for the answer to a query."""
        if self._queries.pop(query.number, None) is None:
            return
        if not answered and self._session is not None and self._session.cancel(query.number):
            self._cancelled.add(query.number)
        self.useful |= answered
        if not self._queries and (self._leaving or len(self._cancelled) > _MOST_CANCELLED):
            self._end(None)
        elif not self._queries and not self._idle:
            self._idle = self._loop.call_later(IDLE, self._close_idle)

    def leave(self) -> None:
        """Take no new queries, and wait for the answers that are still wanted."""
        self._leaving = True
        if not self._queries:
            self._end(None)

    def close(self) -> None:
        """End at once."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    def taken(self) -> list[OutstandingQuery]:
        """Return the queries without an answer, and forget them."""
        queries = list(self._queries.values())
        self._queries.clear()
        return queries

    def _close_idle(self) -> None:
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        self.close()
        self._to.ended(self, error)

    async def _open(self) -> None:
        """Connect, and send the queries that wait."""
        try:
            async with asyncio.timeout(OPENING):
                session = await self._connect()
        except OSError as error:
            self._opening = None
            self._end(error)
            return
        self._opening, self._session, self.was_open = None, session, True
        for number, query in list(self._queries.items()):
            if not session.send(number, query.packet):
                query.sent = None

    async def _connect(self) -> UpstreamSession:
        to, server = self._to, self._to.server
        name = server.name or server.address.partition("%")[0]
        connected = await to.dial(server, to.source)
        try:
            transport, session = await self._loop.create_connection(
                self._made,
                sock=connected,
                ssl=to.context,
                server_hostname=name if to.context else None,
            )
        except BaseException:
            connected.close()
            raise
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        try:
            if server.pin and not identity.has_pin(tls, server.pin):
                raise ssl.SSLCertVerificationError("the server's key is not the pinned key")
            if server.transport == "https" and tls and tls.selected_alpn_protocol() != to.alpn:
                raise ServerRefused("the server does not support HTTP/2")
        except OSError:
            transport.abort()
            raise
        return session

    def _made(self) -> "StreamSession | HttpsSession":
        if self._to.server.transport == "https":
            from resolver.forward.client.doh import HttpsSession  # noqa: PLC0415 - importing h2 takes 60 ms and 5 MB

            return HttpsSession(self, self._to.server)
        return StreamSession(self)

    # -- events of the session

    def arrived(self, number: int, message: bytes) -> None:
        """Take an answer. A stream has no forgers: after an answer to no query, the server has failed."""
        self.heard = SteadyTime(self._loop.time())
        query = self._queries.get(number)
        if query is not None:
            query.arrived(message)
        elif number in self._cancelled:
            self._cancelled.discard(number)
        else:
            self._to.unmatched()
            self.useful = False
            for each in self._queries.values():
                each.resent = True
            self._end(ServerRefused("the reply does not match any query"))

    def refused(self, number: int, why: str) -> None:
        """Take a refusal to answer query `number`."""
        self.heard = SteadyTime(self._loop.time())
        query = self._queries.get(number)
        if query is not None:
            query.failed(ServerRefused(why))

    def left_queue(self, number: int) -> None:
        """Take note that query `number` has been sent only now."""
        if (query := self._queries.get(number)) is not None and query.sent is None:
            query.left_queue()

    def lost(self, error: Exception | None) -> None:
        """Take the end of the connection."""
        if self._session is not None:
            self._end(error)
