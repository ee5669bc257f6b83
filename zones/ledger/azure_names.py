"""The FQDNs for which Azure has another private name than the catalogue derives, by FQDN.

A gap in the catalogue can concern every endpoint of a service, so only some FQDNs have a finding of their own. Does not
know how a private name was found or what is served.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from zones.azure.endpoint import ResourceId
from zones.dns.name import Name

MOST: Final = 1000
"""Most FQDNs with a finding of their own."""


class AzureName(NamedTuple):
    """The private name of an FQDN: the one that Azure has, and the one that the catalogue derives."""

    azure: Name
    derived: Name


class AzureNames:
    """The differing names of all served endpoints."""

    def __init__(self) -> None:
        self._by_endpoint: dict[ResourceId, Mapping[Name, AzureName]] = {}
        self._by_fqdn: dict[Name, dict[ResourceId, AzureName]] = {}
        self._listed: set[Name] = set()
        self._unlisted: dict[Name, None] = {}
        """In the order in which they came."""

    def __len__(self) -> int:
        """Return the number of FQDNs that differ."""
        return len(self._by_fqdn)

    def listed(self, fqdn: Name) -> dict[ResourceId, AzureName]:
        """Return the names of an FQDN by endpoint; none where it does not differ or has no finding of its own."""
        return self._by_fqdn[fqdn] if fqdn in self._listed else {}

    def replace(self, key: ResourceId, names: Mapping[Name, AzureName]) -> set[Name]:
        """Replace the differing names of an endpoint. Return the FQDNs whose findings may change."""
        before = self._by_endpoint.pop(key, {})
        if not before and not names:
            return set()
        if names:
            self._by_endpoint[key] = names
        for fqdn in before:
            holders = self._by_fqdn[fqdn]
            del holders[key]
            if not holders and fqdn not in names:
                del self._by_fqdn[fqdn]
                self._listed.discard(fqdn)
                self._unlisted.pop(fqdn, None)
        for fqdn, name in names.items():
            self._by_fqdn.setdefault(fqdn, {})[key] = name
            if fqdn not in self._listed:
                self._unlisted[fqdn] = None
        promoted: set[Name] = set()
        while self._unlisted and len(self._listed) < MOST:
            fqdn = next(iter(self._unlisted))
            del self._unlisted[fqdn]
            self._listed.add(fqdn)
            promoted.add(fqdn)
        return {*before, *names, *promoted}
