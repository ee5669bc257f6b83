"""What a lookup comes to: a closed set of named values (the rows of the decision table in docs/answers.md).

`deps` are the names whose change could change the outcome: an answer made from it is evicted under each of them.
"""

from dataclasses import dataclass

from zones.name import Name
from zones.record import RRset

Deps = tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Records at the name. `wildcard`: synthesised (RFC 4592); `origin`: `private`, `static` or `ptr`."""

    rrsets: tuple[RRset, ...]
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """A CNAME of ours, to be followed. `rrsets`: the CNAME, after the DNAME where one made it."""

    rrsets: tuple[RRset, ...]
    target: Name
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists, this type does not (RFC 2308 §2.2).

    `wildcard`: a wildcard or the miss policy lets the name exist, and any other that someone may make up.
    """

    soa: RRset
    zone: Name
    origin: str
    deps: Deps
    wildcard: bool = False


@dataclass(frozen=True, slots=True)
class NxDomain:
    """The zone denies the name (RFC 8020: and all below it)."""

    soa: RRset
    zone: Name
    origin: str
    deps: Deps


@dataclass(frozen=True, slots=True)
class Failure:
    """SERVFAIL by decision: a refused contest, a miss policy `servfail`, a name whose sources are not read yet.

    `why`: `refused`, `miss` or `unsynced`.
    """

    why: str
    zone: Name
    deps: Deps


@dataclass(frozen=True, slots=True)
class TooLong:
    """A DNAME that would make a name of more than 255 octets (RFC 6672 §2.2): YXDOMAIN, with the DNAME."""

    rrsets: tuple[RRset, ...]
    zone: Name
    deps: Deps


@dataclass(frozen=True, slots=True)
class Referral:
    """The name lies at or below a delegation of a zone file (RFC 1034 §4.3.2 step 3b)."""

    cut: Name
    ns: RRset
    glue: tuple[RRset, ...]
    zone: Name
    deps: Deps


@dataclass(frozen=True, slots=True)
class Outside:
    """Not ours to answer: an upstream is asked. `zone`: a zone that we hold whose policy sends the miss there.

    `group`: the upstream group that the policy names, empty for the longest suffix.
    """

    deps: Deps
    zone: Name | None = None
    group: str = ""


Outcome = Found | Alias | NoData | NxDomain | Failure | TooLong | Referral | Outside
