"""An estate with its feed, and a worker with its replica, connected in memory by encoded frames."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.channel.frames import DOWN_LIMIT, Down, FrameReader, Hello, RequestFrame
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.worker_link import WorkerLink
from resolver.sources.reading import PrivateReading, ZoneFiles
from resolver.worker.access.clients import Clients
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.replica import Replica
from tests.resolver.control.running import DIGESTS, WORKER
from zones.azure import arm
from zones.azure.catalogue import catalogue
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.claims.policy import DEFAULTS, Policies
from zones.clocks import WallTime
from zones.dns import zonefile
from zones.dns.name import from_text
from zones.networks.network import Network, Networks
from zones.table.table import Table

NETWORKS = (Network("weu", ("10.1.0.0/16",)), Network("neu", ("10.2.0.0/16",)))
CONFIG = settings.ControlSettings(
    networks=NETWORKS,
    zones=settings.Zones(origins=("corp.example",)),
    sources=(
        settings.SourceSettings("estate", "files", "/estate"),
        settings.SourceSettings("cloud", "azure", on_unsynced="public", azure=AzureSettings(private_dns="serve")),
    ),
)
ZONE = """\
$ORIGIN corp.example.
@ 60 SOA ns admin 1 2 3 4 5
www 60 A 192.0.2.1
old 60 A 192.0.2.2
"""
TURNS = 5


def resources(*endpoints: tuple[str, str, str, str]) -> Resources:
    """Return endpoints, given as (name, FQDN, address, network or empty)."""
    body = [
        {"name": name, "target": name, "group": "blob", "records": [{"fqdn": fqdn, "ips": [address]}]}
        | ({"network": network} if network else {})
        for name, fqdn, address, network in endpoints
    ]
    return arm.read(msgspec.json.encode({"endpoints": body}), "test", form="json")


class EstateFeed:
    """An estate and its feed, changed as control changes them. `synced`: every source has data."""

    def __init__(
        self,
        parts: dict[str, Resources],
        *,
        synced: bool = True,
        zone: str = ZONE,
        config: settings.ControlSettings = CONFIG,
    ) -> None:
        self.estate = Estate(config)
        self.feed = Feed(self.estate, uuid.uuid4().hex)
        if zone:
            parsed = zonefile.parse(zone, "corp.zone")
            self.estate.take_zone_files(ZoneFiles({parsed.origin: parsed}), WallTime(0.0))
        self.take(parts)
        if synced:
            self.sync()

    def take(self, parts: Mapping[str, Resources | None]) -> None:
        changed = self.estate.take([("estate", part, given) for part, given in parts.items()], WallTime(0.0))
        self.feed.changed(changed)

    def read_zones(self, *zones: PrivateZone) -> None:
        """Replace the private DNS zones of the source `cloud`."""
        gone = frozenset(self.estate.private.of("cloud"))
        reading = PrivateReading({zone.key: zone for zone in zones}, gone)
        self.feed.changed(self.estate.take_private_dns("cloud", reading, WallTime(0.0)))

    def fail(self) -> None:
        """Let the source `cloud` fail, and the source `estate` be read."""
        self.estate.health.read("estate", 1, WallTime(0.0))
        self.estate.health.failed("cloud", "refused", WallTime(0.0))
        self.feed.changed()

    def sync(self) -> None:
        for name in self.estate.sources:
            self.estate.health.read(name, 1, WallTime(0.0))
        self.feed.changed()


class MemoryStream:
    """A stream in memory. `drain` waits until the other side has read everything."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self._read = asyncio.Event()

    def write(self, data: bytes | bytearray) -> None:
        self.pending += data

    async def drain(self) -> None:
        self._read.clear()
        while self.pending:
            await self._read.wait()
            self._read.clear()

    def read(self) -> bytes:
        octets = bytes(self.pending)
        self.pending.clear()
        self._read.set()
        return octets


class ReplicaWorker:
    """A worker's replica with its connection to a feed. `auto`: virtual networks make networks."""

    def __init__(self, *, auto: bool = False) -> None:
        self.table = Table(catalogue(), Policies(DEFAULTS, {}))
        self.table.unsynced = True
        self.table.awaited = frozenset({from_text("corp.example")})
        self.answers = AnswerCache(len(NETWORKS))
        self.clients = Clients(Networks(NETWORKS, auto=auto), settings.WorkerSettings((), ("0.0.0.0/0",)))
        self.replica = Replica(self.table, self.answers, self.clients)
        self.got: list[Down] = []
        """Frames since the last connection began."""
        self.link: WorkerLink | None = None
        self._sending: asyncio.Task[None] | None = None

    def connect(self, control: EstateFeed) -> None:
        self.got.clear()
        self._wire = MemoryStream()
        self._frames = FrameReader[Down](DOWN_LIMIT, Down)
        replica = self.replica
        hello = Hello(0, 1, "worker", replica.epoch, replica.serial, replica.generation, *DIGESTS)
        self.link = WorkerLink(control.feed, 0, hello, self._wire, WORKER)
        self._sending = asyncio.create_task(self.link.run())

    async def cut(self) -> None:
        """Break the connection. Frames that the worker has not read are lost."""
        if self._sending:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending
            self._sending = self.link = None
        self.replica.disconnected()

    async def step(self) -> bool:
        """Apply the frames that were written since the last step. False: there were none."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert self._sending
        if self._sending.done():
            self._sending.result()
        octets = self._wire.read()
        for frame in self._frames.feed(octets):
            self.got.append(frame)
            if not isinstance(frame, RequestFrame):
                for _ in self.replica.apply(frame):
                    pass
        return bool(octets)

    async def drain(self) -> None:
        while await self.step():
            pass

    async def until(self, kind: type[Down]) -> None:
        """Step until a frame of this kind has arrived."""
        while not any(isinstance(frame, kind) for frame in self.got):
            assert await self.step(), f"no {kind.__name__} comes"
