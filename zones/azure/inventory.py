"""The inventory: resources from every part of every source, joined by resource id into endpoints.

A part is a file, a subscription, whatever a source reads as one. Parts come, change and go in any order; a change costs
what the resources that it touches cost, whatever the size of the estate. Refuses to know JSON, claims and networks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec import structs

from zones.azure.endpoint import Endpoint, Fault, VirtualNetwork
from zones.azure.join import SourcePart, Versions, join
from zones.azure.resource import Nic, PrivateEndpoint, Resources


class InventoryChange(NamedTuple):
    """What an update really changed, by key; None is gone. `faults` are by subject, all that it has now."""

    endpoints: dict[str, Endpoint | None]
    vnets: dict[str, VirtualNetwork | None]
    faults: dict[str, tuple[Fault, ...]]


class Inventory:
    """All resources by key. Where two parts hold one, the order of `sources`, then the part's name decides."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        self._order = {source: i for i, source in enumerate(sources)}
        self._parts: dict[SourcePart, Resources] = {}
        self._held_endpoints = _Index[PrivateEndpoint]()
        self._held_nics = _Index[Nic]()
        self._held_vnets = _Index[VirtualNetwork]()
        self._links: dict[str, tuple[str, ...]] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._vnets: dict[str, VirtualNetwork] = {}
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self._orphans: dict[str, tuple[Fault, ...]] = {}

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """All endpoints by key."""
        return MappingProxyType(self._endpoints)

    @property
    def vnets(self) -> Mapping[str, VirtualNetwork]:
        """All virtual networks by key."""
        return MappingProxyType(self._vnets)

    @property
    def faults(self) -> Mapping[str, tuple[Fault, ...]]:
        """By subject, the faults that belong to no endpoint: rows that gave nothing, NICs without their endpoint."""
        return MappingProxyType(self._faults)

    def parts(self) -> Iterator[tuple[str, str, Resources]]:
        """Source, part and resources: all that there is to save. Put back by `update`, it is the same inventory."""
        for place in sorted(self._parts):
            yield place.source, place.part, self._parts[place]

    def of(self, source: str) -> dict[str, Resources]:
        """What a source gave, by part."""
        return {place.part: resources for place, resources in self._parts.items() if place.source == source}

    def replace(self, source: str, part: str, resources: Resources | None) -> InventoryChange:
        """Put what a part holds now in place of what it held; None removes the part."""
        return self.update({(source, part): resources})

    def update(self, parts: Mapping[tuple[str, str], Resources | None]) -> InventoryChange:
        """Replace several parts as one change, so that what moves from one to another is never gone in between."""
        touched = _Touched()
        for (source, part), resources in parts.items():
            self._put(
                SourcePart(self._order.get(source, len(self._order)), intern(part), intern(source)), resources, touched
            )
        for endpoint, nic in touched.links:
            self._relink(endpoint, nic)
        nics = touched.nics | {nic for _, nic in touched.links} | self._linked(touched.endpoints)
        for nic in nics:
            self._judge_orphan(nic, touched)
        return InventoryChange(
            self._rejoin(touched.endpoints | {endpoint for endpoint, _ in touched.links} | self._linked(nics)),
            self._refresh_vnets(touched.vnets),
            self._move_faults(touched),
        )

    def _put(self, place: SourcePart, resources: Resources | None, touched: "_Touched") -> None:
        old, new = self._parts.pop(place, _NOTHING), resources or _NOTHING
        if resources is not None:
            self._parts[place] = resources
        for endpoint in self._held_endpoints.put(place, new.endpoints):
            touched.endpoints.add(endpoint.key)
            touched.links.update((endpoint.key, nic) for nic in endpoint.nics)
        for nic in self._held_nics.put(place, new.nics):
            touched.nics.add(nic.key)
            if nic.endpoint:
                touched.links.add((nic.endpoint, nic.key))
        touched.vnets.update(vnet.key for vnet in self._held_vnets.put(place, new.vnets))
        touched.gone += old.faults
        touched.come += new.faults

    def _relink(self, endpoint: str, nic: str) -> None:
        """A NIC and an endpoint are linked while either, in any part, names the other."""
        linked = any(nic in version.nics for _, version in self._held_endpoints.versions(endpoint)) or any(
            version.endpoint == endpoint for _, version in self._held_nics.versions(nic)
        )
        for one, other in ((endpoint, nic), (nic, endpoint)):
            others = self._links.get(one, ())
            if linked and other not in others:
                self._links[one] = (*others, other)
            elif not linked and other in others:
                _set(self._links, one, tuple(key for key in others if key != other) or None)

    def _linked(self, keys: Iterable[str]) -> set[str]:
        return {other for key in keys for other in self._links.get(key, ())}

    def _owns(self, endpoint: PrivateEndpoint, nic: Nic) -> bool:
        """The NIC's own word counts; what endpoints say of it only while the one that it names is not known."""
        if nic.endpoint in self._held_endpoints:
            return nic.endpoint == endpoint.key
        return nic.key in endpoint.nics

    def _rejoin(self, keys: Iterable[str]) -> dict[str, Endpoint | None]:
        changed: dict[str, Endpoint | None] = {}
        for key in keys:
            new = self._join(key)
            if new != self._endpoints.get(key):
                changed[key] = new
                _set(self._endpoints, key, new)
        return changed

    def _join(self, key: str) -> Endpoint | None:
        versions = self._held_endpoints.versions(key)
        if not versions:
            return None
        nics = [self._held_nics.versions(nic) for nic in sorted(self._links.get(key, ()))]
        return join(versions, [held for held in nics if held and self._owns(versions[0][1], held[0][1])])

    def _judge_orphan(self, key: str, touched: "_Touched") -> None:
        """A NIC whose endpoint nobody has told of answers nothing, and a person should know."""
        faults: tuple[Fault, ...] = ()
        for place, nic in self._held_nics.versions(key)[:1]:
            owners = (self._held_endpoints.first(endpoint) for endpoint in self._links.get(key, ()))
            if not any(owner and self._owns(owner, nic) for owner in owners):
                faults = (*nic.faults, Fault(nic.id, "privateEndpoint.id", _ORPHAN, place.part))
        old = self._orphans.get(key, ())
        if faults != old:
            touched.gone += old
            touched.come += faults
            _set(self._orphans, key, faults or None)

    def _refresh_vnets(self, keys: Iterable[str]) -> dict[str, VirtualNetwork | None]:
        changed: dict[str, VirtualNetwork | None] = {}
        for key in keys:
            new = None
            for place, vnet in self._held_vnets.versions(key)[:1]:
                new = structs.replace(vnet, source=place.source, where=place.part)
            if new != self._vnets.get(key):
                changed[key] = new
                _set(self._vnets, key, new)
        return changed

    def _move_faults(self, touched: "_Touched") -> dict[str, tuple[Fault, ...]]:
        """Two parts may tell the same fault of one resource, so each is taken away as often as it came."""
        moved: dict[str, list[Fault]] = {}
        for fault in touched.come:
            moved.setdefault(fault.subject, [*self._faults.get(fault.subject, ())]).append(fault)
        for fault in touched.gone:
            moved.setdefault(fault.subject, [*self._faults.get(fault.subject, ())]).remove(fault)
        changed: dict[str, tuple[Fault, ...]] = {}
        for subject, faults in moved.items():
            new = tuple(sorted(faults, key=lambda fault: (fault.where, fault.path, fault.message)))
            if new != self._faults.get(subject, ()):
                changed[subject] = new
                _set(self._faults, subject, new or None)
        return changed


