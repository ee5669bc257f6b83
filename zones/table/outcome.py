"""What a lookup comes to: a closed set of named values (the rows of the decision table in docs/answers.md).

`deps` are the names whose change could change the outcome: an answer made from it is evicted under each of them.
"""

from msgspec import Struct

from zones.dns.name import Name
from zones.dns.record import RRset

Deps = tuple[Name, ...]


class Found(Struct, frozen=True, gc=False):
    """Records at the name. `wildcard`: synthesised (RFC 4592); `origin`: `private`, `static` or `ptr`."""

    rrsets: tuple[RRset, ...]
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


class Alias(Struct, frozen=True, gc=False):
    """A CNAME of ours, to be followed. `rrsets`: the CNAME, after the DNAME where one made it."""

    rrsets: tuple[RRset, ...]
    target: Name
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


class NoData(Struct, frozen=True, gc=False):
    """The name exists, this type does not (RFC 2308 §2.2).

    `wildcard`: a wildcard or the miss policy lets the name exist, and any other that someone may make up.
    """

    soa: RRset
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


class NxDomain(Struct, frozen=True, gc=False):
    """The zone denies the name (RFC 8020: and all below it)."""

    soa: RRset
    zone: Name
    origin: str
    deps: Deps


class Failure(Struct, frozen=True, gc=False):
    """SERVFAIL by decision: a refused contest, a miss policy `servfail`, a name whose sources are not read yet.

    `why`: `refused`, `miss` or `unsynced`.
    """

    why: str
    zone: Name
    deps: Deps


class TooLong(Struct, frozen=True, gc=False):
    """A DNAME that would make a name of more than 255 octets (RFC 6672 §2.2): YXDOMAIN, with the DNAME."""

    rrsets: tuple[RRset, ...]
    zone: Name
    deps: Deps


class Referral(Struct, frozen=True, gc=False):
    """The name lies at or below a delegation of a zone file (RFC 1034 §4.3.2 step 3b)."""

    cut: Name
    ns: RRset
    glue: tuple[RRset, ...]
    zone: Name
    deps: Deps


class Outside(Struct, frozen=True, gc=False):
    """Not ours to answer: an upstream is asked. `zone`: a zone that we hold whose policy sends the miss there.

    `group`: the upstream group that the policy names, empty for the longest suffix.
    """

    deps: Deps
    zone: Name | None = None
    group: str = ""


Outcome = Found | Alias | NoData | NxDomain | Failure | TooLong | Referral | Outside
