"""DNS over HTTPS (RFC 8484): which requests are queries, and what a reply to one says.

One path, GET and POST. Versions of HTTP are `http1`'s and `http2`'s, chosen by ALPN. Headers that claim to know the
client (`X-Forwarded-For`) are not read: the PROXY protocol is the way to tell it.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from resolver.worker.answer.compiled import Compiled
from resolver.worker.net.http1 import Http1
from resolver.worker.net.http2 import Http2
from resolver.worker.net.stream import Connection

TYPE: Final = "application/dns-message"


class Response(NamedTuple):
    """A whole response. `headers` are in lower case, without `content-length`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Refused(Exception):  # noqa: N818 - what happens to the request
    """A request that is no query. `headers` go into the response."""

    def __init__(self, status: int, why: str, *headers: tuple[str, str]) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers

    def response(self) -> Response:
        """One line for a person."""
        headers = (("content-type", "text/plain; charset=utf-8"), *self.headers)
        return Response(self.status, headers, f"{self}\n".encode())


def query(path: str, method: str, target: str, kind: str, body: bytes) -> bytes:
    """The query in a request for `target`; `kind` is its content type. Raises `Refused`."""
    where, _, rest = target.partition("?")
    if where != path:
        raise Refused(404, f"DNS over HTTPS is at {path}")
    if method == "POST":
        if kind.partition(";")[0].strip().lower() != TYPE:
            raise Refused(415, f"the body must be of the type {TYPE}")
        return body
    if method != "GET":
        raise Refused(405, "only GET and POST", ("allow", "GET, POST"))
    try:
        (text,) = parse_qs(rest, max_num_fields=16).get("dns", [])
        digits = text.rstrip("=")
        return base64.b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Refused(400, "one `dns` parameter with a query in base64url") from None


def response(reply: bytes, freshness: int) -> Response:
    """Return the response with a reply, which HTTP caches may keep for `freshness` seconds (RFC 8484 §5.1)."""
    return Response(200, (("content-type", TYPE), ("cache-control", f"max-age={freshness}")), reply)


def no_reply() -> Response:
    """The response where a query gets none."""
    return Refused(400, "not a DNS query").response()


def sessions(path: str) -> Callable[[Connection], asyncio.Protocol]:
    """What makes the session of a connection."""
    return lambda connection: _Chooser(connection, path)


class _Chooser(asyncio.Protocol):
    """Until TLS has settled which HTTP is spoken."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        chosen = Http2 if tls and tls.selected_alpn_protocol() == "h2" else Http1
        session = chosen(self._connection, Exchange(self._connection, self._path))
        transport.set_protocol(session)
        session.connection_made(transport)


class Exchange:
    """Takes requests of one connection to the responder."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._counters = connection.listener.connections.responder.counters

    def take(self, method: str, target: str, kind: str, body: bytes, send: Callable[[Response], None]) -> None:
        """`send` is called once, now or later."""

        def counted(given: Response) -> None:
            self._counters.add("dns_https_responses_total", (str(given.status),))
            send(given._replace(body=b"") if method == "HEAD" else given)  # RFC 9110 §9.3.2

        def answered(reply: bytes, answer: Compiled | None) -> None:
            counted(response(reply, answer.freshness() if answer else 0))

        try:
            packet = query(self._path, method, target, kind, body)
        except Refused as refused:
            counted(refused.response())
            return
        if not self._connection.take(packet, answered):
            counted(no_reply())

    def broke(self, reason: str) -> None:
        """The connection ends for what came on it."""
        self._counters.add("dns_https_errors_total", (reason,))
