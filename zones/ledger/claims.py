"""Claims by private name, and when each claim was first seen.

An endpoint claims one private name for each FQDN on its NIC, and with it the FQDN: the private name that Azure itself
has, if that is known, else the one that the catalogue derives. It claims no public name for a wildcard that its
resource shares with others. Does not know which claim wins.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.endpoint import Endpoint, NicRecord, ResourceId
from zones.azure.owned_wildcards import private_wildcards, shared_wildcard
from zones.claims.contest import Claim
from zones.clocks import WallTime
from zones.dns.name import Name, is_wildcard
from zones.ledger.azure_names import AzureName


class Claims:
    """All claims of the current endpoints.

    `remembered` holds first-seen times by endpoint key and public name, from before a restart. Each is used once.
    """

    def __init__(self, catalogue: Catalogue, remembered: dict[tuple[ResourceId, Name], WallTime]) -> None:
        self._catalogue = catalogue
        self._index = CatalogueIndex(catalogue)
        self._remembered = remembered
        self._by_name: dict[Name, tuple[Claim, ...]] = {}

    def __iter__(self) -> Iterator[tuple[Claim, ...]]:
        """The claims, one tuple for each claimed name, in no order."""
        return iter(self._by_name.values())

    def names(self) -> AbstractSet[Name]:
        """Return every claimed private name."""
        return self._by_name.keys()

    def at(self, name: Name) -> tuple[Claim, ...]:
        """Return the claims on a private name, sorted by endpoint key."""
        return self._by_name.get(name, ())

    def names_of(self, endpoint: Endpoint) -> set[Name]:
        """Return the private names that an endpoint claims."""
        return {name for name, _, _, _ in self._records(endpoint)}

    def derived_public(self, name: Name) -> Name | None:
        """Return the one public FQDN that the catalogue derives for a private name, if there is one."""
        return self._index.public(name)

    def _records(self, endpoint: Endpoint) -> Iterator[tuple[Name, Name | None, Name, NicRecord]]:
        """(private name, zone, public name, record) of each claim of an endpoint.

        A claim to a private name alone has that name as its public name too.
        """
        kind = endpoint.target_type
        for record in endpoint.records:
            shared = shared_wildcard(endpoint, record.fqdn, self._catalogue) if is_wildcard(record.fqdn) else None
            if shared is not None:
                for name in private_wildcards(record, shared):
                    yield name, self._zone(name), name, record
            elif record.private is not None:
                yield record.private, self._zone(record.private), record.fqdn, record
            else:
                yield *self._index.claimed(record.fqdn, kind, endpoint.groups), record.fqdn, record

    def _zone(self, name: Name) -> Name | None:
        return next(iter(self._index.zones(name)), None)

    def differing(self, endpoint: Endpoint) -> dict[Name, AzureName]:
        """Return the FQDNs for which Azure has another private name than the catalogue derives, with both names."""
        found: dict[Name, AzureName] = {}
        for record in endpoint.records:
            if record.private is not None:
                derived = self._derived(endpoint, record)
                if record.private not in derived:
                    found[record.fqdn] = AzureName(record.private, derived[0])
        return found

    def _derived(self, endpoint: Endpoint, record: NicRecord) -> tuple[Name, ...]:
        """Return the private names that the catalogue derives for a record: the FQDN itself where it knows none."""
        if is_wildcard(record.fqdn) and (shared := shared_wildcard(endpoint, record.fqdn, self._catalogue)):
            return tuple(private.name for private in shared.privates) or (record.fqdn,)
        return self._index.claimed(record.fqdn, endpoint.target_type, endpoint.groups)[:1]

    # -- changes

    def withdraw(self, endpoints: Mapping[ResourceId, Endpoint]) -> list[Claim]:
        """Remove the claims of these endpoints, which are given as they were, and return the claims."""
        withdrawn: list[Claim] = []
        for name in {name for endpoint in endpoints.values() for name, _, _, _ in self._records(endpoint)}:
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
            for name, zone, public, record in self._records(endpoint) if endpoint is not None else ():
                at = (key, public)
                first = seen.get(at)
                if first is None:
                    first = seen[at] = self._remembered.pop(at, now)
                added.setdefault(name, []).append(Claim(key, name, public, zone, record.addresses, first))
        for name, claims in added.items():
            together = [*self._by_name.get(name, ()), *claims]
            if len(together) > 1:
                together.sort(key=lambda claim: (claim.endpoint, claim.public, claim.addresses))
            self._by_name[name] = tuple(together)
        return [claim for claims in added.values() for claim in claims]
