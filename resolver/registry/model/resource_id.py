"""Ids of subscriptions, resource groups, resources and child resources: parse, print and compare.

Ids are case-insensitive; the case of the caller is kept for display. `zones/azure/resource.py` normalises the ids of
what Azure sends, where a misspelt segment is accepted. Here a request names its own resource, so that a wrong segment
is refused. Source: learn.microsoft.com/rest/api/resources and the error `LinkedInvalidPropertyId`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from resolver.registry.model.failure import bad_request

_SEGMENT: Final = re.compile(r"[^/?#%&\\<>*\x00-\x20\x7f]+")
"""Characters of a name in an id. Azure's resource types forbid more of them, each type in its own way."""
_MAX_ID: Final = 2048
"""Characters. Azure's names have at most 260, and no id nests more than a few resources."""


@dataclass(frozen=True, slots=True)
class ArmId:
    """The id of a subscription, a resource group, a resource, or a child resource.

    `group` is empty for a subscription. `namespace` (`Microsoft.Network`), `types` and `names` are empty for a
    subscription and a resource group; otherwise `types` and `names` have one item for each level.
    """

    subscription: str
    group: str = ""
    namespace: str = ""
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, path: str = "") -> Self:
        """Return the id that a text is. `path` is the place in the body that the text comes from.

        Raises `ArmFailure` 400 `LinkedInvalidPropertyId`.
        """
        found = cls._parsed(text)
        if found is None:
            where = f" at path {path!r}" if path else ""
            shown = text if len(text) <= 200 else f"{text[:200]}…"
            raise bad_request(
                "LinkedInvalidPropertyId",
                f"{shown!r}{where} is not a resource id. Write /subscriptions/SUBSCRIPTION/resourceGroups/GROUP"
                "/providers/NAMESPACE/TYPE/NAME.",
                path,
            )
        return found

    @classmethod
    @lru_cache(1024)
    def _parsed(cls, text: str) -> Self | None:
        parts = text.removeprefix("/").removesuffix("/").split("/")
        if (
            len(text) > _MAX_ID
            or not text.isprintable()
            or not text.startswith("/")
            or len(parts) % 2
            or not all(map(_SEGMENT.fullmatch, parts))
            or parts[0].casefold() != "subscriptions"
        ):
            return None
        if len(parts) == 2:
            return cls(parts[1])
        if parts[2].casefold() != "resourcegroups":
            return None
        if len(parts) == 4:
            return cls(parts[1], parts[3])
        if len(parts) < 8 or parts[4].casefold() != "providers":
            return None
        return cls(parts[1], parts[3], parts[5], tuple(parts[6::2]), tuple(parts[7::2]))

    def __str__(self) -> str:
        """Return the id in Azure's spelling of the fixed segments, with the case of the names kept."""
        text = f"/subscriptions/{self.subscription}"
        if self.group:
            text += f"/resourceGroups/{self.group}"
        if self.namespace:
            text += f"/providers/{self.namespace}"
            for kind, name in zip(self.types, self.names, strict=True):
                text += f"/{kind}/{name}"
        return text

    @property
    def key(self) -> str:
        """The id in the form to compare: folded. Equal to `zones.azure.resource.resource_id` of the printed id."""
        return str(self).casefold()

    @property
    def name(self) -> str:
        """The name of the resource; of a resource group or a subscription, its own name."""
        return self.names[-1] if self.names else self.group or self.subscription

    @property
    def type(self) -> str:
        """The full type: `Microsoft.Network/virtualNetworks/subnets`, `Microsoft.Resources/resourceGroups`."""
        if self.namespace:
            return "/".join((self.namespace, *self.types))
        return "Microsoft.Resources/resourceGroups" if self.group else "Microsoft.Resources/subscriptions"

    @property
    def parent(self) -> Self | None:
        """The id one level up: resource, resource group, subscription; None for a subscription."""
        if len(self.types) > 1:
            return type(self)(self.subscription, self.group, self.namespace, self.types[:-1], self.names[:-1])
        if self.namespace:
            return type(self)(self.subscription, self.group)
        return type(self)(self.subscription) if self.group else None

    def is_type(self, full_type: str) -> bool:
        """Return whether the resource has this full type. Case does not matter."""
        return self.type.casefold() == full_type.casefold()

    def child(self, kind: str, name: str) -> Self:
        """Return the id of a child resource: `vnet.child("subnets", "default")`."""
        return type(self)(self.subscription, self.group, self.namespace, (*self.types, kind), (*self.names, name))

    def resource(self, full_type: str, name: str) -> Self:
        """Return the id of a resource of a top-level type in the same subscription and resource group."""
        namespace, _, kind = full_type.partition("/")
        return type(self)(self.subscription, self.group, namespace, (kind,), (name,))


def require_type(found: ArmId, full_type: str, path: str) -> ArmId:
    """Return the id if it has the type that a property needs.

    Raises `ArmFailure` 400 `LinkedInvalidPropertyId`.
    """
    if not found.is_type(full_type):
        raise bad_request(
            "LinkedInvalidPropertyId",
            f"{str(found)!r} at path {path!r} is the id of a {found.type}. It must be the id of a {full_type}.",
            path,
        )
    return found
