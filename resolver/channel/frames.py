"""The frames that control and its workers exchange, and their encoding. Does no input or output.

A frame is a tagged msgspec struct in MessagePack, preceded by its length in 4 octets, big-endian. A worker reads
packets from anyone, so control does not trust it: decoding a frame runs no code, no frame makes the receiver allocate
more than its limit, and each value in a frame of a worker has a limit that decoding checks.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from resolver.channel import requests
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import WorkerSettings
from zones.claims.row import ClassNumber
from zones.clocks import WallTime
from zones.dns.record import RRset

UP_LIMIT: Final = 1 << 20
"""Octets of a frame from a worker, without its length."""
DOWN_LIMIT: Final = 4 << 20
"""Octets of a frame to a worker, without its length."""
FALLBACK_CLIENTS: Final = 8
"""Client addresses in one `Fallback`, at most."""
ITEMS: Final = 1_000
"""Items of one report, at most. A worker divides a longer report."""

Short = Annotated[str, msgspec.Meta(max_length=128)]
"""A word that pldns makes: the name of a metric, the id of a process."""
Label = Annotated[str, msgspec.Meta(max_length=1_024)]
"""A value from the configuration or the estate: a zone, a network, a group. A zone as text has 1,004 characters."""
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
Digest = Annotated[bytes, msgspec.Meta(max_length=64)]
WireName = Annotated[bytes, msgspec.Meta(max_length=255)]
Address = Annotated[bytes, msgspec.Meta(max_length=16)]
Items: Final = msgspec.Meta(max_length=ITEMS)


class ChannelError(Exception):
    """A frame is too long or cannot be decoded. The rest of the stream cannot be read: close the connection."""


class _Frame(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=str.lower):
    """What all frames share."""


# -- from control to a worker


class Begin(_Frame, frozen=True):
    """Opens a snapshot. Rows and records that the snapshot does not contain are removed at `Commit`.

    `epoch` identifies the run of control that counts the serials. `generation` marks the rows of this snapshot.
    `partial`: some source has not been read yet. Until the next snapshot, frames add to what the worker has, and
    nothing is removed because it is missing.
    """

    epoch: str
    generation: int
    partial: bool = False


class Masks(_Frame, frozen=True):
    """Visibility classes, as (number, bit mask in little-endian octets).

    `networks` holds the identities of the networks of the next bits. Each connection starts with no bit assigned. A
    worker translates the bits to its own, which it keeps by identity.
    """

    masks: list[tuple[ClassNumber, bytes]]
    networks: list[str] = []


class Clientele(_Frame, frozen=True):
    """All networks, as (identity, name, prefixes of their clients). `more`: the list continues in the next frame.

    Control sends the networks after the rows that their clients see.
    """

    networks: list[tuple[str, str, tuple[str, ...]]]
    more: bool = False


class Rows(_Frame, frozen=True):
    """The whole state of some names, as (name, packed row). An empty row removes the name."""

    rows: Sequence[tuple[bytes, bytes]]


class Static(_Frame, frozen=True):
    """Names of the zone file at `origin`, or provided by the private DNS zone there. An empty tuple removes a name."""

    origin: bytes
    names: Sequence[tuple[bytes, tuple[RRset, ...]]]
    is_open: bool
    """Whether names that the zone lacks follow the policy for zones of endpoints instead of being denied."""


class Commit(_Frame, frozen=True):
    """Ends a snapshot or a batch of changes. `unsynced`: some source has never provided data.

    `awaited`: origins of zone files that have never been readable; the worker keeps its records for these zones.
    `stale`: some source has been unreadable for a while, and private answers are marked as stale.
    """

    serial: int
    unsynced: bool
    awaited: tuple[bytes, ...] = ()
    stale: bool = False


class Configure(_Frame, frozen=True):
    """The settings of workers in the configuration that is in effect now.

    A worker whose table means something else with them (`settings_change.table_digest`) builds a new table from the
    snapshot that follows, and answers from the old one until the `Commit`.
    """

    settings: WorkerSettings


class RequestFrame(_Frame, frozen=True):
    """A request to the worker. The worker sends a `ReplyFrame` with the same `id`."""

    id: int
    body: requests.Request


# -- from a worker to control


class Hello(_Frame, frozen=True):
    """The first frame of a worker: its identity, and the last state that it applied (`epoch` is empty for none).

    `generation` is that of its last snapshot, 0 before the first.
    """

    worker: int
    pid: int
    instance: Short
    epoch: Short
    serial: int
    generation: int
    settings: Digest = b""
    """`settings_change.digest` of the settings that the worker answers with."""
    table_settings: Digest = b""
    """`settings_change.table_digest` of these."""
    sandbox: SandboxLevel | None = None
    """How far the worker is confined, as it says itself."""


class Applied(_Frame, frozen=True):
    """The worker now answers from this serial, and with the settings that have this digest."""

    serial: int
    settings: Digest = b""


class CounterReport(_Frame, frozen=True):
    """Counts since `instance` started, as (metric name, label values, count)."""

    instance: Short
    values: Annotated[list[tuple[Short, Annotated[tuple[Label, ...], msgspec.Meta(max_length=5)], Count]], Items]


class GaugeReport(_Frame, frozen=True):
    """Present values, as (metric name, label values, value). `first`: they replace all values of earlier reports."""

    first: bool
    values: Annotated[list[tuple[Short, Annotated[tuple[Label, ...], msgspec.Meta(max_length=5)], float]], Items]


class FallbackReason(StrEnum):
    """Why a client got no private answer for a name that may be expected to have one."""

    MISS_POLICY = "miss-policy"
    """No endpoint has the name, and the miss policy of its private zone asks an upstream."""
    NO_NETWORK = "no-network"
    """An endpoint has the name, but no network holds the address of the client."""


class Fallback(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Queries for a name that may be expected to be private, and that no endpoint answered.

    `first` and `last` are seconds since the epoch. `clients` holds some of the clients' packed addresses.
    """

    zone: WireName
    """The private zone of the name; the name itself where an endpoint has it outside of all private zones."""
    name: WireName
    network: Label
    reason: FallbackReason
    count: Count
    first: WallTime
    last: WallTime
    clients: Annotated[tuple[Address, ...], msgspec.Meta(max_length=FALLBACK_CLIENTS)] = ()


