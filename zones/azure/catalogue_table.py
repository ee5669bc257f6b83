"""The rows of Microsoft's table of private link zones, and of suffixes that others add to it: valid once they exist.

Source: learn.microsoft.com/azure/private-link/private-endpoint-dns. A text may have placeholders such as
`{regionName}`, each for one label. Does not know how a name is mapped.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from zones.azure.suffix_trie import is_placeholder, is_private_label, pattern
from zones.dns.name import InvalidName


class SharedBy(StrEnum):
    """Whose resources all have one public name."""

    SERVICE = "service"
    """All resources of the service, of all tenants."""
    TENANT = "tenant"
    """All resources of the service in one tenant."""
    REGION = "region"
    """All resources of the service in one region."""


class CatalogueEntry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=False):
    """One row of the table. `zones` and `public_forwarders` are texts that may have placeholders."""

    id: str
    cloud: str
    service: str
    resource_type: str
    group_ids: tuple[str, ...]
    zones: tuple[str, ...] = msgspec.field(name="createZones")
    public_forwarders: tuple[str, ...]
    note: str = ""


class Suffix(msgspec.Struct, frozen=True, rename="camel"):
    """A public suffix and the private zone for the names below it.

    Raises `ValueError` where the two cannot be a public suffix and its private zone.
    """

    public_suffix: str
    private_zone: str
    types: tuple[str, ...] = ()
    """The resource types of the endpoints that the row is for; empty for all."""
    groups: tuple[str, ...] = ()
    """The group ids of the endpoints that the row is for; empty for all."""
    shared: SharedBy | None = None
    """Whose resources share the names; None: each name belongs to one resource."""
    opt_in: bool = False
    """Only the names of endpoints of the zone's own resource types are private, and nobody else's."""

    def __post_init__(self) -> None:
        check_mapping(self.public_suffix, self.private_zone)

    def is_for(self, resource_type: str, groups: Collection[str]) -> bool:
        """Return whether the row is for endpoints with this resource type and these group ids."""
        kinds, ids = set(map(str.casefold, self.types)), set(map(str.casefold, self.groups))
        return (not kinds or resource_type.casefold() in kinds) and (
            not ids or not ids.isdisjoint(map(str.casefold, groups))
        )

    @property
    def is_derived(self) -> bool:
        """Return whether the zone is the suffix with `privatelink.` in front."""
        return self.private_zone.casefold() == f"privatelink.{self.public_suffix}".casefold()


class BareForwarder(msgspec.Struct, frozen=True):
    """A public suffix of the table from which no private zone follows: `inference.ml.azure.com`."""

    cloud: str
    forwarder: str


class CatalogueTable(msgspec.Struct, frozen=True, rename="camel"):
    """The whole file."""

    entries: tuple[CatalogueEntry, ...]
    fqdn_suffix_map: tuple[Suffix, ...]
    bare_forwarders: tuple[BareForwarder, ...] = msgspec.field(name="forwardersWithoutSuffixRule", default=())
    region_codes: dict[str, str] = {}
    """The code of each region, by the region's name."""


def check_mapping(public: str, private: str) -> None:
    """Check that one name can be public and the other its private name or zone. Raises `ValueError`.

    A name with a `privatelink` label is never mapped again, so no mapping leads in a circle.
    """
    try:
        publics, privates = pattern(public), pattern(private)
    except InvalidName as error:
        raise ValueError(str(error)) from None
    if len(publics) < 2:
        raise ValueError(f"the public name {public!r} has one label at most")
    if any(map(is_private_label, publics)):
        raise ValueError(f"the public name {public!r} has a label 'privatelink', so it is private already")
    if not any(map(is_private_label, privates)):
        raise ValueError(f"the private name {private!r} has no label 'privatelink' or 'privatelink-…'")
    if b"*" in publics or b"*" in privates:
        raise ValueError(f"a wildcard in {public!r} or {private!r}; a suffix covers every name below it")
    if unbound := {label for label in privates if is_placeholder(label)}.difference(publics):
        texts = ", ".join(sorted(label.decode() for label in unbound))
        raise ValueError(f"the private name {private!r} has {texts}, which the public name does not have")
