"""Which endpoints share an address, a VNet or companions, so that a change of one is checked against the others.

An index of keys only. Does not know claims and findings.
"""

from collections.abc import Collection
from typing import TypeVar

from zones.azure.companions import Companions
from zones.azure.endpoint import NO_RESOURCE, Endpoint, ResourceId

_K = TypeVar("_K")


class EndpointIndex:
    """Keys of endpoints by address, by `Companions.key` and by VNet."""

    def __init__(self, companions: Companions) -> None:
        self._rules = companions
        self._addresses: dict[bytes, tuple[ResourceId, ...]] = {}
        self._companions: dict[str, tuple[ResourceId, ...]] = {}
        self._vnets: dict[ResourceId, set[ResourceId]] = {}

    def move(self, key: ResourceId, old: Endpoint | None, new: Endpoint | None) -> None:
        """Replace the entries of an endpoint. None: the endpoint did not exist, or is gone."""
        for endpoint, present in ((old, False), (new, True)):
            if endpoint is not None:
                for address in addresses(endpoint) if endpoint.served else ():
                    _set_member(self._addresses, address, key, present=present)
                if among := self._rules.key(endpoint):
                    _set_member(self._companions, among, key, present=present)
        was, now = old.vnet if old else NO_RESOURCE, new.vnet if new else NO_RESOURCE
        if was and was != now:
            self._vnets[was].remove(key)
            if not self._vnets[was]:
                del self._vnets[was]
        if now and was != now:
            self._vnets.setdefault(now, set()).add(key)

    def at(self, address: bytes) -> tuple[ResourceId, ...]:
        """Return the served endpoints with an address."""
        return self._addresses.get(address, ())

    def companions(self, among: str) -> tuple[ResourceId, ...]:
        """Return the endpoints with a `Companions.key`."""
        return self._companions.get(among, ())

    def in_vnet(self, vnet: ResourceId) -> Collection[ResourceId]:
        """Return the endpoints in a VNet."""
        return self._vnets.get(vnet, ())


def addresses(endpoint: Endpoint) -> set[bytes]:
    """Return all addresses of an endpoint, packed."""
    return {address for record in endpoint.records for address in record.addresses}


def _set_member(index: dict[_K, tuple[ResourceId, ...]], at: _K, key: ResourceId, *, present: bool) -> None:
    members = tuple(k for k in index.get(at, ()) if k != key) + ((key,) if present else ())
    if members:
        index[at] = members
    else:
        index.pop(at, None)
