"""One connection with HTTP/1.1 (RFC 9112), by h11: one request after the other.

For clients and proxies without HTTP/2. Does not know what a request means.
"""

import asyncio
from typing import Final

import h11

from resolver.wire import codes
from resolver.worker.net.connections import Connection
from resolver.worker.net.http import HttpResponse, RequestHandler

_HEAD: Final = 16_384  # octets of request line and headers; a query in a URL has some 700


class Http1(asyncio.Protocol):
    """The session of one connection."""

    def __init__(self, connection: Connection, handler: RequestHandler) -> None:
        self._connection = connection
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        """None before the connection is made and after it is lost."""
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._open = False
        self._finishing = False

    @property
    def busy(self) -> bool:
        """Whether a query is in flight."""
        return self._open

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the session."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._connection.session_started(self)

    def data_received(self, data: bytes) -> None:
        """Process received octets."""
        self._h11.receive_data(data)
        self.work()

    def eof_received(self) -> None:
        """Close: TLS has no half-closed connections."""

    def connection_lost(self, _: Exception | None) -> None:
        """End the session."""
        self._connection.session_ended()
        self._transport = None

    # -- requests

    def work(self) -> None:
        """Process received octets up to the end of one request. The next request waits for the response."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._open:
            return
        try:
            while (event := self._h11.next_event()) is not h11.NEED_DATA:
                if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    break
                self._handle(event)
                if self.busy:
                    transport.pause_reading()
                    return
            if self._h11.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[]))
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)
            error.with_traceback(None)  # h11's frames refer to the error: a reference cycle

    def _handle(self, event: object) -> None:
        match event:
            case h11.Request():
                self._request, self._body = event, bytearray()
            case h11.Data(data=data):
                self._body += data
                if len(self._body) > codes.MAX_MESSAGE:
                    raise h11.RemoteProtocolError("the body is too large", 413)
            case h11.EndOfMessage() if self._request:
                self._take(self._request)

    def _take(self, request: h11.Request) -> None:
        self._open = True
        kind = next((value for name, value in request.headers if name == b"content-type"), b"")
        self._handler.take(
            request.method.decode("ascii"), request.target.decode("ascii"), kind.decode("latin-1"),
            bytes(self._body), self._respond,
        )  # fmt: skip

    # -- responses

    def _respond(self, response: HttpResponse) -> None:
        self._open = False
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        headers = [*response.headers, ("content-length", str(len(response.body)))]
        if self._finishing:
            headers.append(("connection", "close"))
        self._send(h11.Response(status_code=response.status, headers=headers))
        self._send(h11.Data(data=response.body))
        self._send(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            transport.resume_reading()
            self._connection.listener.connections.time.later(self)
        else:
            transport.close()

    def _refuse(self, status: int) -> None:
        """Respond with an error and close: after octets that cannot be parsed, no further request can be found."""
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("content-length", "0"), ("connection", "close")]
            self._send(h11.Response(status_code=status, headers=headers))
            self._send(h11.EndOfMessage())
        self._handler.count_error("protocol")
        if self._transport:
            self._transport.close()

    def _send(self, event: h11.Event) -> None:
        octets = self._h11.send(event)
        if self._transport and octets:
            self._transport.write(octets)

    # -- the end

    def finish(self) -> None:
        """Answer the queries in flight, then close."""
        self._finishing = True
        if self._transport and not self._open:
            self._transport.close()
