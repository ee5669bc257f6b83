"""DNS over HTTPS as a client (RFC 8484): each query is a POST on its own HTTP/2 stream. Uses h2.

Does not follow redirects and keeps no HTTP cookies: only the configured server is asked.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from resolver.forward.client.session import SessionEvents
from resolver.host_port import bracketed
from resolver.settings import Server
from resolver.wire import codes

TYPE: Final = "application/dns-message"
_CONFIG: Final = h2.config.H2Configuration(client_side=True)


class HttpsSession(asyncio.Protocol):
    """The session of one connection over HTTPS."""

    def __init__(self, events: SessionEvents, server: Server) -> None:
        self._events = events
        self._transport: asyncio.Transport | None = None
        self._h2 = h2.connection.H2Connection(_CONFIG)
        host = server.name or bracketed(server.address.partition("%")[0])
        self._headers = (
            (":method", "POST"), (":scheme", "https"),
            (":authority", host if server.port == 443 else f"{host}:{server.port}"), (":path", server.path),
            ("accept", TYPE), ("content-type", TYPE),
        )  # fmt: skip
        self._unsent: deque[tuple[int, bytes]] = deque()
        self._streams: dict[int, _Stream] = {}
        self._by_number: dict[int, int] = {}

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start HTTP/2."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take HTTP/2 frames."""
        if self._transport is None:
            return
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
            self._push()
        except (h2.exceptions.ProtocolError, UnicodeDecodeError):
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Report the end of the connection."""
        self._transport = None
        self._events.lost(error)

    # -- from the connection

    def send(self, number: int, packet: bytes) -> bool:
        """Send a query, at once or when the server allows another stream. Its DNS id is 0 (RFC 8484 §4.1)."""
        self._unsent.append((number, b"\0\0" + packet))
        self._push()
        return number in self._by_number

    def cancel(self, number: int) -> bool:
        """Reset the stream of query `number`: its answer does not come."""
        stream = self._by_number.get(number)
        if stream is None:
            self._unsent = deque(each for each in self._unsent if each[0] != number)
            return False
        self._forget(stream)
        try:
            self._h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            self._push()
        except h2.exceptions.ProtocolError:
            self.close()
        return False

    def close(self) -> None:
        """Close at once."""
        if self._transport:
            self._transport.abort()

    # -- streams

    def _push(self) -> None:
        """Send the queries that the stream limit and the flow-control window allow."""
        try:
            while self._unsent and len(self._streams) < self._h2.remote_settings.max_concurrent_streams:
                number, packet = self._unsent[0]
                if self._h2.outbound_flow_control_window < len(packet):
                    break
                self._unsent.popleft()
                self._events.left_queue(number)
                stream = self._h2.get_next_available_stream_id()
                self._streams[stream] = _Stream(number)
                self._by_number[number] = stream
                self._h2.send_headers(stream, [*self._headers, ("content-length", str(len(packet)))])
                self._h2.send_data(stream, packet, end_stream=True)
        except h2.exceptions.ProtocolError:  # GOAWAY was received, or there are no more stream ids
            self.close()
        self._flush()

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=int(at), headers=list(headers)):
                if stream := self._streams.get(at):
                    stream.status = _header(headers, b":status")
                    stream.type = _header(headers, b"content-type").partition(";")[0].strip().lower()
            case h2.events.DataReceived(stream_id=int(at), data=bytes(data), flow_controlled_length=int(size)):
                self._h2.acknowledge_received_data(size, at)
                if stream := self._streams.get(at):
                    stream.body += data
                    if len(stream.body) > codes.MAX_MESSAGE:
                        self._refuse(at, "the answer is too long")
            case h2.events.StreamEnded(stream_id=int(at)):
                self._whole(at)
            case h2.events.StreamReset(stream_id=int(at)):
                self._refuse(at, "the server reset the stream")
            case h2.events.ConnectionTerminated():
                self.close()

    def _whole(self, at: int) -> None:
        stream = self._streams.get(at)
        if stream is None:
            return
        if stream.status != "200":
            self._refuse(at, f"HTTP status {stream.status}")
            return
        if stream.type != TYPE or len(stream.body) < 2:
            self._refuse(at, f"the HTTP answer is not {TYPE}")
            return
        self._forget(at)
        self._events.arrived(stream.number, bytes(stream.body))

    def _refuse(self, at: int, why: str) -> None:
        if stream := self._streams.get(at):
            self._forget(at)
            self._events.refused(stream.number, why)

    def _forget(self, at: int) -> None:
        self._by_number.pop(self._streams.pop(at).number, None)

    def _flush(self) -> None:
        if self._transport and (data := self._h2.data_to_send()):
            self._transport.write(data)


class _Stream:
    """A query in progress."""

    __slots__ = ("body", "number", "status", "type")

    def __init__(self, number: int) -> None:
        self.number = number
        self.status = ""
        self.type = ""
        self.body = bytearray()


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """Return the value of a header; empty without it."""
    return next((value.decode("ascii", "replace") for each, value in headers if each == name), "")
