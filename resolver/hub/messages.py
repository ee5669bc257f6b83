"""The stream from a hub to its spokes: messages, and the frames that they are sent in.

A frame is 4 octets with the length of the rest, big-endian, and a message as MessagePack, compressed with zlib. The
stream is `Welcome`, then `Change` and `SourceStates` in any number. Where the welcome announces a whole copy, the first
change is the copy: it replaces everything. A change may take several messages; all but the last have `more`.

Pure. Does not know HTTP, or what a change means for an estate.
"""

import zlib
from typing import Final, Literal

import msgspec

from zones.azure.endpoint import Fault, ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources

FORMAT: Final = 1
"""The version of this format. A hub refuses a spoke that asks for another one."""
PATH: Final = "/v1/hub/changes"
MEDIA: Final = "application/vnd.pldns.hub"
HEARTBEAT: Final = 10.0
"""Seconds between two `SourceStates`, at most."""
FRAME: Final = 16 << 20
"""The most octets of a frame after its length."""
MESSAGE: Final = 64 << 20
"""The most octets of a message that is not compressed."""
_FAST: Final = 1  # level of zlib: the others save a tenth and take three times as long


class Removed(msgspec.Struct, frozen=True, array_like=True):
    """The keys of resources that a part has no more, by kind. A zone group has the key of its endpoint."""

    endpoints: tuple[ResourceId, ...] = ()
    nics: tuple[ResourceId, ...] = ()
    vnets: tuple[ResourceId, ...] = ()
    zone_groups: tuple[ResourceId, ...] = ()


class PartDelta(msgspec.Struct, frozen=True, array_like=True):
    """What differs in one part of a source of the hub. A part that the spoke does not have begins empty."""

    source: str
    part: str
    gone: bool = False
    """The part does not exist any more. Nothing else is set."""
    changed: Resources = Resources()
    """Resources that are new or different, without faults."""
    removed: Removed = Removed()
    faults: tuple[Fault, ...] | None = None
    """All faults of the part. None: they are the same as before."""


class ZoneDelta(msgspec.Struct, frozen=True, array_like=True):
    """Private DNS zones that are new or different, and the keys of those that are gone."""

    changed: tuple[PrivateZone, ...] = ()
    gone: tuple[ResourceId, ...] = ()


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The first message. `epoch`: the history of the hub that serials belong to."""

    format: int
    version: str
    """Of pldns."""
    epoch: str
    whole: bool
    """The first change is a whole copy. Otherwise the changes after the serial follow that the spoke asked for."""


class Change(msgspec.Struct, frozen=True, tag="change", omit_defaults=True):
    """A change, or a piece of one. `serial`: that of the history after the change."""

    serial: int
    parts: tuple[PartDelta, ...] = ()
    zones: ZoneDelta = ZoneDelta()
    more: bool = False
    """Another piece of the same change follows. All pieces count at the same time."""


class SourceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of one source of the hub."""

    name: str
    synced: bool
    """The source has data."""
    age: float | None = None
    """Seconds since the source was last read whole."""
    freshness: Literal["fresh", "stale", "expired"] | None = None
    error: str = ""
    """Why the last reading failed."""
    unreadable: dict[str, str] = {}
    """The reason by part, for parts that cannot be read now."""


class SourceStates(msgspec.Struct, frozen=True, tag="sources"):
    """The states of all sources whose parts the hub sends. Also the sign of life of the hub."""

    sources: tuple[SourceState, ...] = ()


Message = Welcome | Change | SourceStates

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class BadFrame(ValueError):  # noqa: N818 - what arrived
    """The octets are no stream of a hub. The message is one line for people."""


def frame(message: Message) -> bytes:
    """Return a message as a frame."""
    body = zlib.compress(_ENCODER.encode(message), _FAST)
    return len(body).to_bytes(4, "big") + body


class MessageReader:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def is_between(self) -> bool:
        """True where the octets so far end with a whole frame."""
        return not self._pending

    def feed(self, data: bytes) -> list[Message]:
        """Add octets that arrived, and return the messages that are complete now.

        Raises `BadFrame` for what is no message, and for a length over the limit as soon as the length has arrived.
        """
        self._pending += data
        found: list[Message] = []
        start = 0
        while len(self._pending) - start >= 4:
            size = int.from_bytes(self._pending[start : start + 4], "big")
            if size > FRAME:
                raise BadFrame(f"a frame of {size} octets; at most {FRAME}")
            if len(self._pending) - start - 4 < size:
                break
            found.append(_message(bytes(self._pending[start + 4 : start + 4 + size])))
            start += 4 + size
        del self._pending[:start]
        return found


def _message(body: bytes) -> Message:
    inflating = zlib.decompressobj()
    try:
        octets = inflating.decompress(body, MESSAGE)
    except zlib.error as error:
        raise BadFrame(f"a frame that cannot be decompressed: {error}") from None
    if not inflating.eof:
        raise BadFrame(f"a message that is cut off, or has more than {MESSAGE} octets")
    # msgspec raises errors other than its own for bad UTF-8, deep nesting and unhashable keys.
    try:
        return _DECODER.decode(octets)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadFrame(f"not a message: {error}") from None
