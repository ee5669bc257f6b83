"""The rows of `data/additions.json`: what Microsoft's table of private link zones does not say.

Each row has a `source`: the documentation that says so. Rows are valid once they exist. Does not know what the
catalogue makes of them.
"""

from enum import StrEnum

import msgspec

from zones.azure.catalogue_table import SharedBy, Suffix, check_mapping
from zones.azure.suffix_trie import is_placeholder, is_private_label, pattern


class Row(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A row with the documentation that it was read from."""

    source: str


class AddedSuffix(Row, frozen=True, kw_only=True):
    """A public suffix that the table lacks."""

    public_suffix: str
    private_zone: str
    cloud: str
    shared: SharedBy | None = None
    """Whose resources share the names, as in `Suffix`."""

    @property
    def suffix(self) -> Suffix:
        """Return the row as a suffix for all endpoints."""
        return Suffix(self.public_suffix, self.private_zone, shared=self.shared)

    def __post_init__(self) -> None:
        check_mapping(self.public_suffix, self.private_zone)


class AddedForwarder(Row, frozen=True, kw_only=True):
    """A public suffix from which no private zone follows, and that the table lacks: `instances.ml.azure.ms`."""

    forwarder: str
    cloud: str


class MappingException(Row, frozen=True, kw_only=True):
    """A private name that does not follow from the suffix. A row has one of two forms.

    Either `fqdn` has the private name `private`. Or names below `public_suffix` are in `private_zone` where their
    endpoint has this resource type and, if given, this group id.
    """

    cloud: str
    fqdn: str = ""
    private: str = ""
    resource_type: str = ""
    group: str = ""
    public_suffix: str = ""
    private_zone: str = ""

    def __post_init__(self) -> None:
        exact, by_type = (self.fqdn, self.private), (self.resource_type, self.public_suffix, self.private_zone)
        if all(exact) and not any((*by_type, self.group)):
            check_mapping(self.fqdn, self.private)
            if is_private_label(pattern(self.private)[0]) or b"{" in b"".join(pattern(self.fqdn)):
                raise ValueError(f"{self.fqdn!r} and {self.private!r} must be names of hosts")
        elif all(by_type) and not any(exact):
            check_mapping(self.public_suffix, self.private_zone)
        else:
            raise ValueError("either fqdn and private, or resourceType, publicSuffix and privateZone")

    @property
    def suffix(self) -> Suffix | None:
        """Return the second form as a suffix for endpoints of its type and group; None for the first form."""
        if self.fqdn:
            return None
        return Suffix(self.public_suffix, self.private_zone, (self.resource_type,), (self.group,) if self.group else ())


class Owner(StrEnum):
    """Whose names lie below a wildcard that the NIC of an endpoint lists."""

    RESOURCE = "resource"
    """Names of the endpoint's own resource."""
    SHARED = "shared"
    """Names of many resources, also of other tenants."""


class WildcardRow(Row, frozen=True, kw_only=True):
    """Who owns the names below a wildcard, and which private wildcard belongs to the endpoint.

    `{guid}` in `private` is the GUID of the endpoint's resource, which is in the endpoint's other FQDNs.
    """

    public: str
    resource_type: str
    owner: Owner
    cloud: str
    private: str = ""

    def __post_init__(self) -> None:
        if not self.public.startswith("*.") or (self.private and not self.private.startswith("*.")):
            raise ValueError(f"{self.public!r} or {self.private!r} is no wildcard")
        if self.private and self.owner is Owner.RESOURCE:
            raise ValueError(f"{self.public!r}: a wildcard that the resource owns has the private name of its suffix")
        if self.private:
            privates = pattern(self.private)
            if not any(map(is_private_label, privates[2:])):
                raise ValueError(f"{self.private!r} has no label 'privatelink' below another label")
            bound = {*pattern(self.public), b"{guid}"}
            if unbound := {label for label in privates if is_placeholder(label)} - bound:
                raise ValueError(f"{self.private!r} has {unbound}, which {self.public!r} does not have")


class RegionRow(Row, frozen=True, kw_only=True):
    """A region that the table has no code for."""

    name: str


class SharedMark(Row, frozen=True, kw_only=True):
    """Names of an entry of the table that no single resource owns."""

    entry: str
    """Id of the entry."""
    groups: tuple[str, ...] = ()
    """The group ids of the entry that have such names. Empty: all."""
    names: tuple[str, ...] = ()
    """The public names. Empty: all names of the entry.

    `{guid}` is a GUID, `{label}` any label, and any other placeholder letters and digits.
    """
    scope: SharedBy


class CompanionIn(StrEnum):
    """Where the endpoint that another endpoint needs may be."""

    RESOURCE = "resource"
    """It connects to the same resource."""
    REGION = "region"
    """It connects to any resource of the same type, and is in the same region."""


class CompanionRow(Row, frozen=True, kw_only=True):
    """Clients of an endpoint with this resource type and group id need an endpoint with the group id `needs` too."""

    resource_type: str
    group: str
    needs: str
    within: CompanionIn = CompanionIn.RESOURCE


class Additions(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The whole file."""

    suffixes: tuple[AddedSuffix, ...] = ()
    forwarders: tuple[AddedForwarder, ...] = ()
    exceptions: tuple[MappingException, ...] = ()
    wildcards: tuple[WildcardRow, ...] = ()
    regions: tuple[RegionRow, ...] = ()
    shared: tuple[SharedMark, ...] = ()
    companions: tuple[CompanionRow, ...] = ()
