"""What a worker notes of the queries that it answers: for the query log, and for operators who watch queries. Pure.

A record has the octets of a query and of its reply. Whoever shows a query reads them, so that the packet path need not.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from resolver.settings import Transport
from zones.clocks import WallTime

QueryRecord = tuple[
    Annotated[bytes, msgspec.Meta(min_length=12)],
    Annotated[bytes, msgspec.Meta(min_length=4, max_length=16)],
    Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)],
    int | Annotated[str, msgspec.Meta(max_length=1_024)],
    Annotated[bytes, msgspec.Meta(min_length=10)],
]
"""The packet; the client's address, packed, perhaps an IPv4-mapped one; its port, in network byte order and read as a
native integer; the client's network, as its name or as an index in `QueryBatch.networks`; the reply after the message
id.
"""


class AnsweredQueries(msgspec.Struct, gc=False, array_like=True):
    """Queries that were read together and answered together."""

    at: Annotated[WallTime, msgspec.Meta(ge=0, le=1e10)]
    """When they were read."""
    seconds: Annotated[float, msgspec.Meta(ge=0, le=1e6)]
    """From then until the replies were sent."""
    proto: Transport
    records: Sequence[QueryRecord]


class QueryBatch(msgspec.Struct, gc=False, array_like=True):
    """Queries that a worker has answered within a short time."""

    networks: dict[int, str]
    """Names of the networks in records. Outside the worker, indexes of networks mean nothing else."""
    answered: Sequence[AnsweredQueries]

    def network(self, record: QueryRecord) -> str:
        """Return the name of the client's network; `none`: in no network; empty: it may not ask."""
        network = record[3]
        return network if isinstance(network, str) else self.networks.get(network, "")

    @property
    def size(self) -> int:
        """Number of the queries."""
        return sum(len(each.records) for each in self.answered)


encode: Final = msgspec.msgpack.Encoder().encode
"""Encodes a `QueryBatch`."""
decode: Final = msgspec.msgpack.Decoder(QueryBatch).decode
"""Returns the batch again. Raises `msgspec.MsgspecError` for octets that no worker has made."""
