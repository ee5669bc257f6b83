"""Endpoints and names that a network must not see, as its configuration lists them (`networks[].except`).

Owns the masks of the networks that except an endpoint or a name. Does not know VNets and claims.
"""

from collections.abc import Iterable

import msgspec

from zones.azure.endpoint import Endpoint
from zones.azure.references import Reference, reference, references_to
from zones.dns.name import InvalidName, Name, host_from_text


class ExceptedItem(msgspec.Struct, frozen=True):
    """An item of `except`: a resource id, the name of an endpoint, or an FQDN. `place`: where the item is written."""

    text: str
    place: str = ""

    @property
    def reference(self) -> Reference:
        """The endpoints that the item means: every endpoint with this id or name."""
        return reference(self.text)

    @property
    def name(self) -> Name | None:
        """The FQDN that the item means; None for a text that is no FQDN. A text with dots may be both."""
        try:
            return host_from_text(self.text) if "." in self.text.strip(".") else None
        except InvalidName:
            return None


class Excepted:
    """What the present networks except. Masks are plain integers with a bit for each network."""

    def __init__(self) -> None:
        self._endpoints: dict[Reference, int] = {}
        self._names: dict[Name, int] = {}

    def add(self, items: Iterable[ExceptedItem], bit: int) -> None:
        """Add the items of the network with this bit."""
        for item in items:
            self._endpoints[item.reference] = self._endpoints.get(item.reference, 0) | bit
            if item.name is not None:
                self._names[item.name] = self._names.get(item.name, 0) | bit

    def of(self, endpoint: Endpoint) -> int:
        """Return the networks that except an endpoint, by its id or its name."""
        mask = 0
        for each in references_to(endpoint):
            mask |= self._endpoints.get(each, 0)
        return mask

    def at(self, names: Iterable[Name]) -> int:
        """Return the networks that except one of these names."""
        mask = 0
        for name in names if self._names else ():
            mask |= self._names.get(name, 0)
        return mask
