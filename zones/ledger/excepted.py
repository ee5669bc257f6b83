"""Which items of `networks[].except` match nothing, kept up to date as endpoints and claims change.

`Networks` applies the items. This index only knows which items to check again after a change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import Endpoint, ResourceId
from zones.azure.references import EndpointReferences, Reference
from zones.claims.contest import Claim
from zones.dns.name import Name
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network


class UnmatchedItems(NamedTuple):
    """The items of one network that match neither an endpoint nor a claimed name; empty when all match."""

    network: str
    items: tuple[ExceptedItem, ...]


class ExceptedIndex:
    """Networks by the endpoints and the private names that their items can concern."""

    def __init__(self, networks: Iterable[Network], catalogue: Catalogue) -> None:
        self._items = {network.name: network.excepted for network in networks if network.excepted}
        self._by_reference: dict[Reference, set[str]] = {}
        self._by_private: dict[Name, set[str]] = {}
        for network, items in self._items.items():
            for item in items:
                self._by_reference.setdefault(item.reference, set()).add(network)
                if item.name is not None:
                    for name in (item.name, *(mapping.name for mapping in catalogue.candidates(item.name))):
                        self._by_private.setdefault(name, set()).add(network)
        self._references = EndpointReferences(self._by_reference)
        self._unchecked = set(self._items)
        """Every network is checked with the first change: what it excepts may never appear."""

    def __bool__(self) -> bool:
        return bool(self._items)

    def update(self, changes: Mapping[ResourceId, Endpoint | None]) -> None:
        """Add, change or remove (None) endpoints by key."""
        for each in self._references.update(changes):
            self._unchecked |= self._by_reference[each]

    def touch(self, names: Iterable[Name]) -> None:
        """Check the networks again whose items can concern these private names."""
        for name in names:
            self._unchecked |= self._by_private.get(name, frozenset())

    def checked(self, find: Callable[[Name], list[Claim]]) -> Iterator[UnmatchedItems]:
        """Yield each network to check, once. `find` returns the claims on a public or private name."""
        networks, self._unchecked = self._unchecked, set()
        for network in networks:
            yield UnmatchedItems(network, tuple(each for each in self._items[network] if not self._matches(each, find)))

    def _matches(self, item: ExceptedItem, find: Callable[[Name], list[Claim]]) -> bool:
        return bool(self._references.found(item.reference)) or (item.name is not None and bool(find(item.name)))
