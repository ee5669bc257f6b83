"""Queries that operators watch (`pldns tail`): kept while control asks for them, and handed over when it does.

At most `MOST` queries are kept between two requests of control; further ones are counted. Does not know who watches.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from resolver.channel.query_records import QueryBatch
from resolver.channel.watched_queries import LONGEST_REPLY, QueryFilter, WatchedQuery, wanted
from resolver.worker.access.clients import unmapped
from zones.clocks import SteadyTime
from zones.dns.name import Name

MOST: Final = 1_000
"""Queries that are kept until control asks for them."""
PATIENCE: Final = 5.0
"""Seconds without a request of control after which no query is kept any more."""
_FIRST: Final = 12  # octets of the header
_AA: Final = 0x04  # in the first octet of the flags
_FIXED: Final = struct.Struct("!HH")


class TailedQueries:
    """The queries that filters match."""

    def __init__(self, steady: Callable[[], SteadyTime]) -> None:
        self._steady = steady
        self._filters: tuple[QueryFilter, ...] = ()
        self._until = SteadyTime(0.0)
        self._kept: list[WatchedQuery] = []
        self._dropped = 0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody watches."""
        return bool(self._filters)

    def take(self, filters: Sequence[QueryFilter]) -> tuple[int, list[WatchedQuery]]:
        """Keep queries that one of `filters` matches. Return how many were dropped, and those since the last call."""
        self._filters = tuple(filters)
        self._until = SteadyTime(self._steady() + PATIENCE)
        found, self._kept = self._kept, []
        dropped, self._dropped = self._dropped, 0
        return dropped, found

    def add(self, batch: QueryBatch) -> None:
        """Keep those of these queries that are wanted."""
        if not self._filters:
            return
        if self._steady() >= self._until:
            self._filters = ()
            return
        for query in _queries(batch):
            if wanted(self._filters, query):
                if len(self._kept) >= MOST:
                    self._dropped += 1
                else:
                    self._kept.append(query)


def _queries(batch: QueryBatch) -> Iterator[WatchedQuery]:
    for answered in batch.answered:
        for record in answered.records:
            packet, address, _, _, reply = record
            name, qtype = _question(packet)
            yield WatchedQuery(
                answered.at, answered.proto, unmapped(address), batch.network(record), name, qtype, reply[1] & 15,
                len(reply) + 2, answered.seconds, bool(reply[0] & _AA), reply if len(reply) <= LONGEST_REPLY else b"",
            )  # fmt: skip


def _question(packet: bytes) -> tuple[Name, int]:
    """Return the name, in lower case, and the type of a question; the root and type 0 for a packet without one."""
    end = _FIRST
    while end < len(packet) and 0 < packet[end] < 64:
        end += 1 + packet[end]
    if len(packet) < end + 5 or end - _FIRST > 254 or packet[end]:
        return Name(b"\0"), 0
    return Name(packet[_FIRST : end + 1].lower()), _FIXED.unpack_from(packet, end + 1)[0]
