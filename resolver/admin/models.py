"""What the admin interface says and takes, as pydantic models: its JSON, its OpenAPI and its page are made from these.

Times are RFC 3339 in UTC, durations seconds. Lists of networks and of what is degraded are bounded; `networks_total`
and `degraded_total` count all.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from zones.findings.finding import Severity

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Model(BaseModel):
    """What all answers share. Clients must take keys that they do not know."""

    model_config = ConfigDict(frozen=True)


class Problem(Model):
    """An error (RFC 9457)."""

    type: str = Field(default="about:blank", description="No further page explains it: the title is the status's.")
    title: str
    status: int
    detail: str | None = None


class Worker(Model):
    """An answering process."""

    index: int
    pid: int = Field(description="0 while it has never been there.")
    connected: bool
    synced: bool = Field(description="It answers from a table that every source had a part in.")
    serial: int = Field(description="The last state that it has applied.")


class HeldSync(Model):
    """A sync that would remove so much that an operator has to accept or drop it. Nothing of it is served."""

    since: Time = Field(description="When a sync was first held; later ones take its place.")
    read: Time = Field(description="When this one was read.")
    reasons: list[str]
    endpoints: int = Field(description="Private endpoints that it would remove.")
    vnets: int = Field(description="Virtual networks that it would remove.")
    ids: list[str] = Field(description="Some of what it would remove.")


class Syncs(Model):
    """The syncs of a remote source."""

    syncing: bool = Field(description="A sync is under way.")
    next: Time | None = Field(description="When the next one begins; null while one is under way.")
    interval: float | None = Field(description="Seconds between two of them, as the source has it now.")
    duration: float | None = Field(description="Seconds that the last one took.")
    failures: int = Field(description="How many failed in a row; the time between them grows.")
    results: dict[str, int] = Field(description="How many were `published`, `held` or `failed`, since control started.")
    calls_per_hour: int | None = Field(
        description="Requests that the last sync comes to, if the next ones are like it."
    )
    absent: int = Field(description="Resources that syncs lack and that are still served: not known to be gone.")
    held: HeldSync | None


class Source(Model):
    """Where endpoints come from, and how that is."""

    name: str
    type: str
    path: str = Field(description="Empty for a remote source.")
    on_unsynced: str
    synced: bool = Field(description="It has given one good inventory, live or saved.")
    saved: bool = Field(description="What is served of it is the saved inventory so far.")
    last_success: Time | None
    age: float | None = Field(description="Seconds since `last_success`.")
    freshness: Literal["fresh", "stale", "expired"] | None = Field(
        description="`stale` after three intervals without a good sync, `expired` after `expire`; null: no data."
    )
    last_error: str
    parts: int = Field(description="Files, or subscriptions.")
    unreadable: int = Field(description="Those that cannot be read; what they gave before is kept.")
    sync: Syncs | None = Field(description="null for files, which are watched.")


class Alive(Model):
    """The process loops and a worker answers."""

    status: Literal["alive"] = "alive"


class Degraded(Model):
    """Something is wrong with a source, and what it gave is served."""

    source: str
    scope: str = Field(description="The file or subscription; empty for the whole source.")
    message: str


class Ready(Model):
    """All data is there, and every worker has applied it. `sources` and `workers` with `?verbose`."""

    status: Literal["ready"] = "ready"
    missing: list[str] = []
    degraded: list[Degraded] = Field(description="What does not make it unready.")
    degraded_total: int
    sources: list[Source] | None = None
    workers: list[Worker] | None = None


class NotReady(Problem):
    """What is missing."""

    missing: list[str]
    degraded: list[Degraded]
    degraded_total: int
    sources: list[Source] | None = None
    workers: list[Worker] | None = None


class Counts(Model):
    """How much there is."""

    endpoints: int
    served: int = Field(description="Endpoints whose claims can be served.")
    claims: int
    names: int = Field(description="Private names that are answered.")
    vnets: int
    networks: int
    zone_files: int
    findings: dict[Severity, int]


class Status(Model):
    """The daemon in one look."""

    version: str
    started: Time = Field(description="Of control, which restarts by itself.")
    uptime: float
    serial: int
    ready: bool
    missing: list[str]
    degraded: list[Degraded]
    degraded_total: int
    workers: list[Worker]
    sources: list[Source]
    counts: Counts


class EndpointRecord(Model):
    """A row of the endpoint's NIC."""

    fqdn: str
    addresses: list[str]
    group: str
    member: str


class Endpoint(Model):
    """A private endpoint."""

    id: str
    name: str
    state: str
    provisioning: str
    served: bool
    target: str
    groups: list[str]
    region: str
    vnet: str
    networks: list[str] = Field(description="Networks that see it.")
    networks_total: int
    records: list[EndpointRecord]
    source: str
    where: str


