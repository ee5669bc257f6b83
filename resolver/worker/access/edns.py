"""EDNS options: what the options of a query ask for, and the options of the reply.

Cookies (RFC 7873), NSID (RFC 5001), TCP keepalive (RFC 7828), client subnet (RFC 7871), padding (RFC 7830, RFC 8467).
Does not know the records of an answer. Pure: the time is an argument.
"""

from typing import Final, NamedTuple

from resolver.settings import Transport
from resolver.wire import codes, query, render
from resolver.worker.access.clients import Client, Clients
from resolver.worker.access.cookies import Cookies
from zones.clocks import WallTime
from zones.networks.prefixes import NetworkIndex

_BLOCK: Final = 468  # octets, RFC 8467 §4.1
_FAMILIES: Final = {1: 4, 2: 16}  # IANA's address family numbers, and the octets of an address


class ClientTransport(NamedTuple):
    """How a query came and its reply goes back."""

    name: Transport
    limit: int | None = None
    """Octets of the largest reply over UDP; None on a stream."""
    encrypted: bool = False
    idle: int = 0
    """Seconds that a TCP or TLS connection may be idle; 0 if the keepalive option is not answered."""


class EdnsResult(NamedTuple):
    """What the options of one query ask for."""

    network: NetworkIndex
    """Index of the network that the query is answered for."""
    proven: bool = False
    """True for a query with a good server cookie: the client's address is not forged."""
    reply: bytes = b""
    """Options of the reply, without padding."""
    padded: bool = False
    marks: bytes = b""
    """Marks of this server's own queries, which show a forwarding loop (`loops`)."""


class BadSubnet(Exception):  # noqa: N818 - the option, not the code, is wrong
    """A client-subnet option that RFC 7871 §6 does not allow."""


class OptionReader:
    """Reads the options of queries. `identity` answers NSID; without `cookies`, cookies are not answered."""

    def __init__(self, clients: Clients, identity: str, cookies: Cookies | None) -> None:
        self._clients = clients
        self._nsid = render.option(codes.OPTION_NSID, identity.encode())
        self._cookies = cookies

    def read(self, options: query.Options, client: Client, transport: ClientTransport, now: WallTime) -> EdnsResult:
        """Return what the options ask for. `now`: seconds since the epoch. Raises `BadSubnet`."""
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
            elif code == codes.OPTION_KEEPALIVE and transport.idle:
                reply += render.option(code, min(transport.idle * 10, 0xFFFF).to_bytes(2, "big"))
            elif code == codes.OPTION_PADDING:
                padded = transport.encrypted
            elif code == codes.OPTION_LOOP:
                marks = data
        return EdnsResult(network, proven, reply, padded, marks)

    def _subnet(self, data: bytes, client: Client) -> tuple[NetworkIndex, bytes]:
        """Return the network for a client-subnet option, and the option of the reply with the scope of the answer."""
        family, length = int.from_bytes(data[:2], "big"), data[2] if len(data) > 3 else 0
        octets = data[4:]
        size = _FAMILIES.get(family)
        if len(data) < 4 or data[3] or len(octets) != (length + 7) // 8 or (size is None and (family or length)):
            raise BadSubnet
        if size is None:  # family 0: some clients say "no subnet" so
            return client.network, data
        if length > size * 8 or (length % 8 and octets[-1] & 0xFF >> length % 8):
            raise BadSubnet
        network, scope = self._clients.subnet(client, octets.ljust(size, b"\x00"), length)
        return network, data[:3] + bytes((scope,)) + octets


def with_options(reply: bytes, opt: int, edns: EdnsResult) -> bytes:
    """Return a whole reply with its options added to the OPT record at the offset `opt`, the last record."""
    options = edns.reply
    if edns.padded:
        size = len(reply) + len(options) + 4
        fill = min(-size % _BLOCK, codes.MAX_MESSAGE - size)
        if fill >= 0:
            options += render.option(codes.OPTION_PADDING, bytes(fill))
    return render.extended(reply, opt, options) if options else reply
