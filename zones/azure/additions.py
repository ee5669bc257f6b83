"""The rows of `data/additions.json`: what Microsoft's table of private link zones does not say.

Each row has a `source`: the documentation that says so. Does not know what the catalogue makes of the rows.
"""

from enum import StrEnum

import msgspec


class Row(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A row with the documentation that it was read from."""

    source: str


class SharedBy(StrEnum):
    """Whose resources all have one public name."""

    SERVICE = "service"
    """All resources of the service, of all tenants."""
    TENANT = "tenant"
    """All resources of the service in one tenant."""
    REGION = "region"
    """All resources of the service in one region."""


class SharedMark(Row, frozen=True, kw_only=True):
    """Names of an entry of the table that no single resource owns."""

    entry: str
    """Id of the entry."""
    groups: tuple[str, ...] = ()
    """The group ids of the entry that have such names. Empty: all."""
    names: tuple[str, ...] = ()
    """The public names, in which `{placeholder}` is any letters and digits. Empty: all names of the entry."""
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


class Additions(msgspec.Struct, frozen=True, rename="camel"):
    """The whole file."""

    shared: tuple[SharedMark, ...] = ()
    companions: tuple[CompanionRow, ...] = ()
