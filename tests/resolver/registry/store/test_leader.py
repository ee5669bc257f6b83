"""One of several control planes reads the remote sources, and the others follow what it has read."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import structs

from resolver.control.sync.shared_source import SharedSource
from resolver.registry.leader_readings import Sharing
from resolver.registry.registry import Registry
from resolver.registry_settings import RegistryDatabase
from resolver.sources.reading import PrivateReading, Reading, Requests
from tests.filled_registry import SETTINGS
from tests.postgres_server import PostgresServer
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources

PART = "20000000-0000-4000-a000-000000000001"
ZONE = ResourceId("/zone")


class Zones:
    """The private DNS zones of a remote source: one, which the first reading has and later ones leave out."""

    async def read(self, had: Mapping[ResourceId, PrivateZone]) -> PrivateReading:
        zone = PrivateZone(ZONE, "/Zone", b"\3abc\0")
        return PrivateReading({} if had else {ZONE: zone}, unreadable={"/other": "no role"})

    def interval(self) -> float:
        return 60.0


class Remote:
    """A remote source with one subscription. Counts its readings."""

    def __init__(self) -> None:
        self.error = ""
        self.reads = 0
        self.private = Zones()

    async def read(self) -> Reading:
        self.reads += 1
        return Reading(error=self.error) if self.error else Reading({PART: Resources()}, {"other": "no role"})

    def covers(self, _key: ResourceId) -> bool | None:
        return True

    async def read_one(self, _key: ResourceId) -> Resources | None:
        return None

    def interval(self) -> float:
        return 60.0

    def requests(self) -> Requests:
        return Requests({}, self.reads)


class Plane:
    """A control plane with a remote source. `noticed` is set when it is asked to sync."""

    def __init__(self, registry: Registry) -> None:
        assert registry.shared
        self.shared = registry.shared
        self.remote = Remote()
        self.source = SharedSource("azure", self.remote, self.shared)
        self.noticed = asyncio.Event()
        self.shared.notice("azure", self.noticed.set)

    async def notices(self) -> None:
        """Wait until it is asked to sync."""
        async with asyncio.timeout(30):
            await self.noticed.wait()
        self.noticed.clear()

    async def lead(self) -> None:
        """Wait until it leads. The first copy may be noticed before that."""
        async with asyncio.timeout(30):
            while not await self.shared.leads():  # noqa: ASYNC110 - the lead may come without a notice
                await asyncio.sleep(0.01)


@asynccontextmanager
async def plane(folder: Path, url: str) -> AsyncIterator[Plane]:
    folder.mkdir(exist_ok=True)
    registry = Registry(str(folder), lambda: SETTINGS, RegistryDatabase(url))
    made = Plane(registry)
    async with registry.opened():
        await made.notices()  # of the first copy, or of the lead
        yield made


@asynccontextmanager
async def leader_and_follower(folder: Path, url: str) -> AsyncIterator[tuple[Plane, Plane]]:
    """Two control planes, of which the first one leads before the other one starts."""
    async with plane(folder / "a", url) as a:
        await a.lead()
        async with plane(folder / "b", url) as b:
            yield a, b


async def test_the_leader_reads_for_all_and_the_next_one_reads_after_it(tmp_path: Path, server: PostgresServer) -> None:
    url = server.database()
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(plane(tmp_path / "a", url))
        await a.lead()
        async with plane(tmp_path / "b", url) as b:
            assert not await b.shared.leads()
            assert "has not read it yet" in (await b.source.read()).error
            reading = await a.source.read()
            await b.notices()
            assert await b.source.read() == reading == Reading({PART: Resources()}, {"other": "no role"})
            assert (a.remote.reads, b.remote.reads) == (1, 0)
            assert a.shared.sharing == Sharing(leads=True, leader=socket.gethostname(), fault="")
            assert b.shared.sharing == Sharing(leads=False, leader=socket.gethostname(), fault="")
            a.remote.error = "throttled"
            assert (await a.source.read()).error == "throttled"
            assert await b.source.read() == reading  # the last good one
            await stack.aclose()
            await b.notices()
            assert await b.shared.leads()
            assert await b.source.read() == reading
            assert b.remote.reads == 1


async def test_private_dns_zones_are_read_by_the_leader_too(tmp_path: Path, server: PostgresServer) -> None:
    url = server.database()
    async with leader_and_follower(tmp_path, url) as (a, b):
        assert a.source.private
        assert b.source.private
        assert "has not read it yet" in (await b.source.private.read({})).error
        b.shared.notice("azure private DNS", b.noticed.set)
        first = await a.source.private.read({})
        await b.notices()
        await a.source.private.read(first.zones)  # leaves out the zone that has not changed
        old = PrivateZone(ResourceId("/old"), "/old", b"\3old\0")
        async with asyncio.timeout(30):
            while (followed := await b.source.private.read({old.key: old})).error:  # noqa: ASYNC110 - zones come without a notice
                await asyncio.sleep(0.01)
        assert followed == structs.replace(first, gone=frozenset((old.key,)))


async def test_without_the_database_every_control_plane_reads_for_itself(
    tmp_path: Path, server: PostgresServer
) -> None:
    url = server.database()
    async with leader_and_follower(tmp_path, url) as (a, b):
        server.kill()
        async with asyncio.timeout(30):
            while not await b.shared.leads():  # noqa: ASYNC110 - a lost connection is not announced
                await asyncio.sleep(0.01)
        assert "PostgreSQL" in b.shared.sharing.fault
        for each in (a, b):
            assert (await each.source.read()).parts == {PART: Resources()}
            assert each.remote.reads == 1
        server.start()
