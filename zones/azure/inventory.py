"""The inventory: resources from every part of every source, joined by resource id into endpoints.

A part is a file or a subscription: the unit that a source reads as a whole. Parts may be added, changed and removed in
any order. The cost of a change depends on the resources that it touches, not on the size of the estate. Does not know
JSON, claims and networks.
"""

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec import structs

from zones.azure.endpoint import Endpoint, Fault, ResourceId, VirtualNetwork
from zones.azure.join import NONE_CREATED, SourcePart, Versions, join
from zones.azure.private_names import NamedAddresses
from zones.azure.resource import Nic, PrivateEndpoint, Resources, ZoneGroup


class InventoryChange(NamedTuple):
    """The effect of an update, by key; None for a resource that is gone. `faults` has all present faults by subject."""

    endpoints: dict[ResourceId, Endpoint | None]
    vnets: dict[ResourceId, VirtualNetwork | None]
    faults: dict[str, tuple[Fault, ...]]


class Inventory:
    """All resources by key. Where two parts have one resource, the order of `sources` decides, then the part's name."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        self._order = {source: i for i, source in enumerate(sources)}
        self._parts: dict[SourcePart, Resources] = {}
        self._held_endpoints = _Index[PrivateEndpoint]()
        self._held_nics = _Index[Nic]()
        self._held_vnets = _Index[VirtualNetwork]()
        self._held_zone_groups = _Index[ZoneGroup]()
        """By the key of their endpoint."""
        self._created: Mapping[str, NamedAddresses] = {}
        self._links: dict[ResourceId, tuple[ResourceId, ...]] = {}
        self._endpoints: dict[ResourceId, Endpoint] = {}
        self._vnets: dict[ResourceId, VirtualNetwork] = {}
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self._orphans: dict[ResourceId, tuple[Fault, ...]] = {}

    @property
    def endpoints(self) -> Mapping[ResourceId, Endpoint]:
        """All endpoints by key."""
        return MappingProxyType(self._endpoints)

    @property
    def vnets(self) -> Mapping[ResourceId, VirtualNetwork]:
        """All virtual networks by key."""
        return MappingProxyType(self._vnets)

    @property
    def faults(self) -> Mapping[str, tuple[Fault, ...]]:
        """By subject, the faults that belong to no endpoint: of unreadable rows, and of NICs without their endpoint."""
        return MappingProxyType(self._faults)

    def nics_of(self, key: ResourceId) -> tuple[str, ...]:
        """Return the ids of an endpoint's network interfaces, as far as they are known."""
        endpoint = self._held_endpoints.first(key)
        nics = (self._held_nics.first(nic) for nic in sorted(self._links.get(key, ())))
        return tuple(nic.id for nic in nics if nic is not None and endpoint is not None and self._owns(endpoint, nic))

    def subnet_of(self, key: ResourceId) -> str:
        """Return the name of an endpoint's subnet; empty where it is not known."""
        endpoint = self._held_endpoints.first(key)
        return endpoint.subnet if endpoint is not None else ""

    def parts(self) -> Iterator[tuple[str, str, Resources]]:
        """Yield the source, name and resources of each part. An `update` with all of them makes an equal inventory."""
        for place in sorted(self._parts):
            yield place.source, place.part, self._parts[place]

    def part(self, source: str, part: str) -> Resources | None:
        """Return the resources of one part; None where there is no such part."""
        return self._parts.get(self._place(source, part))

    def of(self, source: str) -> dict[str, Resources]:
        """Return the resources of a source, by part."""
        return {place.part: resources for place, resources in self._parts.items() if place.source == source}

    def replace(self, source: str, part: str, resources: Resources | None) -> InventoryChange:
        """Replace the resources of a part; None removes the part."""
        return self.update({(source, part): resources})

    def update(self, parts: Mapping[tuple[str, str], Resources | None]) -> InventoryChange:
        """Replace several parts as one change. A resource that moves between these parts is not gone in between."""
        touched = _Affected()
        for (source, part), resources in parts.items():
            self._put(self._place(source, part), resources, touched)
        for endpoint, nic in touched.links:
            self._relink(endpoint, nic)
        nics = touched.nics | {nic for _, nic in touched.links} | self._linked(touched.endpoints)
        for nic in nics:
            self._check_orphan(nic, touched)
        for key in touched.endpoints & self._held_zone_groups.keys() | touched.zone_groups:
            self._check_orphan_group(key, touched)
        return InventoryChange(
            self._rejoin(
                touched.endpoints
                | touched.zone_groups
                | {endpoint for endpoint, _ in touched.links}
                | self._linked(nics)
            ),
            self._refresh_vnets(touched.vnets),
            self._move_faults(touched),
        )

    def set_created(self, created: Mapping[str, NamedAddresses]) -> InventoryChange:
        """Replace the records of private DNS zones that private endpoints created, by folded name of the endpoint.

        The endpoints of a name are found by a walk over all keys. Only those whose records changed are joined again.
        """
        old, self._created = self._created, created
        changed = {name for name in old.keys() | created.keys() if old.get(name) != created.get(name)}
        keys = [key for key in self._endpoints if _name_of(key) in changed] if changed else []
        return InventoryChange(self._rejoin(keys), {}, {})

    def _place(self, source: str, part: str) -> SourcePart:
        return SourcePart(self._order.get(source, len(self._order)), intern(part), intern(source))

    def _put(self, place: SourcePart, resources: Resources | None, touched: "_Affected") -> None:
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
        touched.zone_groups.update(group.key for group in self._held_zone_groups.put(place, new.zone_groups))
        touched.gone += old.faults
        touched.come += new.faults

    def _relink(self, endpoint: ResourceId, nic: ResourceId) -> None:
        """Update one link. A NIC and an endpoint are linked while either of them, in any part, names the other."""
        linked = any(nic in version.nics for _, version in self._held_endpoints.versions(endpoint)) or any(
            version.endpoint == endpoint for _, version in self._held_nics.versions(nic)
        )
        for one, other in ((endpoint, nic), (nic, endpoint)):
            others = self._links.get(one, ())
            if linked and other not in others:
                self._links[one] = (*others, other)
            elif not linked and other in others:
                _set(self._links, one, tuple(key for key in others if key != other) or None)

    def _linked(self, keys: Iterable[ResourceId]) -> set[ResourceId]:
        return {other for key in keys for other in self._links.get(key, ())}

    def _owns(self, endpoint: PrivateEndpoint, nic: Nic) -> bool:
        """Return True where the NIC belongs to the endpoint.

        The endpoint that the NIC names decides. Only while that one is unknown does it matter which endpoint names the
        NIC.
        """
        if nic.endpoint in self._held_endpoints:
            return nic.endpoint == endpoint.key
        return nic.key in endpoint.nics

    def _rejoin(self, keys: Iterable[ResourceId]) -> dict[ResourceId, Endpoint | None]:
        changed: dict[ResourceId, Endpoint | None] = {}
        for key in keys:
            new = self._join(key)
            if new != self._endpoints.get(key):
                changed[key] = new
                _set(self._endpoints, key, new)
        return changed

    def _join(self, key: ResourceId) -> Endpoint | None:
        versions = self._held_endpoints.versions(key)
        if not versions:
            return None
        nics = [self._held_nics.versions(nic) for nic in sorted(self._links.get(key, ()))]
        owned = [held for held in nics if held and self._owns(versions[0][1], held[0][1])]
        created = self._created.get(_name_of(key), NONE_CREATED) if self._created else NONE_CREATED
        return join(versions, owned, self._held_zone_groups.versions(key), created)

    def _check_orphan(self, key: ResourceId, touched: "_Affected") -> None:
        """Update the fault of a NIC whose endpoint is not in the inventory: its names are not served."""
        faults: tuple[Fault, ...] = ()
        for place, nic in self._held_nics.versions(key)[:1]:
            owners = (self._held_endpoints.first(endpoint) for endpoint in self._links.get(key, ()))
            if not any(owner and self._owns(owner, nic) for owner in owners):
                faults = (*nic.faults, Fault(nic.id, "privateEndpoint.id", _ORPHAN, place.part))
        self._set_orphan(key, faults, touched)

    def _check_orphan_group(self, key: ResourceId, touched: "_Affected") -> None:
        """Update the fault of a zone group whose endpoint is not in the inventory: its names are not served."""
        found = () if key in self._held_endpoints else self._held_zone_groups.versions(key)[:1]
        self._set_orphan(key, tuple(Fault(group.id, "id", _ORPHAN, place.part) for place, group in found), touched)

    def _set_orphan(self, key: ResourceId, faults: tuple[Fault, ...], touched: "_Affected") -> None:
        old = self._orphans.get(key, ())
        if faults != old:
            touched.gone += old
            touched.come += faults
            _set(self._orphans, key, faults or None)

    def _refresh_vnets(self, keys: Iterable[ResourceId]) -> dict[ResourceId, VirtualNetwork | None]:
        changed: dict[ResourceId, VirtualNetwork | None] = {}
        for key in keys:
            new = None
            for place, vnet in self._held_vnets.versions(key)[:1]:
                new = structs.replace(vnet, source=place.source, where=place.part)
            if new != self._vnets.get(key):
                changed[key] = new
                _set(self._vnets, key, new)
        return changed

    def _move_faults(self, touched: "_Affected") -> dict[str, tuple[Fault, ...]]:
        """Update and return the faults of affected subjects.

        Two parts may have an equal fault of one resource, so each fault is removed as often as it was added.
        """
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


