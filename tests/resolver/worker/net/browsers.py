"""Clients of DNS over HTTPS for the tests of this folder: HTTP/2 by h2, HTTP/1.1 by the standard library."""

import asyncio
import base64
import http.client
import ssl
from typing import Any

import h2.config
import h2.connection
import h2.events

from resolver.worker.access.edns import ClientTransport
from tests.resolver.worker.net.streams import Listener, StreamClient

HTTPS = ClientTransport("https", encrypted=True)
PATH = "/dns-query"
DEADLINE = 60.0


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Browser:
    """An HTTP/2 client on one connection."""

    def __init__(self, client: StreamClient) -> None:
        self.client = client
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.statuses: dict[int, str] = {}
        self.headers: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended = set[int]()
        self.resets: dict[int, int] = {}
        self.goodbye: int | None = None
        self.acknowledges = True
        self.flush()

    def flush(self) -> None:
        self.client.send(self.h2.data_to_send())

    def ask(self, method: str = "GET", target: str = "", body: bytes = b"", kind: str = "", *, end: bool = True) -> int:
        stream: int = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":path", target), (":authority", "localhost"), (":scheme", "https")]
        self.h2.send_headers(stream, headers + ([("content-type", kind)] if kind else []), end_stream=end and not body)
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def get(self, octets: bytes) -> int:
        return self.ask(target=f"{PATH}?dns={encoded(octets)}")

    def post(self, octets: bytes, kind: str = "application/dns-message") -> int:
        return self.ask("POST", PATH, octets, kind)

    async def read(self) -> bool:
        """Read once; return False at the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            try:
                data = await self.client.reader.read(65_536)
            except ConnectionError:
                data = b""
        if not data:
            return False
        for event in self.h2.receive_data(data):
            self._note(event)
        self.flush()
        return True

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=int(stream), headers=list(headers)):
                self.headers[stream] = {str(name): str(value) for name, value in headers}
                self.statuses[stream] = self.headers[stream][":status"]
            case h2.events.DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=int(size)):
                self.bodies[stream] = self.bodies.get(stream, b"") + data
                if self.acknowledges:
                    self.h2.acknowledge_received_data(size, stream)
            case h2.events.StreamEnded(stream_id=int(stream)):
                self.ended.add(stream)
            case h2.events.StreamReset(stream_id=int(stream), error_code=code):
                self.resets[stream] = int(code or 0)
            case h2.events.ConnectionTerminated(error_code=code):
                self.goodbye = int(code or 0)

    async def until(self, *streams: int) -> None:
        while not self.ended.issuperset(streams):
            assert await self.read(), f"closed ({self.goodbye})"

    async def closed(self) -> int | None:
        """Return the error code of the server's GOAWAY frame."""
        while await self.read():
            pass
        return self.goodbye


class Site:
    """A listener for DNS over HTTPS, and its clients."""

    def __init__(self, listener: Listener, trust: ssl.SSLContext) -> None:
        self.listener = listener
        self._trust = trust

    async def browse(self) -> Browser:
        self._trust.set_alpn_protocols(["h2"])
        return Browser(await self.listener.connect(self._trust))

    async def old(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[Any, bytes]:
        """Make one request over HTTP/1.1."""

        def call() -> tuple[Any, bytes]:
            self._trust.set_alpn_protocols(["http/1.1"])
            host, port = self.listener.address
            connection = http.client.HTTPSConnection("localhost", port, context=self._trust, timeout=DEADLINE)
            connection._create_connection = lambda *_, **__: __import__("socket").create_connection((host, port))  # type: ignore[attr-defined]  # localhost may be ::1
            try:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request(method, target, body, named)
                response = connection.getresponse()
                return response, response.read()
            finally:
                connection.close()

        return await asyncio.to_thread(call)
