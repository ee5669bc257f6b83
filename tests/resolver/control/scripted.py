"""A remote source whose data a test sets: the second implementation of `RemoteSource`."""

import asyncio
from collections.abc import Iterable, Mapping

from resolver.sources.reading import PrivateReading, PrivateSource, Reading, Requests
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import NicRow, PrivateEndpoint, Resources, subscription

INTERVAL = 0.02
"""Seconds."""


def key_of(name: str, subscription: str = "s1", kind: str = "privateendpoints") -> str:
    return f"/subscriptions/{subscription}/resourcegroups/rg/providers/microsoft.network/{kind}/{name}"


def endpoint(name: str, address: str, fqdn: str = "", state: str = "Approved", sub: str = "s1") -> PrivateEndpoint:
    row = NicRow((fqdn or f"{name}.blob.core.windows.net",), (address,))
    key = key_of(name, sub)
    return PrivateEndpoint(
        ResourceId(key), key.upper(), name, "weu", sub, target=name, groups=("blob",), state_text=state, records=(row,)
    )


def vnet(name: str, sub: str = "s1") -> VirtualNetwork:
    key = key_of(name, sub, "virtualnetworks")
    return VirtualNetwork(ResourceId(key), key.upper(), "weu")


def part(*endpoints: PrivateEndpoint, vnets: Iterable[VirtualNetwork] = ()) -> Resources:
    return Resources(endpoints, vnets=tuple(vnets))


def many(count: int, sub: str = "s1") -> list[PrivateEndpoint]:
    """Return endpoints `e000`, `e001` and so on, with addresses from 10.0.1.0 on."""
    return [endpoint(f"e{i:03}", f"10.0.{1 + i // 250}.{i % 250}", sub=sub) for i in range(count)]


class Scripted:
    """A remote source. Its fields hold its data, and what was asked of it."""

    def __init__(self, *endpoints: PrivateEndpoint, interval: float = INTERVAL) -> None:
        self.parts = {"s1": part(*endpoints)}
        self.refused: dict[str, str] = {}
        self.error = ""
        self.breaks: Exception | None = None
        self.every = interval
        self.singles: dict[str, Resources | Exception | None] = {}
        """The results of `read_one` by key; other resources do not exist."""
        self.open = asyncio.Event()
        """Clear it to make readers wait."""
        self.open.set()
        self.private: PrivateSource | None = None
        self.reads = 0
        self.scope: tuple[str, ...] = ()
        """The subscriptions of the last reading; empty before the first."""
        self.asked: list[str] = []

    async def read(self) -> Reading:
        self.reads += 1
        await self.open.wait()
        if self.breaks:
            raise self.breaks
        if self.error:
            return Reading(error=self.error)
        self.scope = tuple(self.parts)
        return Reading(dict(self.parts), dict(self.refused))

    def covers(self, key: str) -> bool | None:
        return subscription(ResourceId(key)) in self.scope if self.scope else None

    async def read_one(self, key: str) -> Resources | None:
        self.asked.append(key)
        found = self.singles.get(key)
        if isinstance(found, Exception):
            raise found
        return found

    def interval(self) -> float:
        return self.every

    def requests(self) -> Requests:
        return Requests({("graph", "200"): self.reads}, 7)


class ScriptedZones:
    """Private DNS zones. Each reading returns `reading`."""

    def __init__(self, reading: PrivateReading) -> None:
        self.reading = reading
        self.breaks: Exception | None = None
        self.had: list[dict[ResourceId, PrivateZone]] = []
        """The earlier zones that each reading was given."""

    async def read(self, had: Mapping[ResourceId, PrivateZone]) -> PrivateReading:
        self.had.append(dict(had))
        await asyncio.sleep(0)
        if self.breaks:
            raise self.breaks
        return self.reading

    def interval(self) -> float:
        return INTERVAL
