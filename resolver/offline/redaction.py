"""Hashes the names in an estate: names that people chose are hashed, names that Azure chose are kept.

Within one redaction, equal names have equal hashes, so resources that belong together or conflict still do. The key is
thrown away: nobody can test names against the hashes. Private addresses are kept, because conflicts are about them.
"""

import hmac
import re
from typing import Final

from msgspec import structs

from resolver.offline.snapshot import Resource
from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import VirtualNetwork
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, ZoneConfig, ZoneGroup, ZoneRecord

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ID: Final = "/subscriptions/"
_LETTERS: Final = 12
"""Letters of a hash: 48 bits."""


class Redaction:
    """Hashes with one key. `catalogue` has the labels that are kept."""

    def __init__(self, key: bytes, catalogue: Catalogue) -> None:
        self._key = key
        self._shared = catalogue.shared
        self._words = frozenset(word.decode() for word in catalogue.words | catalogue.regions)

    def resource(self, given: Resource) -> Resource:
        """Return the redacted resource. Its faults are left out, because a fault can quote a name."""
        match given:
            case PrivateEndpoint():
                return self._endpoint(given)
            case Nic():
                return self._nic(given)
            case VirtualNetwork():
                return self._vnet(given)
            case ZoneGroup():
                return self._zone_group(given)

    def _endpoint(self, given: PrivateEndpoint) -> PrivateEndpoint:
        return structs.replace(
            given,
            key=self.reference(given.key), id=self.reference(given.id), name=self.name(given.name),
            subscription=self.name(given.subscription), vnet=self.reference(given.vnet),
            subnet=self.name(given.subnet),
            target=self.reference(given.target), nics=tuple(map(self.reference, given.nics)),
            dns=tuple(map(self._row, given.dns)),
            records=None if given.records is None else tuple(map(self._row, given.records)), faults=(),
        )  # fmt: skip

    def _nic(self, given: Nic) -> Nic:
        return structs.replace(
            given,
            key=self.reference(given.key), id=self.reference(given.id), endpoint=self.reference(given.endpoint),
            rows=tuple(map(self._row, given.rows)), faults=(),
        )  # fmt: skip

    def _vnet(self, given: VirtualNetwork) -> VirtualNetwork:
        return structs.replace(
            given,
            key=self.reference(given.key), id=self.reference(given.id), peers=tuple(map(self.reference, given.peers)),
        )  # fmt: skip

    def _zone_group(self, given: ZoneGroup) -> ZoneGroup:
        return structs.replace(
            given,
            key=self.reference(given.key),
            id=self.reference(given.id),
            configs=tuple(
                ZoneConfig(self._zone(config.zone), tuple(self._record(each, config) for each in config.records))
                for config in given.configs
            ),
        )

    def _zone(self, text: str) -> str:
        """Return the id of a private DNS zone with hashed names. The name of the zone itself is a host name."""
        head, slash, origin = text.rpartition("/")
        return self.reference(head) + slash + self._labels(origin) if slash else self._labels(origin)

    def _record(self, record: ZoneRecord, config: ZoneConfig) -> ZoneRecord:
        at_apex = record.name == config.origin
        return structs.replace(record, name=self._labels(record.name) if at_apex else self.fqdn(record.name))

    def _row(self, row: NicRow) -> NicRow:
        return structs.replace(row, fqdns=tuple(map(self.fqdn, row.fqdns)), member=self.name(row.member))

    def name(self, text: str) -> str:
        """Return the hash of a name, ignoring case: `r` and 12 hexadecimal digits. The hash of a GUID is a GUID."""
        if not text:
            return ""
        found = hmac.digest(self._key, text.casefold().encode(errors="replace"), "sha256").hex()
        if _GUID.fullmatch(text):
            return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:32]))
        return f"r{found[:_LETTERS]}"

    def reference(self, text: str) -> str:
        """Return a resource id with its names hashed. A text that is not an id is hashed as a name."""
        if not text.casefold().startswith(_ID):
            return self.name(text)
        parts = text.strip("/").split("/")
        kept = {0, 2, 4, 5, *range(6, len(parts), 2)}  # subscriptions, resourceGroups, providers, namespace, types
        return "/" + "/".join(part if i in kept else self.name(part) for i, part in enumerate(parts))

    def fqdn(self, text: str) -> str:
        """Return a host name with hashed labels. Azure's own labels and regions are kept, but not as the first label.

        A name that all resources of a service share is kept whole.
        """
        if self._shared.lists(text):
            return text
        first, dot, rest = text.partition(".")
        return (first if first == "*" else self.name(first)) + dot + self._labels(rest)

    def _labels(self, text: str) -> str:
        return ".".join(
            label if label.casefold() in self._words or not label else self.name(label) for label in text.split(".")
        )
