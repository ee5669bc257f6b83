"""The zones that contain names of endpoints: how many names, and to which networks these are visible.

Counting walks over all names, so the result is kept until the served state changes, and the walk lets the event loop
run between slices.
"""

import asyncio
from typing import Final

from resolver.admin.paging import slices
from resolver.admin.resources.zones import zone_of
from resolver.control.estate.estate import Estate
from zones.claims.row import classes
from zones.dns.name import Name
from zones.networks.network import NO_NETWORKS, NetworkMask

NO_NAMES: Final = (0, NO_NETWORKS)
"""The count of a zone without names of endpoints, and the mask of the networks that see these."""


class ZoneCensus:
    """Counts of names by zone, for one serial of the served state."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._serial = -1
        self._counts: dict[Name, tuple[int, NetworkMask]] = {}

    async def zones(self, serial: int) -> set[Name]:
        """Return the origins of all zones that pldns answers."""
        return {*await self.at(serial), *self._estate.static, *self._estate.policies.named}

    async def at(self, serial: int) -> dict[Name, tuple[int, NetworkMask]]:
        """Return, by zone, the number of names that only endpoints hold and the mask of networks that see them."""
        if self._serial == serial:
            return self._counts
        counts: dict[Name, tuple[int, NetworkMask]] = {}
        ledger, masks = self._estate.ledger, self._estate.ledger.classes.masks
        for names in slices(list(ledger.rows)):
            for name in names:
                zone, row = zone_of(self._estate, name), ledger.rows.get(name)
                file = self._estate.static.get(zone) if zone else None
                if zone and row and not (file and name in file.names):
                    count, mask = counts.get(zone, NO_NAMES)
                    seen: int = mask
                    for number in classes(row):
                        seen |= masks[number]
                    counts[zone] = count + 1, NetworkMask(seen)
            await asyncio.sleep(0)
        self._serial, self._counts = serial, counts
        return counts
