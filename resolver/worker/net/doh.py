"""DNS over HTTPS (RFC 8484): the query in a request, and the response to it.

There is one path, with GET and POST. ALPN chooses between `http1` and `http2`. Headers that name the client
(`X-Forwarded-For`) are not read, because any client can send them; a proxy uses the PROXY protocol.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from resolver.worker.answer.compiled import Compiled
from resolver.worker.net.connections import Connection
from resolver.worker.net.http import HttpResponse
from resolver.worker.net.http1 import Http1
from resolver.worker.net.http2 import Http2

TYPE: Final = "application/dns-message"


class BadRequest(Exception):  # noqa: N818 - the term of RFC 9110
    """A request without a query in it. `status` and `headers` are those of the response."""

    def __init__(self, status: int, why: str, *headers: tuple[str, str]) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers

    def response(self) -> HttpResponse:
        """Return the response; its body is the message, as one line of text."""
        headers = (("content-type", "text/plain; charset=utf-8"), *self.headers)
        return HttpResponse(self.status, headers, f"{self}\n".encode())


def query(path: str, method: str, target: str, kind: str, body: bytes) -> bytes:
    """Return the query in a request for `target` whose content type is `kind`. Raises `BadRequest`."""
    where, _, rest = target.partition("?")
    if where != path:
        raise BadRequest(404, f"DNS over HTTPS is at {path}")
    if method == "POST":
        if kind.partition(";")[0].strip().lower() != TYPE:
            raise BadRequest(415, f"the body must be of the type {TYPE}")
        return body
    if method != "GET":
        raise BadRequest(405, "only GET and POST", ("allow", "GET, POST"))
    try:
        (text,) = parse_qs(rest, max_num_fields=16).get("dns", [])
        digits = text.rstrip("=")
        return base64.b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise BadRequest(400, "one `dns` parameter with a query in base64url") from None


def response(reply: bytes, freshness: int) -> HttpResponse:
    """Return the response with a reply, which HTTP caches may keep for `freshness` seconds (RFC 8484 §5.1)."""
    return HttpResponse(200, (("content-type", TYPE), ("cache-control", f"max-age={freshness}")), reply)


def no_reply() -> HttpResponse:
    """Return the response to a query that gets no reply."""
    return BadRequest(400, "not a DNS query").response()


def sessions(path: str) -> Callable[[Connection], asyncio.Protocol]:
    """Return a function that makes the session of a connection. `path`: the path for queries."""
    return lambda connection: _Chooser(connection, path)


class _Chooser(asyncio.Protocol):
    """The protocol until ALPN has chosen a version of HTTP."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        chosen = Http2 if tls and tls.selected_alpn_protocol() == "h2" else Http1
        session = chosen(self._connection, DohHandler(self._connection, self._path))
        transport.set_protocol(session)
        session.connection_made(transport)


class DohHandler:
    """Answers the requests of one connection by the responder. Is a `RequestHandler`."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._counters = connection.listener.connections.responder.counters

    def take(self, method: str, target: str, kind: str, body: bytes, send: Callable[[HttpResponse], None]) -> None:
        """Answer a request. Calls `send` once, now or later."""

        def counted(given: HttpResponse) -> None:
            self._counters.add("dns_https_responses_total", (str(given.status),))
            send(given._replace(body=b"") if method == "HEAD" else given)  # RFC 9110 §9.3.2

        def answered(reply: bytes, answer: Compiled | None) -> None:
            counted(response(reply, answer.freshness() if answer else 0))

        try:
            packet = query(self._path, method, target, kind, body)
        except BadRequest as refused:
            counted(refused.response())
            return
        if not self._connection.take(packet, answered):
            counted(no_reply())

    def count_error(self, reason: str) -> None:
        """Count a connection that ends because of what the client sent."""
        self._counters.add("dns_https_errors_total", (reason,))
