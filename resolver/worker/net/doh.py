"""DNS over HTTPS (RFC 8484): which requests are queries, and what a reply to one says.

One path, GET and POST. Versions of HTTP are `http1`'s and `http2`'s, chosen by ALPN. Headers that claim to know the
client (`X-Forwarded-For`) are not read: the PROXY protocol is the way to tell it.
"""

import asyncio
import base64
import binascii
import struct
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from resolver.wire import codes
from resolver.worker.net.http1 import Http1
from resolver.worker.net.http2 import Http2
from resolver.worker.net.stream import Connection
from zones.dns.record import SOA

TYPE: Final = "application/dns-message"
_counts: Final = struct.Struct(">3H").unpack_from
_record: Final = struct.Struct(">2HIH").unpack_from


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


def response(reply: bytes) -> Response:
    """The response with a reply; it may be kept as long as all of its records (RFC 8484 §5.1)."""
    return Response(200, (("content-type", TYPE), ("cache-control", f"max-age={_lifetime(reply)}")), reply)


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

        try:
            packet = query(self._path, method, target, kind, body)
        except Refused as refused:
            counted(refused.response())
            return
        if not self._connection.take(packet, lambda reply: counted(response(reply))):
            counted(no_reply())

    def broke(self, reason: str) -> None:
        """The connection ends for what came on it."""
        self._counters.add("dns_https_errors_total", (reason,))


def _lifetime(reply: bytes) -> int:
    """Seconds: the least TTL of answer and authority, an SOA's within its MINIMUM (RFC 2308 §5); 0 without any.

    The reply is ours, so it is well-formed.
    """
    ancount, nscount, _ = _counts(reply, 6)
    at = _after_name(reply, codes.HEADER_SIZE) + 4 if reply[5] else codes.HEADER_SIZE
    least: int | None = None
    for _ in range(ancount + nscount):
        at = _after_name(reply, at)
        rtype, _, ttl, size = _record(reply, at)
        at += 10 + size
        if rtype == SOA:
            ttl = min(ttl, int.from_bytes(reply[at - 4 : at], "big"))
        least = ttl if least is None else min(least, ttl)
    return least or 0


def _after_name(packet: bytes, at: int) -> int:
    while size := packet[at]:
        if size >= codes.POINTER:
            return at + 2
        at += size + 1
    return at + 1
