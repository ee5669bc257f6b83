"""The record sets of a DNS zone group, validated: the private names that Azure wrote, with their addresses.

An invalid record set is a fault, and the others are kept. Does not know which FQDN a private name belongs to.
"""

from collections.abc import Iterator
from typing import Final

from zones.azure.address import endpoint_address
from zones.azure.endpoint import Fault
from zones.azure.resource import ZoneConfig, ZoneGroup, ZoneRecord
from zones.dns.name import InvalidName, Name, from_text, host_from_text, is_under

MOST: Final = 256
"""Most record sets of one zone group that are read. A group has at most five zones."""


class ZoneGroupRecords:
    """The valid record sets of a zone group. `where` is the part of the source that the group came from."""

    def __init__(self, group: ZoneGroup, where: str) -> None:
        self.addresses: dict[Name, set[bytes]] = {}
        """Packed addresses by private name."""
        self.faults: list[Fault] = []
        self._id, self._where = group.id, where
        self._paths: dict[Name, str] = {}
        contradictory: set[Name] = set()
        for path, zone, record in self._record_sets(group):
            try:
                name, addresses = _read(record, zone)
            except ValueError as error:  # includes InvalidName
                self._fault(path, str(error))
                continue
            if _contradicts(self.addresses.setdefault(name, set()), addresses):
                self._fault(path, f"{record.name[:80]!r} has other addresses in another record set; neither counts")
                contradictory.add(name)
            self.addresses[name] |= addresses
            self._paths.setdefault(name, path)
        for name in contradictory:
            del self.addresses[name]

    def reject(self, name: Name, message: str) -> None:
        """Add a fault about the record set with this name."""
        self._fault(self._paths[name], message)

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(self._id, path, message, self._where))

    def _record_sets(self, group: ZoneGroup) -> Iterator[tuple[str, Name, ZoneRecord]]:
        """Yield the path, the zone and the text of each record set in a valid zone."""
        seen: set[str] = set()
        count = 0
        for i, config in enumerate(group.configs):
            path = f"privateDnsZoneConfigs[{i}]"
            zone = self._zone(config, f"{path}.privateDnsZoneId", seen)
            for j, record in enumerate(config.records if zone else ()):
                if count == MOST:
                    self._fault(path, f"more than {MOST} record sets; the rest is not read")
                    return
                count += 1
                yield f"{path}.recordSets[{j}]", zone, record

    def _zone(self, config: ZoneConfig, path: str, seen: set[str]) -> Name:
        """Return the name of a zone; empty, with a fault, for an invalid one and for one that the group has already."""
        if config.zone in seen:
            self._fault(path, f"{config.zone[-80:]!r} twice in one zone group; the first counts")
            return _NO_ZONE
        seen.add(config.zone)
        try:
            return from_text(config.origin)
        except InvalidName as error:
            self._fault(path, f"no zone: {error}")
            return _NO_ZONE


_NO_ZONE: Final = Name(b"")


def _read(record: ZoneRecord, zone: Name) -> tuple[Name, set[bytes]]:
    name = host_from_text(record.name)
    if not is_under(name, zone):
        raise ValueError(f"{record.name[:80]!r} is not in its zone")
    if not record.addresses:
        raise ValueError("no address")
    return name, set(map(endpoint_address, record.addresses))


def _contradicts(before: set[bytes], addresses: set[bytes]) -> bool:
    """Return whether two record sets of one name differ. One of A records and one of AAAA records do not."""
    return any(
        (mine := {a for a in before if len(a) == size}) and (other := {a for a in addresses if len(a) == size})
        and mine != other
        for size in (4, 16)
    )  # fmt: skip
