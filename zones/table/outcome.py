"""Outcomes of a lookup: a closed set of values, one for each row of the decision table in docs/answers.md.

`deps` are the names whose change could change the outcome. An answer made from it is evicted when one of them changes.
"""

from enum import StrEnum

from msgspec import Struct

from zones.dns.name import Name
from zones.dns.record import RRset

Deps = tuple[Name, ...]


class DataOrigin(StrEnum):
    """What an outcome is made of."""

    PRIVATE = "private"
    """Endpoints."""
    STATIC = "static"
    """A static zone: a zone file, or records that a private DNS zone provides."""
    PTR = "ptr"
    """The address of an endpoint."""
    POLICY = "policy"
    """The miss policy of a zone."""


class FailureReason(StrEnum):
    """Why a lookup fails."""

    REFUSED = "refused"
    """The conflict policy refuses to decide a contest."""
    MISS = "miss"
    """The zone's miss policy is `servfail`."""
    UNSYNCED = "unsynced"
    """A source has not been read yet, so the name may exist."""


class Found(Struct, frozen=True, gc=False):
    """Records of the name. `wildcard`: synthesised from a wildcard (RFC 4592)."""

    rrsets: tuple[RRset, ...]
    zone: Name
    origin: DataOrigin
    deps: Deps
    wildcard: bool = False


class Alias(Struct, frozen=True, gc=False):
    """A CNAME to follow. `rrsets` is the CNAME; with a DNAME, the DNAME and the CNAME that it makes."""

    rrsets: tuple[RRset, ...]
    target: Name
    zone: Name
    origin: DataOrigin
    deps: Deps
    wildcard: bool = False


class NoData(Struct, frozen=True, gc=False):
    """The name exists, but this type does not (RFC 2308 §2.2).

    `wildcard`: the name exists only by a wildcard or by the miss policy, as any name would that a client makes up.
    """

    soa: RRset
    zone: Name
    origin: DataOrigin
    deps: Deps
    wildcard: bool = False


class NxDomain(Struct, frozen=True, gc=False):
    """The name does not exist, and no name below it (RFC 8020)."""

    soa: RRset
    zone: Name
    origin: DataOrigin
    deps: Deps


class Failure(Struct, frozen=True, gc=False):
    """SERVFAIL."""

    why: FailureReason
    zone: Name
    deps: Deps


class TooLong(Struct, frozen=True, gc=False):
    """YXDOMAIN with the DNAME, which would make a name of more than 255 octets (RFC 6672 §2.2)."""

    rrsets: tuple[RRset, ...]
    zone: Name
    deps: Deps


class Referral(Struct, frozen=True, gc=False):
    """The name is at or below a delegation of a static zone (RFC 1034 §4.3.2 step 3b)."""

    cut: Name
    ns: RRset
    glue: tuple[RRset, ...]
    zone: Name
    deps: Deps


class Outside(Struct, frozen=True, gc=False):
    """An upstream has to answer.

    `zone` is the zone whose miss policy sends the query there; None for a name in no zone. `group` is the group of
    upstreams that the policy names; empty for the group with the longest matching suffix.
    """

    deps: Deps
    zone: Name | None = None
    group: str = ""
    apex: RRset | None = None
    """For DS at the apex of a zone that is served here: the SOA of that zone, which shows that the name exists."""


Outcome = Found | Alias | NoData | NxDomain | Failure | TooLong | Referral | Outside
