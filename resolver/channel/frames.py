"""The frames between control and its workers, and their framing; no sockets here.

A frame is a tagged msgspec struct in MessagePack after its length in 4 octets, big-endian. A worker reads packets from
anyone and is not trusted: nothing here can run code when decoded, and no frame makes the receiver allocate more than
its limit allows.
"""

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from zones.dns.record import RRset

UP_LIMIT: Final = 1 << 20
"""Octets of a frame from a worker, without its length."""
DOWN_LIMIT: Final = 4 << 20
"""Octets of a frame to a worker, without its length."""


class ChannelError(Exception):
    """A frame is too long or is not one of ours. What follows it cannot be read: close the connection."""


class _Frame(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=str.lower):
    """What all frames share."""


class Begin(_Frame, frozen=True):
    """Opens a snapshot: what is not in it is gone at `Commit`. `generation` stamps what came with it.

    `epoch` names the life of control whose serials count from here. `partial`: some source has given nothing yet. What
    comes until the next snapshot goes beside what the worker has; nothing is gone because it is not in it.
    """

    epoch: str
    generation: int
    partial: bool = False


class Masks(_Frame, frozen=True):
    """Visibility classes: (number, little-endian bit mask). `networks`: identities of those of the next bits.

    A connection begins with no bit known. A worker has bits of its own, by identity, and keeps them.
    """

    masks: list[tuple[int, bytes]]
    networks: list[str] = []


class Clientele(_Frame, frozen=True):
    """Networks, as (identity, name, prefixes of their clients), in place of all that there were. `more`: others follow.

    Stands where all rows have come that tell what they see.
    """

    networks: list[tuple[str, str, tuple[str, ...]]]
    more: bool = False


class Rows(_Frame, frozen=True):
    """Whole states of names: (name, packed row). An empty row: the name is gone."""

    rows: Sequence[tuple[bytes, bytes]]


class Static(_Frame, frozen=True):
    """Names of the zone file at `origin`, or of what a private DNS zone lends. An empty tuple: the name is gone."""

    origin: bytes
    names: Sequence[tuple[bytes, tuple[RRset, ...]]]
    is_open: bool
    """What the zone lacks is judged as in a zone of endpoints."""


class Commit(_Frame, frozen=True):
    """Ends a snapshot or a batch of changes. `unsynced`: some source has never had data.

    `awaited`: origins of zone files that cannot be read, and never could be: what the worker has of them stays.
    `stale`: some source could not be read for a while, and private answers say so.
    """

    serial: int
    unsynced: bool
    awaited: tuple[bytes, ...] = ()
    stale: bool = False


class Ask(_Frame, frozen=True):
    """A request to the worker, answered by a `Reply` of the same `id`."""

    id: int
    what: str
    arguments: dict[str, Any]


class Hello(_Frame, frozen=True):
    """A worker's first frame: who it is, and the last state that it has applied (`epoch` empty: none).

    `generation` is that of its last snapshot, 0 before the first.
    """

    worker: int
    pid: int
    instance: str
    epoch: str
    serial: int
    generation: int


class Applied(_Frame, frozen=True):
    """The worker answers from this serial now."""

    serial: int


class Counters(_Frame, frozen=True):
    """Counts since `instance` started: (metric name, label values, count)."""

    instance: str
    values: list[tuple[str, tuple[str, ...], int]]


FALLBACK_CLIENTS: Final = 8
"""Client addresses that one `Fallback` lists at most."""


class Fallback(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Questions inside a private zone that went to an upstream; `first` and `last` in seconds since the epoch.

    `clients`: some of the addresses that they came from, packed.
    """

    zone: bytes
    name: bytes
    network: str
    count: int
    first: float
    last: float
    clients: tuple[bytes, ...] = ()


class Loop(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A question that came back from the group that it was asked of; `last` in seconds since the epoch."""

    group: str
    name: bytes
    client: bytes
    """Who brought it last, packed."""
    count: int
    last: float


class Loops(_Frame, frozen=True):
    """Forwarding loops since the frame before, bounded by the worker."""

    items: list[Loop]


class Fallbacks(_Frame, frozen=True):
    """What fell back since the frame before, bounded by the worker."""

    items: list[Fallback]


class Reply(_Frame, frozen=True):
    """The answer to an `Ask`."""

    id: int
    body: Any


Down = Begin | Masks | Clientele | Rows | Static | Commit | Ask
Up = Hello | Applied | Counters | Fallbacks | Loops | Reply

T = TypeVar("T")


class Frames(Generic[T]):
    """A stream turned into frames: `Frames[Up](UP_LIMIT, Up)`, or with `DOWN_LIMIT` and `Down` in a worker."""

    def __init__(self, limit: int, kind: Any) -> None:  # noqa: ANN401 - a union of types has no type of its own
        self._limit = limit
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._pending = bytearray()

    def feed(self, data: bytes | bytearray | memoryview) -> list[T]:
        """Add what came in and return the frames that are now whole, in order.

        Raises `ChannelError` as soon as a length exceeds the limit, before its octets are kept, or when a frame does
        not decode.
        """
        self._pending += data
        frames: list[T] = []
        start, end = 0, len(self._pending)
        with memoryview(self._pending) as view:
            while end - start >= 4:
                size = int.from_bytes(view[start : start + 4], "big")
                if size > self._limit:
                    raise ChannelError(f"a frame of {size} octets; at most {self._limit}")
                if end - start - 4 < size:
                    break
                frames.append(self._decode(view[start + 4 : start + 4 + size]))
                start += 4 + size
        del self._pending[:start]
        return frames

    def _decode(self, body: memoryview) -> T:
        # Bad UTF-8, deep nesting and unhashable keys do not come as msgspec's own error.
        with body:
            try:
                return self._decoder.decode(body)
            except (ValueError, TypeError, RecursionError) as error:
                raise ChannelError(f"not a frame: {error}") from None


_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(frame: Down | Up) -> bytearray:
    """The frame with its length before it. Raises `ChannelError` where the receiver would refuse it as too long."""
    out = bytearray(4)
    _ENCODER.encode_into(frame, out, 4)
    limit = UP_LIMIT if isinstance(frame, Up) else DOWN_LIMIT
    if len(out) - 4 > limit:
        raise ChannelError(f"a frame of {len(out) - 4} octets; at most {limit}")
    out[:4] = (len(out) - 4).to_bytes(4, "big")
    return out