class Zone(Model):
    """A zone that is answered, and its terms."""

    zone: str
    source: Literal["endpoints", "file", "private-dns", "configuration"] = Field(
        description="What makes it: served endpoints, a zone file or records of a private DNS zone (with endpoints or "
        "without), or `zones.overrides`."
    )
    names: int = Field(description="Names that own records.")
    networks: list[str] = Field(description="Networks that see it.")
    networks_total: int
    ttl: int
    negative_ttl: int | None = Field(description="null: as the zone file's SOA says.")
    on_miss: str
    chain: str


class Answer(Model):
    """What a name is in some networks, for one type, and why."""

    networks: list[str]
    networks_total: int
    rcode: Literal["NOERROR", "SERVFAIL"]
    type: str | None = Field(description="null where the answer is SERVFAIL, for whatever type.")
    ttl: int | None
    data: list[str]
    endpoints: list[str] = Field(description="Those that won; none in a refused contest.")
    losers: list[str]
    rule: str = Field(description="The rule that decided; empty where nothing had to be decided.")


class Record(Model):
    """A private name."""

    name: str
    source: Literal["endpoints", "file", "private-dns"]
    public: list[str] = Field(description="Public names that lead to it.")
    answers: list[Answer]


class Claim(Model):
    """An endpoint says that a name has these addresses."""

    name: str
    public: str
    zone: str | None
    endpoint: str
    addresses: list[str]
    state: str
    served: bool
    networks: list[str] = Field(description="Networks that see it.")
    networks_total: int
    first_seen: Time
    lingers_until: Time | None = Field(
        description="It is gone; until then it lingers where no live claim is seen on its name or addresses."
    )
    source: str
    where: str


class Network(Model):
    """A network as it is now. `none` holds prefixes whose clients are kept out of all: several VNets hold them."""

    name: str
    origin: Literal["auto", "configured", "default"] = Field(
        description="`auto`: a virtual network makes it. `default`: the only one where none is configured."
    )
    clients: list[str] = Field(description="Prefixes; the longest one over all networks decides.")
    vnets: list[str] = Field(description="Home.")
    reach: list[str] = Field(description="What else it sees. With neither it sees everything.")
    listeners: list[str] = Field(description="Addresses where all who ask are in it.")


class Claims(Model):
    """All claims on a name, and what was made of them."""

    items: list[Claim]
    next: None = None
    records: list[Record]


class Finding(Model):
    """A fact about the inventory that a person should know. docs/findings.md explains each code."""

    id: str
    code: str
    severity: Severity
    networks: list[str]
    subject: str
    evidence: dict[str, Any]
    winner: str
    rule: str
    action: str
    first_seen: Time
    age: float


class Fallback(Model):
    """A name inside a private zone that nobody holds, and that an upstream was asked for."""

    zone: str
    name: str
    network: str
    clients: list[str] = Field(description="Addresses that asked, at most 8.")
    count: int
    first: Time
    last: Time


class Cache(Model):
    """What one worker has of upstream answers, and of its own in the form in which they are sent."""

    worker: int
    replies: int = Field(description="Replies of upstreams, also expired ones that may still be given.")
    octets: int = Field(description="Room that they take, roughly.")
    answers: int = Field(description="Compiled answers.")
    answer_octets: int


class Flushed(Model):
    """What became of a flush."""

    flushed: int = Field(description="Replies of upstreams gone, over all workers.")
    silent: list[int] = Field(description="Workers that did not answer in time: they may still have it.")


class Flush(BaseModel):
    """What is to be forgotten of upstream answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["flush"]
    name: str = Field(description="What was asked.")
    subtree: bool = Field(default=False, description="Names under it as well.")
    type: str | None = Field(default=None, description="Only what was asked for this type.")


class Sync(BaseModel):
    """What is to be done with a remote source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["now", "accept", "drop"] = Field(
        description="`now`: sync at once. `accept`: take the held sync as it is. `drop`: forget it, and judge the next."
    )


class Query(BaseModel):
    """Parameters of a request; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Verbose(Query):
    """Parameters of `/readyz`."""

    verbose: str | None = Field(default=None, description="With the sources and the workers.")


class ListQuery(Query):
    """Parameters of every list."""

    limit: int = Field(default=1000, ge=1, le=10_000, description="Items of a page, at most.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")


class FindingQuery(ListQuery):
    """Which findings."""

    code: str | None = None
    severity: Severity | None = None


class ClaimQuery(Query):
    """Which name."""

    name: str = Field(description="A public or a private name.")
