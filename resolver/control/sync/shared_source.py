"""A remote source that one of several control planes, the leader, reads for all of them.

The leader reads the source and gives the others what it has read. Each control plane then decides by itself what this
changes: its guard and its events are its own. A control plane that needs a single resource reads it. Does not know how
readings get to the others.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from resolver.sources.reading import (
    PrivateReading,
    PrivateSource,
    ReadError,
    Reading,
    RemoteSource,
    Requests,
    SharedReadings,
)
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources

_REFUSED: Final = "refused"
"""The part with the subscriptions that the leader may not read. Others are ids of subscriptions."""
_REST: Final = "rest"
"""The part with what a reading of private DNS zones has besides zones."""
_NOT_YET: Final = "the control plane that reads this source for all has not read it yet"

_T = TypeVar("_T")


class SharedSource:
    """One remote source."""

    def __init__(self, name: str, remote: RemoteSource, shared: SharedReadings) -> None:
        self._name = name
        self._remote = remote
        self._shared = shared
        private = remote.private
        self.private = SharedPrivateSource(name, private, shared) if private else None

    async def read(self) -> Reading:
        """Read the whole source, or return what the leader has read."""
        if await self._shared.leads():
            reading = await self._remote.read()
            if not reading.error:
                parts = {part: _packed(data) for part, data in reading.parts.items()}
                await self._shared.keep(self._name, {**parts, _REFUSED: _packed(reading.refused)})
            return reading
        try:
            found = dict(await self._shared.readings(self._name))
        except ReadError as error:
            return Reading(error=str(error))
        if _REFUSED not in found:
            return Reading(error=_NOT_YET)
        refused = _unpacked(found.pop(_REFUSED), dict[str, str])
        return Reading({part: _unpacked(text, Resources) for part, text in found.items()}, refused)

    def covers(self, key: ResourceId) -> bool | None:
        """Return whether a resource is in scope, as the source does."""
        return self._remote.covers(key)

    async def read_one(self, key: ResourceId) -> Resources | None:
        """Read one resource of the source. Raises `ReadError`."""
        return await self._remote.read_one(key)

    def interval(self) -> float:
        """Return the seconds until the next sync, as the source does."""
        return self._remote.interval()

    def requests(self) -> Requests:
        """Return the numbers of requests of this control plane."""
        return self._remote.requests()


class SharedPrivateSource:
    """The private DNS zones of one remote source."""

    def __init__(self, name: str, private: PrivateSource, shared: SharedReadings) -> None:
        self._name = f"{name} private DNS"
        self._private = private
        self._shared = shared

    async def read(self, had: Mapping[ResourceId, PrivateZone]) -> PrivateReading:
        """Read all zones, or return what the leader has read."""
        if await self._shared.leads():
            reading = await self._private.read(had)
            if not reading.error:
                kept = {key: zone for key, zone in had.items() if key not in reading.gone} | reading.zones
                rest = PrivateReading({}, unreadable=reading.unreadable, faults=reading.faults)
                parts = {str(key): _packed(zone) for key, zone in kept.items()}
                await self._shared.keep(self._name, {**parts, _REST: _packed(rest)})
            return reading
        try:
            found = dict(await self._shared.readings(self._name))
        except ReadError as error:
            return PrivateReading({}, error=str(error))
        if _REST not in found:
            return PrivateReading({}, error=_NOT_YET)
        rest = _unpacked(found.pop(_REST), PrivateReading)
        zones = {ResourceId(key): _unpacked(text, PrivateZone) for key, text in found.items()}
        gone = frozenset(had.keys() - zones.keys())
        return PrivateReading(zones, gone, rest.unreadable, rest.faults)

    def interval(self) -> float:
        """Return the seconds until the next reading, as the source does."""
        return self._private.interval()


def _packed(value: Any) -> str:  # noqa: ANN401 - whatever msgspec encodes
    return b64encode(zlib.compress(msgspec.msgpack.encode(value), 1)).decode()


def _unpacked(text: str, kind: type[_T]) -> _T:
    return msgspec.msgpack.decode(zlib.decompress(b64decode(text)), type=kind)
