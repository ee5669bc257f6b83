"""References: which endpoints the configuration means by a resource id or by a name.

Does not know what a reference is for. The cost of a change depends on the endpoints that change.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NewType

from zones.azure.endpoint import Endpoint, ResourceId
from zones.azure.resource import InvalidId, resource_id

Reference = NewType("Reference", str)
"""A normalised resource id, or a folded name."""
_NONE: Final[frozenset[Reference]] = frozenset()


def reference(text: str) -> Reference:
    """Return the reference that a text of the configuration makes. Ids and names are case-insensitive, as in Azure."""
    try:
        return Reference(resource_id(text))
    except InvalidId:
        return Reference(text.casefold())


def references_to(endpoint: Endpoint) -> tuple[Reference, Reference]:
    """Return the references that mean this endpoint: its id, and its name. Several endpoints may have one name."""
    return Reference(endpoint.key), Reference(endpoint.name.casefold())


class EndpointReferences:
    """The present endpoints of each reference."""

    def __init__(self, references: Iterable[Reference]) -> None:
        self._found: dict[Reference, frozenset[ResourceId]] = dict.fromkeys(references, frozenset())
        self._of: dict[ResourceId, frozenset[Reference]] = {}
        """The references to each endpoint that has some."""

    def update(self, changes: Mapping[ResourceId, Endpoint | None]) -> set[Reference]:
        """Add, change or remove (None) endpoints by key. Return the references to these endpoints, old and new."""
        touched: set[Reference] = set()
        for key, endpoint in changes.items() if self._found else ():
            before = self._of.pop(key, _NONE)
            now = frozenset(references_to(endpoint)) & self._found.keys() if endpoint else _NONE
            if now:
                self._of[key] = now
            for each in before - now:
                self._found[each] -= {key}
            for each in now - before:
                self._found[each] |= {key}
            touched |= before | now
        return touched

    def found(self, each: Reference) -> frozenset[ResourceId]:
        """Return the keys of the endpoints that a reference means now."""
        return self._found[each]

    def of(self, key: ResourceId) -> frozenset[Reference]:
        """Return the references that mean this endpoint."""
        return self._of.get(key, _NONE)
