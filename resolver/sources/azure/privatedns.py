"""Private DNS zones: lists of zones, of each zone's record sets and of its links, as slowly as their quota asks.

Each zone is read whole or keeps what it gave: what could not be read is named. Absence is confirmed by reading the zone
once more. Refuses to know what is made of the zones.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote

from resolver.sources.azure import budget, lists
from resolver.sources.azure.budget import PRIVATE_DNS, Budget, Patience
from resolver.sources.azure.client import Client, Failed
from resolver.sources.azure.credential import NoToken
from resolver.sources.azure.pages import Check, Incomplete
from resolver.sources.reading import PrivateReading
from zones.azure import private_dns_zone
from zones.azure.endpoint import Fault
from zones.azure.private_dns_zone import PrivateZone, RecordSet, Unreadable, ZoneLink
from zones.azure.resource import subscription
from zones.dns.name import Name

API: Final = "2024-06-01"
"""Version of the private DNS zones, the first that tells how a link resolves what the zone lacks."""
INTERVAL: Final = 300.0
"""Seconds between two readings, at least."""
LONGEST: Final = 3600.0
"""Seconds that a reading may take: 1,000 zones, with Azure's quota, take twenty minutes."""
WAITING: Final = 600.0
"""Seconds of these that answers 429 may cost."""
TOLERATED: Final = 3
"""Places that may have no answer, or one of 5xx, before the rest is left for the next reading."""
MOST: Final = 250_000
"""Record sets of one source; a zone that would make them more is not read."""


class PrivateDns:
    """The private DNS zones of one source. `scope` gives the subscriptions of its last sync."""

    def __init__(
        self,
        client: Client,
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

    async def read(self, had: Mapping[str, PrivateZone]) -> PrivateReading:
        """Read them all. `had`: what they gave before, by key. Raises nothing."""
        self._budget.begin()
        run = _Run(self.client, had)
        error = ""
        try:
            async with asyncio.timeout(LONGEST):
                await run.all(self._scope())
        except TimeoutError:
            error = f"private DNS zones: reading them took more than {LONGEST:.0f} s"
        except (Failed, NoToken) as failed:
            error = f"private DNS zones: {failed}"
        self.calls, self._shortest = self._budget.spent(), self._budget.shortest()
        return PrivateReading(run.zones, frozenset(run.gone), run.unreadable, tuple(run.faults), error)

    def interval(self) -> float:
        """Seconds until the next reading, jitter and stretching included."""
        return self._interval(self._chance())

    def _interval(self, chance: float) -> float:
        return budget.interval(INTERVAL, self._shortest, chance)

    def per_hour(self) -> float:
        """What the last reading comes to."""
        return self.calls * 3600 / self._interval(0.0)


class _Run:
    """One reading as it goes: what was read so far stays when it breaks off."""

    def __init__(self, client: Client, had: Mapping[str, PrivateZone]) -> None:
        self._client = client
        self._had = had
        self._patience = Patience(WAITING)
        self._records = self._failures = 0
        self.zones: dict[str, PrivateZone] = {}
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
            except (Unreadable, Incomplete) as error:
                self.unreadable[f"/subscriptions/{name}"] = str(error)
                continue
            except Failed as failed:
                self._refused(f"/subscriptions/{name}", failed)
                continue
            for key, own, origin in listed:
                await self._zone(key, own, origin)
            keys = {key for key, _, _ in listed}
            for absent in [key for key in self._had if subscription(key) == name and key not in keys]:
                await self._confirm(self._had[absent])

    def _refused(self, where: str, failed: Failed) -> None:
        """A refusal is about one place; what is likely to meet all that follows is raised."""
        self._failures += failed.passing
        if failed.status in {401, 429} or self._failures > TOLERATED:
            raise failed
        self.unreadable[where] = str(failed)

    async def _list(self, name: str) -> list[tuple[str, str, Name]]:
        path = f"/subscriptions/{name}/providers/Microsoft.Network/privateDnsZones?api-version={API}"
        check, found = Check(), list[tuple[str, str, Name]]()
        try:
            async for rows in lists.each_page(self._client, path, "zones", f"{PRIVATE_DNS}{name}", self._patience):
                for each in private_dns_zone.zones(rows):
                    if isinstance(each, Fault):
                        self.faults.append(each)
                    else:
                        check.rows([each[0]])
                        found.append(each)
        except Failed as error:
            if error.code != lists.UNREGISTERED:
                raise
        return found

    async def _zone(self, key: str, own: str, origin: Name) -> None:
        try:
            links = await self._links(key)
            records, faults = await self._sets(key, origin)
        except (Unreadable, Incomplete) as error:
            self.unreadable[own] = str(error)
            return
        except Failed as failed:
            self._refused(own, failed)
            return
        self._records += len(records)
        if self._records > MOST:
            self._records -= len(records)
            self.unreadable[own] = f"the zones of a source have more than {MOST} record sets: this one is not read"
            return
        self.zones[key] = PrivateZone(key, own, origin, tuple(records), tuple(links), tuple(faults))

    async def _links(self, key: str) -> list[ZoneLink]:
        found: list[ZoneLink] = []
        url = f"{quote(key)}/virtualNetworkLinks?api-version={API}"
        async for rows in lists.each_page(self._client, url, "zone links", self._bucket(key), self._patience):
            found += private_dns_zone.links(rows)
        return found

    async def _sets(self, key: str, origin: Name) -> tuple[list[RecordSet], list[Fault]]:
        check, found, faults = Check(), list[RecordSet](), list[Fault]()
        url = f"{quote(key)}/ALL?api-version={API}"
        async for rows in lists.each_page(self._client, url, "zone records", self._bucket(key), self._patience):
            good, bad = await asyncio.to_thread(private_dns_zone.records, rows, origin)
            check.rows([each.id.casefold() for each in good])
            found += good
            faults += bad
            if len(found) > MOST:
                raise Incomplete(f"more than {MOST} record sets")
        return found, faults

    async def _confirm(self, zone: PrivateZone) -> None:
        """A zone that is no longer listed may be gone, or out of our sight: only a 404 says that it is gone."""
        url = f"{quote(zone.key)}?api-version={API}"
        try:
            await self._client.get(url, api="zone", bucket=self._bucket(zone.key), patience=self._patience)
        except Failed as failed:
            if failed.status == 404 and failed.code in lists.GONE:
                self.gone.add(zone.key)
            else:
                self._refused(zone.id, failed)
            return
        self.unreadable[zone.id] = "it is there, but it was not listed"

    @staticmethod
    def _bucket(key: str) -> str:
        return f"{PRIVATE_DNS}{subscription(key)}"
