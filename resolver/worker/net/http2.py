"""One connection of HTTP/2 (RFC 9113), spoken by h2: requests in, responses out, within bounds.

Knows streams, windows and floods; what a request means is `doh`'s.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from resolver.wire import codes
from resolver.worker.net.stream import Connection

if TYPE_CHECKING:
    from resolver.worker.net.doh import Exchange, Response

STREAMS: Final = 100
"""Requests of one connection at a time."""
_BODIES: Final = 4 * codes.MAX_MESSAGE  # octets of unfinished requests of one connection
_HEADERS: Final = 16_384  # octets of one header list; a query in a URL has some 700
_IDLING: Final = 1_000  # resets, pings and settings between two queries; a client that does more only costs time
_CONFIG: Final = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")


class Http2(asyncio.Protocol):
    """One connection."""

    def __init__(self, connection: Connection, exchange: "Exchange") -> None:
        self._connection = connection
        self._exchange = exchange
        self._transport: asyncio.Transport | None = None
        """None before and after the connection."""
        self._h2 = h2.connection.H2Connection(_CONFIG)
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: _HEADERS,
                h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
            },
        )
        self._requests: dict[int, _Request] = {}
        """By stream: those that are not whole yet."""
        self._open = set[int]()
        """Streams whose query is in work."""
        self._unsent: dict[int, memoryview] = {}
        """What a window has no room for yet."""
        self._finishing = False
        self._idling = 0

    @property
    def busy(self) -> bool:
        """Queries are in work, and the client takes its answers."""
        return bool(self._open)

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._connection.begun(self)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take frames."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
        except (h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
            self._refuse("protocol", getattr(error, "error_code", h2.errors.ErrorCodes.PROTOCOL_ERROR))
        self._flush()

    def eof_received(self) -> None:
        """TLS cannot be half closed: the end of one side is the end."""

    def pause_writing(self) -> None:
        """The client does not take its answers: it gets no more."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It does again."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        self._connection.left()
        self._transport = None
        self._requests.clear()
        self._unsent.clear()

    # -- requests

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=int(stream), headers=list(headers)):
                self._requests[stream] = _Request({str(name): str(value) for name, value in headers})
            case h2.events.DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=int(size)):
                self._data(stream, data, size)
            case h2.events.StreamEnded(stream_id=int(stream)):
                self._whole(stream)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._idle()
                for stream in list(self._unsent):
                    self._push(stream)
            case h2.events.StreamReset(stream_id=int(stream)):
                self._forget(stream)
                self._idle()
            case h2.events.PingReceived() | h2.events.PriorityUpdated() | h2.events.UnknownFrameReceived():
                self._idle()
            case h2.events.ConnectionTerminated():  # h2 sends nothing more then
                self._close()

    def _data(self, stream: int, data: bytes, size: int) -> None:
        self._h2.acknowledge_received_data(size, stream)
        request = self._requests.get(stream)
        if request is None:
            return
        if not data:
            self._idle()
        request.body += data
        if len(request.body) > codes.MAX_MESSAGE:
            self._too_large(stream)
        elif sum(len(each.body) for each in self._requests.values()) > _BODIES:
            self._refuse("bodies", h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _too_large(self, stream: int) -> None:
        del self._requests[stream]
        self._h2.send_headers(stream, [(":status", "413"), ("content-length", "0")], end_stream=True)
        self._h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)  # RFC 9113 §8.1: send no more

    def _whole(self, stream: int) -> None:
        request = self._requests.pop(stream, None)
        if request is None or self._finishing:
            return
        self._open.add(stream)
        self._idling = 0
        headers = request.headers
        self._exchange.take(
            headers.get(":method", ""), headers.get(":path", ""), headers.get("content-type", ""),
            bytes(request.body), lambda response: self._respond(stream, response),
        )  # fmt: skip

    def _forget(self, stream: int) -> None:
        self._requests.pop(stream, None)
        self._unsent.pop(stream, None)
        self._open.discard(stream)

    # -- responses

    def _respond(self, stream: int, response: "Response") -> None:
        if self._transport is None or stream not in self._open:
            return  # the client has left, or wants it no more
        self._open.discard(stream)
        length = ("content-length", str(len(response.body)))
        try:
            self._h2.send_headers(
                stream, [(":status", str(response.status)), *response.headers, length], end_stream=not response.body
            )
            self._unsent[stream] = memoryview(response.body)
            self._push(stream)
        except h2.exceptions.ProtocolError:
            self._forget(stream)  # h2 knows that it is closed, and we had not been told
        self._flush()
        self._finished()

    def _push(self, stream: int) -> None:
        """Send as much of a body as the client's windows take."""
        body = self._unsent.pop(stream)
        try:
            while body:
                size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(body))
                if size <= 0:
                    self._unsent[stream] = body
                    return
                self._h2.send_data(stream, bytes(body[:size]), end_stream=size == len(body))
                body = body[size:]
        except h2.exceptions.ProtocolError:
            self._forget(stream)

    def _flush(self) -> None:
        if self._transport and not self._transport.is_closing() and (data := self._h2.data_to_send()):
            self._transport.write(data)

    # -- the end

    def _idle(self) -> None:
        """A frame that asks nothing; too many of them are a flood."""
        self._idling += 1
        self._finished()
        if self._idling > _IDLING:
            self._refuse("flood", h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _refuse(self, reason: str, code: h2.errors.ErrorCodes | int) -> None:
        """Say why, and close."""
        if self._transport and not self._transport.is_closing():
            self._exchange.broke(reason)
            self._close(code)

    def finish(self) -> None:
        """Answer what is in work, then close."""
        self._finishing = True
        self._finished()

    def _finished(self) -> None:
        if self._finishing and not self._open and not self._unsent:
            self._close()

    def _close(self, code: h2.errors.ErrorCodes | int = h2.errors.ErrorCodes.NO_ERROR) -> None:
        """Say goodbye and close. Only now: after GOAWAY, h2 sends no more responses."""
        if self._transport and not self._transport.is_closing():
            with contextlib.suppress(h2.exceptions.ProtocolError):  # it has said goodbye already
                self._h2.close_connection(code)
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport:
            self._transport.abort()


class _Request:
    """One that is not whole yet."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.body = bytearray()
