"""Public names that lead to a private name which the catalogue does not derive from them.

These private names come from Azure's own records or from exceptions of the catalogue. Most estates have none. Does
not know endpoints and networks.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from zones.azure.catalogue_index import CatalogueIndex
from zones.dns.name import Name

_NONE: Final[frozenset[Name]] = frozenset()


class ExplicitNames:
    """The explicit private names by public name, changed one private name at a time."""

    def __init__(self, index: CatalogueIndex) -> None:
        self.privates: dict[Name, tuple[Name, ...]] = {}
        """By public name: the private names that it leads to and that the catalogue does not derive, sorted."""
        self._index = index
        self._publics: dict[Name, frozenset[Name]] = {}

    def __contains__(self, private: Name) -> bool:
        """Return whether any public name leads to this private name explicitly."""
        return private in self._publics

    def leads(self, public: Name) -> tuple[Name, ...]:
        """Return every private name that a public name may lead to, derived ones last, in the order of a lookup."""
        return (*self.privates.get(public, ()), *self._index.candidates(public))

    def replace(self, private: Name, publics: AbstractSet[Name]) -> None:
        """Replace the public names that lead to a private name. Those from which it is derived are left out."""
        before = self._publics.pop(private, _NONE)
        after = frozenset(public for public in publics if private not in self._index.candidates(public))
        if after:
            self._publics[private] = after
        for public in before - after:
            if others := tuple(name for name in self.privates[public] if name != private):
                self.privates[public] = others
            else:
                del self.privates[public]
        for public in after - before:
            self.privates[public] = tuple(sorted((*self.privates.get(public, ()), private)))
