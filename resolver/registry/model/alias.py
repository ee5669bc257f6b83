"""The alias of a private link service: `prefix.GUID.region.azure.privatelinkservice`.

The service's owner shares the alias with consumers, who connect by it without the service's resource id. The prefix
is the name of the service, and the GUID makes the alias unique. Source:
learn.microsoft.com/azure/private-link/private-link-service-overview.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

SUFFIX: Final = "azure.privatelinkservice"
_ALIAS: Final = re.compile(
    r"([a-z0-9](?:[\w.-]*\w)?)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([a-z0-9]+)\.azure\.privatelinkservice",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias in its parts. `region` is Azure's name of the service's region: `westeurope`."""

    prefix: str
    guid: str
    region: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the alias that a text is; None for another text, such as a resource id."""
        found = _ALIAS.fullmatch(text.strip())
        return cls(found[1], found[2], found[3]) if found else None

    def __str__(self) -> str:
        """Return the alias as consumers write it."""
        return f"{self.prefix}.{self.guid}.{self.region}.{SUFFIX}"

    @property
    def key(self) -> str:
        """The alias in the form to compare: folded."""
        return str(self).casefold()


def alias_of(name: str, guid: str, location: str) -> Alias:
    """Return the alias of a new private link service. `guid` is a new random GUID; the caller makes it."""
    return Alias(name, guid.casefold(), location.replace(" ", "").casefold())


def is_alias(text: str) -> bool:
    """Return whether a `privateLinkServiceId` is an alias and not a resource id."""
    return text.strip().casefold().endswith(f".{SUFFIX}") and not text.strip().startswith("/")