class _Touched:
    """What an update touches."""

    def __init__(self) -> None:
        self.endpoints: set[str] = set()
        self.nics: set[str] = set()
        self.vnets: set[str] = set()
        self.links: set[tuple[str, str]] = set()
        self.gone: list[Fault] = []
        self.come: list[Fault] = []


_R = TypeVar("_R", PrivateEndpoint, Nic, VirtualNetwork)
_V = TypeVar("_V")


class _Index(Generic[_R]):
    """Resources of one kind, and who holds each: the part that is believed first."""

    def __init__(self) -> None:
        self._held: dict[SourcePart, dict[str, _R]] = {}
        self._holders: dict[str, tuple[SourcePart, ...]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._holders

    def first(self, key: str) -> _R | None:
        """The version that is believed."""
        holders = self._holders.get(key)
        return self._held[holders[0]][key] if holders else None

    def versions(self, key: str) -> Versions[_R]:
        """What each part says of it."""
        return [(place, self._held[place][key]) for place in self._holders.get(key, ())]

    def put(self, place: SourcePart, resources: Iterable[_R]) -> list[_R]:
        """Returns what is other than before: the old and the new version of each."""
        old, new = self._held.pop(place, {}), {resource.key: resource for resource in resources}
        if new:
            self._held[place] = new
        alone = (place,)  # shared by all that only this part holds
        for key in new.keys() - old.keys():
            holders: tuple[SourcePart, ...] = self._holders.get(key, ())
            self._holders[key] = tuple(sorted((*holders, place))) if holders else alone
        for key in old.keys() - new.keys():
            others = tuple(other for other in self._holders[key] if other != place)
            _set(self._holders, key, others or None)
        gone = [resource for key, resource in old.items() if new.get(key) != resource]
        return gone + [resource for key, resource in new.items() if old.get(key) != resource]


def _set(table: dict[str, _V], key: str, value: _V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


_NOTHING: Final = Resources()
_ORPHAN: Final = "the private endpoint is not in the inventory: dump it with `az network private-endpoint list`"
