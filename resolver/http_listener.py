"""Listens for HTTP in control, within limits: few connections, little time for each, and never all descriptors.

aiohttp limits the size of a request and the time of an idle connection, but not the number of connections, nor the time
of a client that does not read its response. asyncio accepts without a limit too, and where no descriptor is left, it
logs each attempt. Does not know the application.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import struct
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.log import server_logger

from resolver.host_port import HostPort
from resolver.http_protocol import HttpProtocol
from resolver.process import open_files

CONNECTIONS: Final = 64
"""Most connections of one listener, where there are descriptors for them."""
IDLE: Final = 15.0
"""Seconds from the accept, or from the last response, until the headers of a request are complete."""
BODY: Final = 10.0
"""Seconds from the headers of a request until its body is complete."""
STALLED: Final = 20.0
"""Seconds for which a client may read nothing of its response."""
_DRAIN: Final = 0.5  # seconds that running requests have when the listener closes
_RETRY: Final = 1.0  # seconds until the next attempt to listen: a previous process may still have the address
_PAUSE: Final = 0.5  # seconds without accepting, when there is no descriptor
_BATCH: Final = 8  # connections accepted in one turn of the event loop
_BACKLOG: Final = 128
_SHARE: Final = 8  # one of this many free descriptors is for one listener
_RESET: Final = struct.pack("ii", 1, 0)  # struct linger, socket(7)
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_MUTE: Final = logging.getLogger(f"{__name__}.access")
_MUTE.disabled = True
_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def serving(
    application: web.Application,
    listen: HostPort | socket.socket,
    name: str,
    ready: str,
    logger: logging.Logger = server_logger,
    tls: Callable[[], ssl.SSLContext] | None = None,
    connections: int = CONNECTIONS,
) -> AsyncIterator[None]:
    """Serve an application while the context is open.

    `listen`: an address, or a socket that listens already. An address that cannot be used is logged once, and tried
    again. `name`: the listener, as the subject of a log line. `ready`: the log line when it listens. `logger`: that of
    aiohttp. `tls` returns the context for a new connection; None: without TLS. `connections`: the most, where there are
    descriptors for them.
    """
    runner = web.AppRunner(application, shutdown_timeout=_DRAIN)
    await runner.setup()
    server = runner.server
    assert server is not None  # noqa: S101 - the runner was set up
    loop = asyncio.get_running_loop()
    listener = _Listener(
        name,
        lambda: HttpProtocol(
            server, loop=loop, access_log=_MUTE, logger=logger, keepalive_timeout=IDLE, lingering_time=_DRAIN
        ),
        tls,
        connections,
    )
    opening = asyncio.create_task(_open(listener, listen, ready))
    await asyncio.sleep(0)  # the first attempt takes no longer
    try:
        yield
    finally:
        opening.cancel()
        await asyncio.wait([opening])
        listener.close()
        await runner.cleanup()


async def _open(listener: "_Listener", listen: HostPort | socket.socket, ready: str) -> None:
    logged = False
    while True:
        try:
            listener.open(listen)
        except OSError as error:
            if not logged:
                why = os.strerror(error.errno or 0).lower()
                _log.error("%s cannot listen on %s: %s; trying again", listener.name, listen, why)
            logged = True
            await asyncio.sleep(_RETRY)
        else:
            _log.info(ready, extra={"code": "http-listening"})
            return


class _Listener:
    """A listening socket and its connections. `make` returns the protocol of a connection."""

    def __init__(
        self,
        name: str,
        make: Callable[[], asyncio.Protocol],
        tls: Callable[[], ssl.SSLContext] | None,
        connections: int,
    ) -> None:
        self.name = name
        self._make = make
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        share = 2 if connections > CONNECTIONS else _SHARE
        self._limit = max(2, min(connections, (open_files.limit() - open_files.held()) // share))
        self._socket: socket.socket | None = None
        self._all: OrderedDict[_Connection, None] = OrderedDict()
        """The connections, in the order of the last octets that each one sent."""
        self._tasks: set[asyncio.Task[object]] = set()
        self._short = False
        """Whether there was no descriptor at the last attempt to accept."""

    def open(self, listen: HostPort | socket.socket) -> None:
        """Listen. Raises OSError."""
        if isinstance(listen, HostPort):
            family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
            backlog = max(_BACKLOG, self._limit)  # all spokes of a hub connect when it starts
            listen = socket.create_server((listen.host, listen.port), family=family, backlog=backlog)
        listen.settimeout(0)
        self._socket = listen
        self._resume()

    def close(self) -> None:
        """Stop listening. The connections stay open."""
        if self._socket:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _resume(self) -> None:
        if self._socket:
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            if self._socket is None:
                return
            try:
                sock, address = self._socket.accept()
            except OSError as error:  # no connection waits, or the client closed it before the accept
                if error.errno in _EXHAUSTED:
                    self._pause(error)
                return
            self._short = False
            full = len(self._all) >= self._limit
            if full:
                self._make_room()
            self._start(sock, address[0] if address else "")
            if full:
                return  # the descriptor of the closed connection is free after this turn of the loop

    def _pause(self, error: OSError) -> None:
        """Close a connection, and accept again when its descriptor is free. Logs the first of several shortages."""
        if self._socket:
            self._loop.remove_reader(self._socket.fileno())
        if self._all:
            self._make_room()
        if not self._short:
            self._short = True
            _log.warning("%s: connections have to wait: %s", self.name, error.strerror)
        self._loop.call_later(_PAUSE, self._resume)

    def _make_room(self) -> None:
        """Close the connection that has been silent longest, of the client that has most."""
        most = Counter(each.client for each in self._all).most_common(1)[0][0]
        next(each for each in self._all if each.client == most).abort()

    def _start(self, sock: socket.socket, client: str) -> None:
        sock.settimeout(0)
        connection = _Connection(self._make(), sock, client, self._all, self._loop)
        self._all[connection] = None
        task = self._loop.create_task(self._connect(connection, sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: "_Connection", sock: socket.socket) -> None:
        options: dict[str, Any] = {}
        if self._tls:
            options = {"ssl": self._tls(), "ssl_handshake_timeout": IDLE, "ssl_shutdown_timeout": _DRAIN}
        try:
            await self._loop.connect_accepted_socket(lambda: connection, sock, **options)
        except OSError:  # the handshake failed (ssl.SSLError), took too long, or the client has gone
            self._all.pop(connection, None)
            sock.close()


class _Connection(asyncio.Protocol):
    """One connection: passes events on to aiohttp's protocol, and ends when the client does not read its response."""

    def __init__(
        self,
        inner: asyncio.Protocol,
        sock: socket.socket,
        client: str,
        among: "OrderedDict[_Connection, None]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.client = client
        self._inner = inner
        self._sock: socket.socket | None = sock
        """Until the connection is made: the handshake of TLS is under way."""
        self._among = among
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._aborted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._sock = None
        self._inner.connection_made(transport)
        if self._aborted:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self in self._among:
            self._among.move_to_end(self)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._stalled = self._loop.call_later(STALLED, self.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._stalled:
            self._stalled.cancel()
        self._among.pop(self, None)
        self._inner.connection_lost(error)
        self._transport = self._stalled = None

    def abort(self) -> None:
        """Close at once. The kernel would try for minutes to send what the client has not read, so it is reset."""
        self._among.pop(self, None)
        self._aborted = True
        if self._sock:
            with contextlib.suppress(OSError):  # it may have failed already
                self._sock.shutdown(socket.SHUT_RDWR)
        if self._transport:
            if self._transport.get_write_buffer_size():
                sock = self._transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
