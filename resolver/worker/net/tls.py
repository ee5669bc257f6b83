"""TLS on one connection, between its transport and its session.

asyncio's own TLS takes 256 KiB for each connection, also during the handshake, and leaves a reference cycle behind:
clients that connect and close would make the worker grow until the next collection. This one takes what OpenSSL takes,
and nothing before the first octet. Does not know what the session says.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, cast

from resolver.worker.net.stream_time import StreamTime
from resolver.worker.net.transport import READ, SocketTransport


class TlsLayer(asyncio.Transport, asyncio.Protocol):
    """The protocol of a `SocketTransport`, and the transport of the session that `begin` makes after the handshake."""

    __slots__ = (
        "_begin", "_closing", "_context", "_failed", "_incoming", "_object", "_outgoing", "_paused", "_raw", "_session",
        "_time",
    )  # fmt: skip

    def __init__(
        self,
        context: ssl.SSLContext,
        time: StreamTime,
        begin: Callable[[], asyncio.Protocol],
        failed: Callable[[], None],
    ) -> None:
        """`failed` is called when the connection ends before or during the handshake."""
        super().__init__()
        self._context = context
        self._time = time
        self._begin: Callable[[], asyncio.Protocol] | None = begin
        self._failed: Callable[[], None] | None = failed
        self._raw: SocketTransport | None = None
        self._session: asyncio.Protocol | None = None
        """None until the handshake is done."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object: ssl.SSLObject | None = None
        """None before the first octet, and after the end."""
        self._paused = False
        self._closing = False

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client's first octets."""
        self._raw = cast("SocketTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or decrypt."""
        if not self._closing:
            if self._object is None:
                self._object = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._incoming.write(data)
            if self._session is None:
                self._shake_hands()
            else:
                self._decrypt()

    def eof_received(self) -> None:
        """Close: TLS has no half-closed connections."""
        if self._session:
            self._session.eof_received()
        self._closing = True

    def pause_writing(self) -> None:
        """Ask the session to pause."""
        if self._session:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """Let the session resume."""
        if self._session and not self._closing:
            self._session.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """End the session, and let go of everything."""
        session, failed, self._closing = self._session, self._failed, True
        self._session = self._begin = self._failed = self._raw = self._object = None
        if session:
            session.connection_lost(error)
        elif failed:
            failed()

    # -- TLS

    def _shake_hands(self) -> None:
        raw, tls, begin = self._raw, self._object, self._begin
        if raw is None or tls is None or begin is None:
            return
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError:
            self._flush()  # the alert that says why
            self._closing = True
            raw.close()
            return
        self._flush()
        self._begin = self._failed = None
        self._session = begin()
        self._session.connection_made(self)
        self._decrypt()

    def _decrypt(self) -> None:
        """Hand all that has arrived to the session at once."""
        tls, incoming, session = self._object, self._incoming, self._session
        if tls is None or session is None or self._paused or self._closing:
            return
        records, over = [], False
        try:
            while not over and (incoming.pending or tls.pending()):
                records.append(tls.read(READ))
                over = not records[-1]
        except ssl.SSLWantReadError:
            pass  # the rest of a record has not arrived
        except ssl.SSLError:
            over = True
        if data := b"".join(records):
            session.data_received(data)
        if over:  # the client has ended TLS, or has broken it
            session.eof_received()
            self.close()
        self._flush()

    def _flush(self) -> None:
        if self._raw and self._outgoing.pending:
            self._raw.write(self._outgoing.read())

    def work(self) -> None:
        """Decrypt what arrived while the session had paused."""
        self._decrypt()

    # -- for the session

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as in asyncio
        """Return the TLS object for `ssl_object`, and the socket for `socket`."""
        if name == "ssl_object":
            return self._object
        return self._raw.get_extra_info(name, default) if self._raw else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Replace the session."""
        self._session = cast("asyncio.Protocol", protocol)

    def is_reading(self) -> bool:
        """Return whether the session wants octets."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Hand nothing to the session until `resume_reading`."""
        self._paused = True
        if self._raw:
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        """Read again. What has arrived already is decrypted in a later turn."""
        if self._paused:
            self._paused = False
            if self._raw:
                self._raw.resume_reading()
                self._time.later(self)

    def is_closing(self) -> bool:
        """Return whether the connection ends."""
        return self._closing or self._raw is None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        if self._object and not self._closing and data:
            self._object.write(data)
            self._flush()

    def close(self) -> None:
        """Send what waits and the end of TLS, then wait until the client closes."""
        if self._closing or self._raw is None or self._object is None:
            return
        self._closing = True
        with contextlib.suppress(ssl.SSLError):  # the client has not ended TLS yet, or TLS is broken
            self._object.unwrap()
        self._flush()
        self._raw.finish()

    def abort(self) -> None:
        """Close at once."""
        if self._raw:
            self._raw.abort()
