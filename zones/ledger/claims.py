"""Claims by private name, and when each claim was first seen.

An endpoint claims one private name for each FQDN on its NIC: the name that Azure itself has, if that is known, else the
one that the catalogue derives. Does not know which claim wins.
"""

from collections.abc import Iterable, Iterator, Mapping

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.endpoint import Endpoint, NicRecord, ResourceId
from zones.claims.contest import Claim
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings.checks import resource_type
from zones.ledger.azure_names import AzureName


class Claims:
    """All claims of the current endpoints.

    `remembered` holds first-seen times by endpoint key and FQDN, from before a restart. Each is used once.
    """

    def __init__(self, catalogue: Catalogue, remembered: dict[tuple[ResourceId, Name], WallTime]) -> None:
        self._index = CatalogueIndex(catalogue)
        self._remembered = remembered
        self._by_name: dict[Name, tuple[Claim, ...]] = {}

    def __iter__(self) -> Iterator[tuple[Claim, ...]]:
        """The claims, one tuple for each claimed name, in no order."""
        return iter(self._by_name.values())

    def names(self) -> Iterable[Name]:
        """Return every claimed private name."""
        return self._by_name.keys()

    def at(self, name: Name) -> tuple[Claim, ...]:
        """Return the claims on a private name, sorted by endpoint key."""
        return self._by_name.get(name, ())

    def names_of(self, endpoint: Endpoint) -> set[Name]:
        """Return the private names that an endpoint claims."""
        return {name for name, _, _ in self._records(endpoint)}

    def derived_public(self, name: Name) -> Name | None:
        """Return the one public FQDN that the catalogue derives for a private name, if there is one."""
        return self._index.public(name)

    def _records(self, endpoint: Endpoint) -> Iterator[tuple[Name, Name | None, NicRecord]]:
        """(private name, zone, record) of each record of an endpoint."""
        kind = resource_type(endpoint.target)
        for record in endpoint.records:
            if record.private is not None:
                yield record.private, next(iter(self._index.zones(record.private)), None), record
            else:
                yield *self._index.claimed(record.fqdn, kind, endpoint.groups), record

    def differing(self, endpoint: Endpoint) -> dict[Name, AzureName]:
        """Return the FQDNs for which Azure has another private name than the catalogue derives, with both names."""
        known = [record for record in endpoint.records if record.private is not None]
        kind = resource_type(endpoint.target) if known else ""
        both = (
            (record.fqdn, record.private, self._index.claimed(record.fqdn, kind, endpoint.groups)[0])
            for record in known
        )
        return {fqdn: AzureName(name, derived) for fqdn, name, derived in both if name is not None and name != derived}

    # -- changes

    def withdraw(self, endpoints: Mapping[ResourceId, Endpoint]) -> list[Claim]:
        """Remove the claims of these endpoints, which are given as they were, and return the claims."""
        withdrawn: list[Claim] = []
        for name in {name for endpoint in endpoints.values() for name, _, _ in self._records(endpoint)}:
            left: list[Claim] = []
            for claim in self._by_name.pop(name):
                (withdrawn if claim.endpoint in endpoints else left).append(claim)
            if left:
                self._by_name[name] = tuple(left)
        return withdrawn

    def add(
        self, endpoints: Mapping[ResourceId, Endpoint | None], before: Iterable[Claim], now: WallTime
    ) -> list[Claim]:
        """Add the claims of these endpoints and return them.

        A claim keeps the first-seen time of an equal claim in `before`, or from before a restart.
        """
        seen = {(claim.endpoint, claim.public): claim.first_seen for claim in before}
        added: dict[Name, list[Claim]] = {}
        for key, endpoint in endpoints.items():
            for name, zone, record in self._records(endpoint) if endpoint is not None else ():
                at = (key, record.fqdn)
                first = seen.get(at)
                if first is None:
                    first = seen[at] = self._remembered.pop(at, now)
                added.setdefault(name, []).append(Claim(key, name, record.fqdn, zone, record.addresses, first))
        for name, claims in added.items():
            together = [*self._by_name.get(name, ()), *claims]
            if len(together) > 1:
                together.sort(key=lambda claim: (claim.endpoint, claim.public, claim.addresses))
            self._by_name[name] = tuple(together)
        return [claim for claims in added.values() for claim in claims]
