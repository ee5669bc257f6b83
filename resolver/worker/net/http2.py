"""One connection with HTTP/2 (RFC 9113), by h2: requests in, responses out, within limits.

Knows streams, flow control and floods. Does not know what a request means.
"""

import asyncio
import contextlib
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from resolver.wire import codes
from resolver.worker.net.connections import Connection
from resolver.worker.net.http import HttpResponse, RequestHandler

STREAMS: Final = 100
"""Requests of one connection in flight, at most."""
_BODIES: Final = 4 * codes.MAX_MESSAGE  # octets of the incomplete requests of one connection
_HEADERS: Final = 16_384  # octets of one header list; a query in a URL has some 700
_IDLING: Final = 1_000  # resets, pings and settings between two queries; a client that sends more is a flood
_CONFIG: Final = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")


class Http2(asyncio.Protocol):
    """The session of one connection."""

    def __init__(self, connection: Connection, handler: RequestHandler) -> None:
        self._connection = connection
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        """None before the connection is made and after it is lost."""
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
        """Incomplete requests by stream."""
        self._open = set[int]()
        """Streams whose query is in flight."""
        self._unsent: dict[int, memoryview] = {}
        """The rest of each response body, where the client's window has no room for it yet."""
        self._finishing = False
        self._idling = 0

    @property
    def busy(self) -> bool:
        """Whether queries are in flight."""
        return bool(self._open)

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the session."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._connection.session_started(self)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Process received frames."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
        except (h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
            self._refuse("protocol", getattr(error, "error_code", h2.errors.ErrorCodes.PROTOCOL_ERROR))
        self._flush()

    def eof_received(self) -> None:
        """Close: TLS has no half-closed connections."""

    def pause_writing(self) -> None:
        """Read no more queries: the client does not read its answers."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read queries again."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """End the session."""
        self._connection.session_ended()
        self._transport = None
        vars(self._h2).clear()  # it refers to its own methods; the collector would find that late
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
            case h2.events.ConnectionTerminated():  # after it, h2 sends no more responses
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
        self._handler.take(
            headers.get(":method", ""), headers.get(":path", ""), headers.get("content-type", ""),
            bytes(request.body), lambda response: self._respond(stream, response),
        )  # fmt: skip

    def _forget(self, stream: int) -> None:
        self._requests.pop(stream, None)
        self._unsent.pop(stream, None)
        self._open.discard(stream)

    # -- responses

    def _respond(self, stream: int, response: HttpResponse) -> None:
        if self._transport is None or stream not in self._open:
            return  # the client closed the connection or reset the stream
        self._open.discard(stream)
        length = ("content-length", str(len(response.body)))
        try:
            self._h2.send_headers(
                stream, [(":status", str(response.status)), *response.headers, length], end_stream=not response.body
            )
            self._unsent[stream] = memoryview(response.body)
            self._push(stream)
        except h2.exceptions.ProtocolError:
            self._forget(stream)  # h2 has closed the stream without an event
        self._flush()
        self._finished()

    def _push(self, stream: int) -> None:
        """Send as much of the body as the client's windows allow."""
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
        """Count a frame without a query. Too many of them are a flood."""
        self._idling += 1
        self._finished()
        if self._idling > _IDLING:
            self._refuse("flood", h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _refuse(self, reason: str, code: h2.errors.ErrorCodes | int) -> None:
        """Close with an error code; count `reason`."""
        if self._transport and not self._transport.is_closing():
            self._handler.count_error(reason)
            self._close(code)

    def finish(self) -> None:
        """Answer the queries in flight, then close."""
        self._finishing = True
        self._finished()

    def _finished(self) -> None:
        if self._finishing and not self._open and not self._unsent:
            self._close()

    def _close(self, code: h2.errors.ErrorCodes | int = h2.errors.ErrorCodes.NO_ERROR) -> None:
        """Send GOAWAY and close. Not earlier: after GOAWAY, h2 sends no more responses."""
        if self._transport and not self._transport.is_closing():
            with contextlib.suppress(h2.exceptions.ProtocolError):  # h2 has sent GOAWAY already
                self._h2.close_connection(code)
            self._flush()
            self._transport.close()


class _Request:
    """A request that is not complete yet."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.body = bytearray()