class _Affected:
    """The keys that an update affects, and the faults that it adds (`come`) and removes (`gone`)."""

    def __init__(self) -> None:
        self.endpoints: set[ResourceId] = set()
        self.nics: set[ResourceId] = set()
        self.vnets: set[ResourceId] = set()
        self.zone_groups: set[ResourceId] = set()
        """Keys of the endpoints whose zone groups changed."""
        self.links: set[tuple[ResourceId, ResourceId]] = set()
        self.gone: list[Fault] = []
        self.come: list[Fault] = []


_R = TypeVar("_R", PrivateEndpoint, Nic, VirtualNetwork, ZoneGroup)
_V = TypeVar("_V")
_KeyT = TypeVar("_KeyT", bound=str)


class _Index(Generic[_R]):
    """Resources of one kind, and the parts that have each, the part with precedence first."""

    def __init__(self) -> None:
        self._held: dict[SourcePart, dict[ResourceId, _R]] = {}
        self._holders: dict[ResourceId, tuple[SourcePart, ...]] = {}

    def __contains__(self, key: ResourceId) -> bool:
        return key in self._holders

    def keys(self) -> KeysView[ResourceId]:
        """Return the keys of all resources."""
        return self._holders.keys()

    def first(self, key: ResourceId) -> _R | None:
        """Return the version with precedence; None where no part has the resource."""
        holders = self._holders.get(key)
        return self._held[holders[0]][key] if holders else None

    def versions(self, key: ResourceId) -> Versions[_R]:
        """Return the version of each part."""
        holders = self._holders.get(key)
        return [(place, self._held[place][key]) for place in holders] if holders else ()

    def put(self, place: SourcePart, resources: Iterable[_R]) -> list[_R]:
        """Replace the resources of a part. Return the old and the new version of each resource that changed."""
        old, new = self._held.pop(place, {}), {resource.key: resource for resource in resources}
        if new:
            self._held[place] = new
        alone = (place,)  # one object for all resources that only this part has, to save memory
        for key in new.keys() - old.keys():
            holders: tuple[SourcePart, ...] = self._holders.get(key, ())
            self._holders[key] = tuple(sorted((*holders, place))) if holders else alone
        for key in old.keys() - new.keys():
            others = tuple(other for other in self._holders[key] if other != place)
            _set(self._holders, key, others or None)
        gone = [resource for key, resource in old.items() if new.get(key) != resource]
        return gone + [resource for key, resource in new.items() if old.get(key) != resource]


def _name_of(key: ResourceId) -> str:
    """Return the folded name of an endpoint."""
    return key.rpartition("/")[2].casefold()


def _set(table: dict[_KeyT, _V], key: _KeyT, value: _V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


_NOTHING: Final = Resources()
_ORPHAN: Final = "the private endpoint is not in the inventory: dump it with `az network private-endpoint list`"
