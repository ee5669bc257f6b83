"""What a worker notes of the queries that it answers: for the query log, and for operators who watch queries. Pure.

A record has the octets of a query and of its reply. Whoever shows a query reads them, so that the packet path need not.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from zones.clocks import WallTime

QueryRecord = tuple[bytes, bytes, int, int, bytes]
"""The packet; the client's address, packed, perhaps an IPv4-mapped one; its port, in network byte order and read as a
native integer; the index of the client's network; the reply after the message id.
"""
Network = int


class AnsweredQueries(msgspec.Struct, gc=False, array_like=True):
    """Queries that were read together and answered together."""

    at: WallTime
    """When they were read."""
    seconds: float
    """From then until the replies were sent."""
    proto: str
    networks: dict[Network, str]
    """Names of the networks in `records`. Indexes of networks mean nothing outside the worker."""
    records: Sequence[QueryRecord]


encode: Final = msgspec.msgpack.Encoder().encode
"""Encodes a list of `AnsweredQueries`."""
decode: Final = msgspec.msgpack.Decoder(list[AnsweredQueries]).decode
"""Returns the list again. Raises `msgspec.MsgspecError` for octets that no worker has made."""
