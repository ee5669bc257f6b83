"""One connection with HTTP/2 (RFC 9113), by h2: requests in, responses out, within limits.

Knows streams and flow control. `http2_frames` knows floods. Does not know what a request means.
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
from resolver.worker.net.http2_frames import FrameCutter

STREAMS: Final = 100
"""Requests of one connection in flight, at most."""
_BODIES: Final = 4 * codes.MAX_MESSAGE  # octets of the incomplete requests of one connection
_HEADERS: Final = 16_384  # octets of one header list; a query in a URL has some 700
_TURN: Final = 8  # pairs of frames of one connection before it is the turn of another one
_CONFIG: Final = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")


class _Connection(h2.connection.H2Connection):
    """h2's connection. It remembers fewer closed streams than by default, where they take 6 MB."""

    MAX_CLOSED_STREAMS = 10 * STREAMS


class Http2(asyncio.Protocol):
    """The session of one connection."""

    def __init__(self, connection: Connection, handler: RequestHandler) -> None:
        self._connection = connection
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        """None before the connection is made and after it is lost."""
        self._h2 = _Connection(_CONFIG)
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
        self._frames = FrameCutter()
        self._time = connection.listener.connections.time
        self._due = False
        """Whether frames wait for a later turn."""
        self._widened = False
        """Whether the client has widened a window."""
        self._blocked = False
        """Whether the client does not read its answers."""
        self._body_octets = 0
        """Octets of the incomplete requests."""
        self._unsent_octets = 0
        self._finishing = False

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
        self._frames.octets += data
        if not self._due:
            self._process()

    def work(self) -> None:
        """Process more frames in the turn that this connection has waited for."""
        self._due = False
        self._process()

    def _process(self) -> None:
        """Process some frames. The rest waits for a later turn, and nothing is read meanwhile."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._blocked:
            try:
                self._take_frames()
            except (h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
                self._refuse("protocol", getattr(error, "error_code", h2.errors.ErrorCodes.PROTOCOL_ERROR))
            if self._frames.flooded:
                self._refuse("flood", h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
            self._flush()
        self._go_on()

    def _take_frames(self) -> None:
        for _ in range(_TURN):
            octets = self._frames.take()
            for event in self._h2.receive_data(octets) if octets else ():
                self._handle(event)
            if not self._frames.has_more or self._time.is_over:
                break
        if self._widened:
            self._push_all()

    def _go_on(self) -> None:
        """Read, or have what was read processed, as far as the client reads its answers."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._report()
        if self._frames.has_more and not self._blocked:
            if not self._due:
                self._due = True
                self._time.later(self)
            transport.pause_reading()
        elif self._blocked:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _report(self) -> None:
        self._connection.kept(len(self._frames.octets) + self._body_octets + self._unsent_octets)

    def eof_received(self) -> None:
        """Close: TLS has no half-closed connections."""

    def pause_writing(self) -> None:
        """Process no more frames: the client does not read its answers."""
        self._blocked = True
        self._go_on()

    def resume_writing(self) -> None:
        """Process frames again."""
        self._blocked = False
        self._go_on()

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
                self._widened = True
            case h2.events.StreamReset(stream_id=int(stream)):
                self._forget(stream)
            case h2.events.ConnectionTerminated():  # after it, h2 sends no more responses
                self._close()

    def _data(self, stream: int, data: bytes, size: int) -> None:
        self._h2.acknowledge_received_data(size, stream)
        request = self._requests.get(stream)
        if request is None:
            return
        request.body += data
        self._body_octets += len(data)
        if len(request.body) > codes.MAX_MESSAGE:
            self._too_large(stream)
        elif self._body_octets > _BODIES:
            self._refuse("bodies", h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _without(self, stream: int) -> "_Request | None":
        """Remove and return an incomplete request."""
        request = self._requests.pop(stream, None)
        if request is not None:
            self._body_octets -= len(request.body)
        return request

    def _too_large(self, stream: int) -> None:
        self._without(stream)
        self._h2.send_headers(stream, [(":status", "413"), ("content-length", "0")], end_stream=True)
        self._h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)  # RFC 9113 §8.1: send no more

    def _whole(self, stream: int) -> None:
        request = self._without(stream)
        if request is None or self._finishing:
            return
        self._open.add(stream)
        headers = request.headers
        self._handler.take(
            headers.get(":method", ""), headers.get(":path", ""), headers.get("content-type", ""),
            bytes(request.body), lambda response: self._respond(stream, response),
        )  # fmt: skip

    def _forget(self, stream: int) -> None:
        self._without(stream)
        self._unsent_octets -= len(self._unsent.pop(stream, b""))
        self._open.discard(stream)
        self._finished()

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
            self._unsent_octets += len(response.body)
            self._push(stream)
        except h2.exceptions.ProtocolError:
            self._forget(stream)  # h2 has closed the stream without an event
        self._frames.answered()
        self._flush()  # a TLS record for each response: some clients take only one of a record
        self._report()
        self._finished()

    def _push_all(self) -> None:
        """Send more of each body: the client has widened its windows."""
        self._widened = False
        for stream in list(self._unsent):
            self._push(stream)

    def _push(self, stream: int) -> None:
        """Send as much of the body as the client's windows allow."""
        body = self._unsent.pop(stream)
        try:
            while body:
                size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(body))
                if size <= 0:
                    self._unsent[stream] = body
                    return
                self._unsent_octets -= size
                self._h2.send_data(stream, bytes(body[:size]), end_stream=size == len(body))
                body = body[size:]
        except h2.exceptions.ProtocolError:
            self._unsent_octets = sum(map(len, self._unsent.values()))
            self._forget(stream)

    def _flush(self) -> None:
        if self._transport and not self._transport.is_closing() and (data := self._h2.data_to_send()):
            self._transport.write(data)

    # -- the end

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
