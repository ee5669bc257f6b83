"""Queries that somebody watches: which ones, and what a worker reports of each. Pure.

Names are in lower case, addresses packed.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from zones.clocks import WallTime
from zones.dns.name import Name, is_under

LONGEST_REPLY: Final = 512
"""Octets of the longest reply that a worker reports in full."""


class QueryFilter(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Which queries to watch: those that have all that is given here."""

    under: Name | None = None
    """The name, and all names below it."""
    client: tuple[bytes, int] | None = None
    """A prefix of addresses: the first address, and the number of bits."""
    rcode: int | None = None
    network: str | None = None
    seconds: float = 0.0
    """The least time from reading the packet to sending the reply."""

    def matches(self, name: Name, client: bytes, rcode: int, network: str, seconds: float) -> bool:
        """Return whether a query is to be watched."""
        return (
            seconds >= self.seconds
            and (self.rcode is None or rcode == self.rcode)
            and (self.network is None or network == self.network)
            and (self.client is None or _holds(*self.client, client))
            and (self.under is None or is_under(name, self.under))
        )


def _holds(prefix: bytes, bits: int, address: bytes) -> bool:
    if len(prefix) != len(address):
        return False
    rest = 8 * len(prefix) - bits
    return int.from_bytes(prefix, "big") >> rest == int.from_bytes(address, "big") >> rest


class WatchedQuery(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A query that was answered."""

    at: WallTime
    proto: Annotated[str, msgspec.Meta(max_length=8)]
    client: Annotated[bytes, msgspec.Meta(max_length=16)]
    network: Annotated[str, msgspec.Meta(max_length=1_024)]
    name: Annotated[bytes, msgspec.Meta(max_length=255)]
    qtype: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    rcode: Annotated[int, msgspec.Meta(ge=0, le=15)]
    octets: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    """Size of the reply."""
    seconds: float
    """From reading the packet to sending the reply."""
    aa: bool = False
    """The reply is authoritative: served data is its first record, or denies the name."""
    reply: Annotated[bytes, msgspec.Meta(max_length=LONGEST_REPLY)] = b""
    """The reply after the message id; empty where it is longer than `LONGEST_REPLY`."""


def wanted(filters: Sequence[QueryFilter], query: WatchedQuery) -> bool:
    """Return whether one of the filters matches."""
    name = Name(query.name)
    return any(each.matches(name, query.client, query.rcode, query.network, query.seconds) for each in filters)
