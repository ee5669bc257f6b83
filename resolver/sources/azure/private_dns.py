"""Reads private DNS zones: the list of zones, then each zone's record sets and links, as slowly as the quota requires.

Each zone is read whole, or is reported as unreadable and keeps its last content. A zone is gone only when a request for
that zone says so. Does not know what the zones are used for.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from resolver.sources.azure import lists
from resolver.sources.azure.client import ManagementClient, RequestFailed
from resolver.sources.azure.credential import NoToken
from resolver.sources.azure.protocol import budget, resource_manager
from resolver.sources.azure.protocol.budget import PRIVATE_DNS, Budget, Patience
from resolver.sources.azure.protocol.pages import Incomplete, PageCheck
from resolver.sources.azure.protocol.resource_manager import GONE, UNREGISTERED
from resolver.sources.reading import PrivateReading
from zones.azure import private_dns_zone
from zones.azure.endpoint import Fault, ResourceId
from zones.azure.private_dns_zone import PrivateZone, RecordSet, UnreadableRows, ZoneLink
from zones.azure.resource import subscription
from zones.dns.name import Name

INTERVAL: Final = 300.0
"""Seconds between two readings, at least."""
LONGEST: Final = 3600.0
"""Seconds that a reading may take. With Azure's quota, 1,000 zones take twenty minutes."""
WAITING: Final = 600.0
"""Seconds of a reading that may be spent on waiting after 429 responses."""
TOLERATED: Final = 3
"""Zones or lists that may fail with no response or 5xx before the reading ends. The next reading tries the rest."""
MOST: Final = 250_000
"""Record sets of one source. A zone that would exceed this number is not read."""


class PrivateDns:
    """The private DNS zones of one source. `scope` returns the subscriptions of the source's last sync."""

    def __init__(
        self,
        client: ManagementClient,
        budget_: Budget,
        scope: Callable[[], Iterable[str]],
        chance: Callable[[], float],
    ) -> None:
        self.client = client
        self._budget = budget_
        self._scope = scope
        self._chance = chance
        self.calls = 0
        """Requests of the last reading."""
        self._shortest = 0.0

    async def read(self, had: Mapping[ResourceId, PrivateZone]) -> PrivateReading:
        """Read all zones. `had` has the zones of the last reading, by key. Raises nothing."""
        self._budget.begin()
        run = _Run(self.client, had)
        error = ""
        try:
            async with asyncio.timeout(LONGEST):
                await run.all(self._scope())
        except TimeoutError:
            error = f"private DNS zones: reading them took more than {LONGEST:.0f} s"
        except (RequestFailed, NoToken) as failed:
            error = f"private DNS zones: {failed}"
        self.calls, self._shortest = self._budget.spent(), self._budget.shortest()
        return PrivateReading(run.zones, frozenset(run.gone), run.unreadable, tuple(run.faults), error)

    def interval(self) -> float:
        """Return the seconds until the next reading, with jitter, longer where the quota asks for it."""
        return self._interval(self._chance())

    def _interval(self, chance: float) -> float:
        return budget.interval(INTERVAL, self._shortest, chance)

    def per_hour(self) -> float:
        """Return the requests per hour if all readings cost as much as the last one."""
        return self.calls * 3600 / self._interval(0.0)


