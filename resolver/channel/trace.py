"""A trace: how a worker answers one query, one name after the other. `worker.explain` records it, control shows it.

Workers are not trusted: every value has a limit that decoding checks. Does not know why a claim won: control does.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from zones.dns.record import RRset

Label = Annotated[str, msgspec.Meta(max_length=1_024)]
"""A word of the configuration or of the worker."""
WireName = Annotated[bytes, msgspec.Meta(max_length=255)]
Records = Annotated[tuple[RRset, ...], msgspec.Meta(max_length=1_000)]


class Row(StrEnum):
    """What decided about a name: a row of the table in docs/answers.md, or one of the paragraphs below the table."""

    EARLY = "refused early"
    ACCESS = "access"
    SPECIAL = "special names"
    ZONE_FILE = "zone file"
    ALIAS = "endpoint alias"
    ADDRESS = "endpoint address"
    OTHER_TYPES = "other types"
    REST_OF_ZONE_FILE = "rest of a zone file"
    NOT_READY = "not ready"
    MISS_POLICY = "miss policy"
    POINTER = "pointer"
    LOCAL_REVERSE = "local reverse"
    UPSTREAM = "upstream"
    DROPPED = "dropped names"
    PRIVATE_ONLY = "private only"
    ALIASES = "aliases"
    """The chain of aliases is too long."""


class Access(StrEnum):
    """What the access list decides about a client."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    DROPPED = "dropped"


class Route(StrEnum):
    """Why a group of upstream servers gets a question."""

    POLICY = "policy"
    """The zone's `on_miss` is `forward:GROUP`."""
    SUFFIX = "suffix"
    """The group has the longest suffix that the name is at or under."""
    DEFAULT = "default"
    """No group has a suffix of the name: the group `public` gets the question."""


class CacheState(StrEnum):
    """What the worker's cache has for a question."""

    HIT = "hit"
    STALE = "stale"
    """The reply has expired, and is served because the question failed a few seconds ago (RFC 8767)."""
    EXPIRED = "expired"
    """The reply has expired. The servers are asked, and the reply is served if they do not answer in time."""
    FAILED = "failed"
    """The question failed a few seconds ago, and is not asked again yet (RFC 9520)."""
    MISS = "miss"


class ServerState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One server of a group, in the order in which the next question would ask them."""

    server: Label
    up: bool
    round_trip: float
    """Seconds, smoothed; 0 before the first answer."""


class UpstreamUse(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A question to a group of upstream servers, and what is known of its reply."""

    group: Label
    name: WireName
    type: int
    route: Route
    suffix: WireName
    """The suffix of the group for `Route.SUFFIX`; else empty."""
    state: CacheState
    asked: bool
    """Whether the servers were asked because of this trace."""
    rcode: int | None
    """The rcode of the reply; None without a reply."""
    failure: Label
    """Why there is no reply, for a failed question; else empty."""
    age: float
    """Seconds since the reply arrived; 0 without one."""
    left: float
    """Seconds until the reply or the failure expires; negative if it has expired."""
    servers: Annotated[tuple[ServerState, ...], msgspec.Meta(max_length=100)]


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One name of the chain of aliases, and what was decided about it."""

    name: WireName
    row: Row
    zone: WireName | None
    """The zone that decided; None for a name in no zone of this server."""
    wildcard: bool
    """The records or the denial come from a wildcard."""
    zones: Annotated[tuple[WireName, ...], msgspec.Meta(max_length=128)]
    """All zones at or above the name that the client's network has, the longest first."""
    private: WireName | None
    """The private name that the name leads to, or that the name is; None where no endpoint has the name here."""
    stars: Annotated[tuple[WireName, ...], msgspec.Meta(max_length=64)]
    """Wildcards that could cover the name, whether or not they exist."""
    reason: Label
    """Why a lookup failed (`FailureReason`); else empty."""
    records: Records
    """Records that the step added to the answer section."""
    target: WireName | None
    """The next name of the chain; None at the end of the chain."""
    stripped: bool
    """Addresses were removed from the reply of the upstream."""
    upstream: UpstreamUse | None


class KeptAnswer(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A compiled answer that the worker sends again. `age` and `left` are in seconds; `left` None: until a change."""

    age: float
    left: float | None


class Trace(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How a worker answers a query."""

    network: Label
    """Name of the client's network; `none` for a client in no network."""
    access: Access
    row: Row
    """What decided about the last name, or about the query before any name was looked up."""
    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=64)]
    message: Annotated[bytes, msgspec.Meta(max_length=65_535)] | None
    """The reply. None: the client is dropped, or upstream servers would have to be asked first (`Step.upstream`)."""
    kept: KeptAnswer | None
    """The compiled answer that `message` was made from; None if the worker has none."""
