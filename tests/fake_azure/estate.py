"""The estate in Azure: subscriptions and resources, which can be added, changed and removed while the fake runs.

Resources are kept encoded. So a hundred thousand endpoints take only their JSON, and a page is a concatenation. Does
not know permissions: faults do.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

import msgspec

from tests.fake_azure import shapes
from tests.fake_azure.shapes import Json

ENDPOINTS, NICS = "microsoft.network/privateendpoints", "microsoft.network/networkinterfaces"


class Resource(msgspec.Struct, gc=False):
    """The columns of Resource Graph. `properties` stays encoded."""

    id: str
    name: str
    type: str
    location: str = ""
    tags: msgspec.Raw = msgspec.Raw(b"null")
    properties: msgspec.Raw = msgspec.Raw(b"null")


class _Owner(msgspec.Struct):
    id: str


class _NicProperties(msgspec.Struct, rename="camel"):
    private_endpoint: _Owner | None = None


class _Nic(msgspec.Struct):
    properties: _NicProperties


_decode = msgspec.json.Decoder(Resource).decode
_decode_nic = msgspec.json.Decoder(_Nic).decode


class FakeEstate:
    """Resources by id. Ids are case-insensitive and are written back in their own case."""

    def __init__(self, resources: Iterable[Json] = ()) -> None:
        self.subscriptions: dict[str, Json] = {}
        self.version = 0
        """A number that differs after each change."""
        self._types: dict[str, dict[str, bytes]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._nics: dict[str, set[str]] = {}
        self._owner: dict[str, str] = {}
        for resource in resources:
            self.add(resource)

    def subscribe(self, own: str, name: str = "", state: str = "Enabled") -> None:
        """Add a subscription. Adding a resource adds its subscription too."""
        self.subscriptions[own.casefold()] = shapes.subscription(own, name, state)
        self.version += 1

    def add(self, *resources: Json) -> None:
        """Add resources, or replace resources with the same ids."""
        for resource in resources:
            own = str(resource["id"])
            if (named := own.split("/")[2]).casefold() not in self.subscriptions:
                self.subscribe(named)
            key, type_ = own.casefold(), type_of(own)
            known = self._types.setdefault(type_, {})
            if key not in known:
                self._sorted.pop(type_, None)
            known[key] = msgspec.json.encode(resource)
            if type_ == NICS:
                self._own(key, _decode_nic(known[key]).properties.private_endpoint)
        self.version += 1

    def change(self, own: str, edit: Callable[[Json], None]) -> None:
        """Let `edit` change the resource with this id in place."""
        found = self.raw(own)
        assert found is not None, f"no resource {own}"
        resource: Json = msgspec.json.decode(found)
        edit(resource)
        self.add(resource)

    def remove(self, own: str) -> bool:
        """Remove a resource and those below it, and an endpoint's NIC, as in Azure. Return False if there was none."""
        key = own.casefold()
        found = self._types.get(type_of(own), {}).pop(key, None) is not None
        self._sorted.pop(type_of(own), None)
        for nic in self.nics(key):
            self.remove(nic)
        self._own(key, None)
        for type_ in [name for name in self._types if name.startswith(f"{type_of(own)}/")]:
            for below in self.ids(type_, f"{key}/"):
                del self._types[type_][below]
            self._sorted.pop(type_, None)
        self.version += 1
        return found

    def raw(self, own: str) -> bytes | None:
        """Return the resource with this id, encoded; None if there is none."""
        return self._types.get(type_of(own), {}).get(own.casefold())

    def resource(self, key: str) -> Resource:
        """Return the resource with this id, which exists."""
        return _decode(self._types[type_of(key)][key])

    def ids(self, type_: str, under: str = "") -> list[str]:
        """Return the folded ids of a type that begin with `under`, in order."""
        if type_ not in self._sorted:
            self._sorted[type_] = sorted(self._types.get(type_, ()))
        found = self._sorted[type_]
        return found[bisect_left(found, under) : bisect_left(found, f"{under}\U0010ffff")] if under else found

    def nics(self, endpoint: str) -> list[str]:
        """Return the ids of the NICs that name this endpoint."""
        return sorted(self._nics.get(endpoint.casefold(), ()))

    def owner(self, nic: str) -> str:
        """Return the endpoint that a NIC names; empty if it names none."""
        return self._owner.get(nic, "")

    def _own(self, nic: str, owner: _Owner | None) -> None:
        if before := self._owner.pop(nic, ""):
            self._nics[before].discard(nic)
        if owner is not None:
            self._owner[nic] = owner.id.casefold()
            self._nics.setdefault(owner.id.casefold(), set()).add(nic)


def type_of(own: str) -> str:
    """Return the folded type of the resource with this id: `microsoft.network/privatednszones/a`."""
    namespace, *rest = own.casefold().rpartition("/providers/")[2].split("/")
    return "/".join((namespace, *rest[::2]))