class _Run:
    """One reading. The zones that were read stay valid when the reading breaks off."""

    def __init__(self, client: ManagementClient, had: Mapping[ResourceId, PrivateZone]) -> None:
        self._client = client
        self._had = had
        self._patience = Patience(WAITING)
        self._records = self._failures = 0
        self.zones: dict[ResourceId, PrivateZone] = {}
        self.gone: set[str] = set()
        self.unreadable: dict[str, str] = {}
        self.faults: list[Fault] = []

    async def all(self, scope: Iterable[str]) -> None:
        names = list(scope)
        for name in sorted({subscription(key) for key in self._had} - set(names)):
            self.unreadable[f"/subscriptions/{name}"] = "it is no longer among the subscriptions that can be read"
        for name in names:
            try:
                listed = await self._list(name)
            except (UnreadableRows, Incomplete) as error:
                self.unreadable[f"/subscriptions/{name}"] = str(error)
                continue
            except RequestFailed as failed:
                self._refused(f"/subscriptions/{name}", failed)
                continue
            for key, own, origin in listed:
                await self._zone(key, own, origin)
            keys = {key for key, _, _ in listed}
            for absent in [key for key in self._had if subscription(key) == name and key not in keys]:
                await self._confirm(self._had[absent])

    def _refused(self, where: str, failed: RequestFailed) -> None:
        """Note that a zone or subscription was refused. Raises where the rest of the reading is likely to fail too."""
        self._failures += failed.passing
        if failed.status in {401, 429} or self._failures > TOLERATED:
            raise failed
        self.unreadable[where] = str(failed)

    async def _list(self, name: str) -> list[tuple[ResourceId, str, Name]]:
        path = resource_manager.zones_path(name)
        check, found = PageCheck(), list[tuple[ResourceId, str, Name]]()
        try:
            async for rows in lists.each_page(self._client, path, "zones", f"{PRIVATE_DNS}{name}", self._patience):
                for each in private_dns_zone.zones(rows):
                    if isinstance(each, Fault):
                        self.faults.append(each)
                    else:
                        check.rows([each[0]])
                        found.append(each)
        except RequestFailed as error:
            if error.code != UNREGISTERED:
                raise
        return found

    async def _zone(self, key: ResourceId, own: str, origin: Name) -> None:
        try:
            links = await self._links(key)
            records, faults = await self._sets(key, origin)
        except (UnreadableRows, Incomplete) as error:
            self.unreadable[own] = str(error)
            return
        except RequestFailed as failed:
            self._refused(own, failed)
            return
        self._records += len(records)
        if self._records > MOST:
            self._records -= len(records)
            self.unreadable[own] = f"the zones of a source have more than {MOST} record sets: this one is not read"
            return
        self.zones[key] = PrivateZone(key, own, origin, tuple(records), tuple(links), tuple(faults))

    async def _links(self, key: ResourceId) -> list[ZoneLink]:
        found: list[ZoneLink] = []
        url = resource_manager.zone_path(key, "/virtualNetworkLinks")
        async for rows in lists.each_page(self._client, url, "zone links", self._bucket(key), self._patience):
            found += private_dns_zone.links(rows)
        return found

    async def _sets(self, key: ResourceId, origin: Name) -> tuple[list[RecordSet], list[Fault]]:
        check, found, faults = PageCheck(), list[RecordSet](), list[Fault]()
        url = resource_manager.zone_path(key, "/ALL")
        async for rows in lists.each_page(self._client, url, "zone records", self._bucket(key), self._patience):
            good, bad = await asyncio.to_thread(private_dns_zone.records, rows, origin)
            check.rows([each.id.casefold() for each in good])
            found += good
            faults += bad
            if len(found) > MOST:
                raise Incomplete(f"more than {MOST} record sets")
        return found, faults

    async def _confirm(self, zone: PrivateZone) -> None:
        """Request a zone that is no longer listed: the identity may have lost its role. Only a 404 says it is gone."""
        url = resource_manager.zone_path(zone.key)
        try:
            await self._client.get(url, api="zone", bucket=self._bucket(zone.key), patience=self._patience)
        except RequestFailed as failed:
            if failed.status == 404 and failed.code in GONE:
                self.gone.add(zone.key)
            else:
                self._refused(zone.id, failed)
            return
        self.unreadable[zone.id] = "it exists, but the list of zones does not have it"

    @staticmethod
    def _bucket(key: ResourceId) -> str:
        return f"{PRIVATE_DNS}{subscription(key)}"
