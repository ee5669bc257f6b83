"""A connection to an upstream server that stays open for many queries (RFC 7766 §6.2, RFC 7858, RFC 8484).

Knows no DNS but the id of a message. Its session (`stream`, `doh`) knows how messages are framed. When the server
closes the connection, unanswered queries are sent again on a new one: once, or repeatedly as long as each connection
brings an answer (RFC 7766 §6.2.4).
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from resolver.forward.client import identity, random_ids
from resolver.forward.client.session import ServerRefused, UpstreamSession
from resolver.forward.client.stream import StreamSession
from resolver.settings import Server

if TYPE_CHECKING:
    from resolver.forward.client.doh import HttpsSession

IDLE: Final = 10.0
"""Seconds without a query after which the connection is closed."""
OPENING: Final = 4.0
"""Seconds that connecting and the TLS handshake may take."""
_SILENT: Final = 3  # queries in a row without any answer after which the connection is given up
_ALPN: Final = {"tls": "dot", "https": "h2"}

Asker = TypeVar("Asker")


class _Asked(Generic[Asker]):
    """A query in progress. `again`: it was sent before on a connection that ended."""

    __slots__ = ("again", "asker", "packet")

    def __init__(self, asker: Asker, packet: bytes) -> None:
        self.asker = asker
        self.packet = packet
        self.again = False


class UpstreamConnection(Generic[Asker]):
    """The connection to one server. `received` and `failed` are as for `UdpPool`."""

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[Asker | None, bytes], None],
        failed: Callable[[Asker, OSError | EOFError], None],
    ) -> None:
        self._server = server
        self._loop = loop
        self._received = received
        self._failed = failed
        self._alpn = _ALPN.get(server.transport, "")
        self._context = identity.context(server, self._alpn) if self._alpn else None
        self._session: UpstreamSession | None = None
        self._opening: asyncio.Task[None] | None = None
        self._asked: dict[int, _Asked[Asker]] = {}
        self._numbers: dict[Asker, int] = {}
        self._idle: asyncio.TimerHandle | None = None
        self._silent = 0
        self._useful = False
        """The connection has brought an answer to a query."""

    def __len__(self) -> int:
        """Return the number of open connections: 0 or 1."""
        return int(self._session is not None)

    def ask(self, asker: Asker, packet: bytes) -> None:
        """Send `packet`, at once or when the connection is open."""
        self._ask(_Asked(asker, packet))

    def _ask(self, asked: _Asked[Asker]) -> None:
        number = random_ids.below(0x10000)
        while number in self._asked:
            number = random_ids.below(0x10000)
        self._asked[number] = asked
        self._numbers[asked.asker] = number
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._session is not None:
            self._session.send(number, asked.packet)
        elif self._opening is None:
            self._opening = self._loop.create_task(self._open())

    def stop(self, asker: Asker, *, keep: bool) -> None:
        """Stop waiting for the answer to `asker`. `keep`: its query was answered."""
        number = self._numbers.pop(asker, None)
        if number is None:
            return
        del self._asked[number]
        self._useful |= keep
        session = self._session
        if session is not None and not keep:
            session.cancel(number)
            self._silent += 1
            if self._silent >= _SILENT:
                self._end(session, None)
        if not self._asked and not self._idle:
            self._idle = self._loop.call_later(IDLE, self.close)

    def close(self) -> None:
        """Close the connection. The next query opens another."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    async def _open(self) -> None:
        """Connect, and send the queries that wait."""
        try:
            async with asyncio.timeout(OPENING):
                session = await self._connect()
        except OSError as error:
            self._opening = None
            asked = self._taken()
            for each in asked:
                self._failed(each.asker, error)
            return
        self._opening, self._session, self._silent, self._useful = None, session, 0, False
        for number, each in self._asked.items():
            session.send(number, each.packet)

    async def _connect(self) -> UpstreamSession:
        server = self._server
        transport, session = await self._loop.create_connection(
            self._made,
            server.address,
            server.port,
            ssl=self._context,
            server_hostname=(server.name or server.address) if self._context else None,
        )
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        try:
            if server.pin and not identity.has_pin(tls, server.pin):
                raise ssl.SSLCertVerificationError("the server's key is not the pinned key")
            if server.transport == "https" and tls and tls.selected_alpn_protocol() != self._alpn:
                raise ServerRefused("the server does not support HTTP/2")
        except OSError:
            transport.abort()
            raise
        return session

    def _made(self) -> "StreamSession | HttpsSession":
        if self._server.transport == "https":
            from resolver.forward.client.doh import HttpsSession  # noqa: PLC0415 - importing h2 takes 60 ms and 5 MB

            return HttpsSession(self, self._server)
        return StreamSession(self)

    # -- events of the session

    def arrived(self, number: int, message: bytes) -> None:
        """Take an answer. It is for no query if its query has been cancelled."""
        self._silent = 0
        asked = self._asked.get(number)
        if asked is None:
            self._received(None, message)
        else:
            self._received(asked.asker, asked.packet[:2] + message[2:])

    def refused(self, number: int, why: str) -> None:
        """Take a refusal to answer query `number`."""
        self._silent = 0
        asked = self._asked.get(number)
        if asked is not None:
            self._failed(asked.asker, ServerRefused(why))

    def lost(self, session: UpstreamSession, error: Exception | None) -> None:
        """Take the end of a connection."""
        if session is self._session:
            self._end(session, error)

    def _end(self, session: UpstreamSession, error: Exception | None) -> None:
        """Send unanswered queries again on a new connection, unless they were sent again before without any answer."""
        self._session = None
        session.close()
        for asked in self._taken():
            if asked.again and not self._useful:
                self._failed(asked.asker, error if isinstance(error, OSError) else EOFError())
            else:
                asked.again = not self._useful
                self._ask(asked)

    def _taken(self) -> list[_Asked[Asker]]:
        asked = list(self._asked.values())
        self._asked.clear()
        self._numbers.clear()
        return asked