class FallbackReport(_Frame, frozen=True):
    """Fallbacks since the previous report. The worker limits their number."""

    items: Annotated[list[Fallback], Items]


class Loop(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A forwarded query that came back from the upstream group. `last` is in seconds since the epoch."""

    group: Label
    name: WireName
    client: Address
    """Packed address of the last client that sent it."""
    count: Count
    last: WallTime


class LoopReport(_Frame, frozen=True):
    """Forwarding loops since the previous report. The worker limits their number."""

    items: Annotated[list[Loop], Items]


class MemoryReport(_Frame, frozen=True):
    """What the worker uses, in octets, and the bounds of its caches and of the buffers of connections.

    The caches and buffers are estimates.
    """

    total: Count
    """All memory of the process; 0 where that is not known."""
    replies: Count
    """Replies of upstream servers."""
    answers: Count
    """Compiled answers."""
    streams: Count
    """Connections of clients."""
    replies_bound: Count
    answers_bound: Count
    streams_bound: Count


class ReplyFrame(_Frame, frozen=True):
    """The reply to the `RequestFrame` with the same `id`."""

    id: int
    body: requests.Reply


Down = Configure | Begin | Masks | Clientele | Rows | Static | Commit | RequestFrame
Up = Hello | Applied | CounterReport | GaugeReport | FallbackReport | LoopReport | MemoryReport | ReplyFrame

T = TypeVar("T")


class FrameReader(Generic[T]):
    """Cuts a stream into frames: `FrameReader[Up](UP_LIMIT, Up)` in control, with `DOWN_LIMIT, Down` in a worker."""

    def __init__(self, limit: int, kind: Any) -> None:  # noqa: ANN401 - a union of types has no type of its own
        self._limit = limit
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._pending = bytearray()

    def feed(self, data: bytes | bytearray | memoryview) -> list[T]:
        """Add received octets and return the frames that are complete now, in order.

        Raises `ChannelError` for a frame that cannot be decoded, and for a length over the limit as soon as the length
        has arrived.
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
        # msgspec raises errors other than its own for bad UTF-8, deep nesting and unhashable keys.
        with body:
            try:
                return self._decoder.decode(body)
            except (ValueError, TypeError, RecursionError) as error:
                raise ChannelError(f"not a frame: {error}") from None


_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(frame: Down | Up) -> bytearray:
    """Return the frame, preceded by its length. Raises `ChannelError` if it is longer than the receiver accepts."""
    out = bytearray(4)
    _ENCODER.encode_into(frame, out, 4)
    limit = UP_LIMIT if isinstance(frame, Up) else DOWN_LIMIT
    if len(out) - 4 > limit:
        raise ChannelError(f"a frame of {len(out) - 4} octets; at most {limit}")
    out[:4] = (len(out) - 4).to_bytes(4, "big")
    return out
