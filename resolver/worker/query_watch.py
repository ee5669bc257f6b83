"""Queries that an operator watches (`pldns tail`): noted while control asks for them, and handed over when it does.

Nothing is noted at other times, and the packet path does no more then than compare one reference with None. At most
`MOST` queries are kept between two requests of control; further ones are counted. Does not know who watches.
"""

import struct
from collections.abc import Sequence
from typing import Final

from resolver.channel.watched_queries import QueryFilter, WatchedQuery, wanted
from resolver.worker.access.clients import Client
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.responder import Responder
from zones.clocks import SteadyTime
from zones.dns.name import Name
from zones.networks.network import Networks
from zones.networks.prefixes import NONE, NetworkIndex

MOST: Final = 1_000
"""Queries that are kept until control asks for them."""
PATIENCE: Final = 5.0
"""Seconds without a request of control after which nothing is noted any more."""
_FIRST: Final = 12  # octets of the header
_FIXED: Final = struct.Struct("!HH")


class QueryWatch:
    """Notes the queries that filters match."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._filters: tuple[QueryFilter, ...] = ()
        self._responder: Responder | None = None
        self._networks: Networks | None = None
        self._until = SteadyTime(0.0)
        self._noted: list[WatchedQuery] = []
        self._dropped = 0

    def take(
        self, filters: Sequence[QueryFilter], responder: Responder, networks: Networks
    ) -> tuple[int, list[WatchedQuery]]:
        """Watch what `responder` answers. Return how many queries were dropped, and those noted since the last call."""
        self._end()
        if filters:
            self._filters, self._responder, self._networks = tuple(filters), responder, networks
            self._until = SteadyTime(self._clock.steady() + PATIENCE)
            responder.watch = self
        found, self._noted = self._noted, []
        dropped, self._dropped = self._dropped, 0
        return dropped, found

    def repeated(self, packet: bytes, address: bytes, network: NetworkIndex, reply: bytes) -> None:
        """Note a packet over UDP that was answered without being parsed. `reply`: after the message id."""
        self._note("udp", packet, address, network, reply[1] & 15, len(reply) + 2, None)

    def sending(self, packet: bytes, client: Client, transport: ClientTransport, send: SendReply) -> SendReply:
        """Return a function that sends the reply, and notes the query."""
        began = self._clock.steady()

        def sent(reply: bytes, answer: Compiled | None) -> None:
            send(reply, answer)
            seconds = self._clock.steady() - began
            self._note(transport.name, packet, client.address, client.network, reply[3] & 15, len(reply), seconds)

        return sent

    def _end(self) -> None:
        """Note nothing from now on. A responder that is kept here would keep its table, also after a reload."""
        if self._responder is not None:
            self._responder.watch = None
        self._filters, self._responder, self._networks = (), None, None

    def _note(
        self, proto: str, packet: bytes, client: bytes, network: NetworkIndex, rcode: int, octets: int,
        seconds: float | None,
    ) -> None:  # fmt: skip
        if self._clock.steady() >= self._until:
            self._end()
            return
        name, qtype = _question(packet)
        label = self._networks.label(network) if self._networks is not None and network >= NONE else ""
        query = WatchedQuery(self._clock.wall(), proto, client, label, name, qtype, rcode, octets, seconds)
        if not wanted(self._filters, query):
            return
        if len(self._noted) >= MOST:
            self._dropped += 1
        else:
            self._noted.append(query)


def _question(packet: bytes) -> tuple[Name, int]:
    """Return the name, in lower case, and the type of a question; the root and type 0 for a packet without one."""
    end = _FIRST
    while end < len(packet) and 0 < packet[end] < 64:
        end += 1 + packet[end]
    if len(packet) < end + 5 or end - _FIRST > 254 or packet[end]:
        return Name(b"\0"), 0
    return Name(packet[_FIRST : end + 1].lower()), _FIXED.unpack_from(packet, end + 1)[0]
