"""What a reply says in EDNS options because of what its query said, and what a query's options change.

Cookies (RFC 7873), NSID (RFC 5001), TCP keepalive (RFC 7828), client subnet (RFC 7871), padding (RFC 7830, RFC 8467).
Pure. Refuses to know the records of an answer.
"""

from typing import Final, NamedTuple

from resolver.wire import codes, render
from resolver.wire import query as wire
from resolver.worker.access.clients import Client, Clients
from resolver.worker.access.cookies import Cookies

_BLOCK: Final = 468  # octets, RFC 8467 §4.1
_FAMILIES: Final = {1: 4, 2: 16}  # address families of IANA, octets of their addresses


class Way(NamedTuple):
    """How queries come and replies go."""

    name: str
    """`udp`, `tcp`, `tls` or `https`."""
    limit: int | None = None
    """Octets of a reply over UDP; None on a stream."""
    encrypted: bool = False
    idle: int = 0
    """Seconds that a TCP or TLS connection may be idle; 0 where clients are not told."""


class Said(NamedTuple):
    """What the options of one query come to."""

    network: int
    """The network that it is answered for."""
    proven: bool = False
    """It came with a good cookie of ours: the client has the address that it says."""
    reply: bytes = b""
    """Options for the reply."""
    padded: bool = False
    marks: bytes = b""
    """By which queries of ours are known that have come back (`loops`)."""


class BadSubnet(Exception):  # noqa: N818 - what is wrong
    """A client-subnet option that RFC 7871 §6 does not allow."""


class Options:
    """Reads the options of queries. `identity` is what NSID tells; without `cookies` none are answered."""

    def __init__(self, clients: Clients, identity: str, cookies: Cookies | None) -> None:
        self._clients = clients
        self._nsid = render.option(codes.OPTION_NSID, identity.encode())
        self._cookies = cookies

    def read(self, options: wire.Options, client: Client, way: Way, now: float) -> Said:
        """`now` is the wall clock's time. Raises `BadSubnet`."""
        network, proven, padded, reply, marks = client.network, False, False, b"", b""
        for code, data in options:
            if code == codes.OPTION_COOKIE and self._cookies:
                proven, cookie = self._cookies.check(data, client.address, now)
                reply += render.option(code, cookie)
            elif code == codes.OPTION_SUBNET and client.forwarder:
                network, echo = self._subnet(data, client)
                reply += render.option(code, echo)
            elif code == codes.OPTION_NSID:
                reply += self._nsid
            elif code == codes.OPTION_KEEPALIVE and way.idle:
                reply += render.option(code, min(way.idle * 10, 0xFFFF).to_bytes(2, "big"))
            elif code == codes.OPTION_PADDING:
                padded = way.encrypted
            elif code == codes.OPTION_LOOP:
                marks = data
        return Said(network, proven, reply, padded, marks)

    def _subnet(self, data: bytes, client: Client) -> tuple[int, bytes]:
        """The network, and the option with the scope that the answer holds for."""
        family, length = int.from_bytes(data[:2], "big"), data[2] if len(data) > 3 else 0
        octets = data[4:]
        size = _FAMILIES.get(family)
        if len(data) < 4 or data[3] or len(octets) != (length + 7) // 8 or (size is None and (family or length)):
            raise BadSubnet
        if size is None:  # "no subnet, and of no family", as some clients put it
            return client.network, data
        if length > size * 8 or (length % 8 and octets[-1] & 0xFF >> length % 8):
            raise BadSubnet
        network, scope = self._clients.subnet(client, octets.ljust(size, b"\x00"), length)
        return network, data[:3] + bytes((scope,)) + octets


def finished(reply: bytes, opt: int, said: Said) -> bytes:
    """A whole reply, whose OPT record stands at the offset `opt`, with the options that are said in it."""
    options = said.reply
    if said.padded:
        size = len(reply) + len(options) + 4
        fill = min(-size % _BLOCK, codes.MAX_MESSAGE - size)
        if fill >= 0:
            options += render.option(codes.OPTION_PADDING, bytes(fill))
    return render.extended(reply, opt, options) if options else reply
