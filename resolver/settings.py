"""The accepted configuration, as plain values that every process can read without pydantic.

`resolver.config` makes one `Accepted` from the file, the environment and flags. The supervisor passes each child its
part as JSON. Every value is valid: prefixes parse, names are canonical, paths are absolute. Durations are in seconds.
A setting has the name of its configuration key. Does not know how the configuration file is written.
"""

from typing import Final, Literal

import msgspec

from resolver.admin_settings import AdminSettings
from resolver.azure_settings import AzureSettings, PrivateDnsMode
from resolver.host_port import HostPort
from resolver.hub_settings import HubSettings, HubSourceSettings
from resolver.query_log_settings import QueryLogSettings, QuerySelection
from resolver.registry_settings import RegistrySettings
from zones.azure.catalogue_table import Suffix
from zones.azure.configured_names import NameEntry
from zones.claims.policy import DEFAULTS, ConflictPolicy, Pin, ZonePolicy
from zones.networks.network import Network

# -- upstream servers

Transport = Literal["udp", "tcp", "tls", "https"]
"""How a server is asked. `udp` is UDP, and TCP when a reply is truncated."""
ServerPolicy = Literal["sequential", "fastest", "race", "round-robin"]
"""Which server of a group is asked first, and when the next one is asked."""
RebindingAnswers = Literal["strip", "pass"]
EdnsMode = Literal["auto", "off"]
"""`auto`: queries have EDNS, except for names that a server answers only without it."""
MAX_UPSTREAM_SECONDS: Final = 4.8
"""Most seconds for a question. The client must have an answer or SERVFAIL within 5 s."""


class Server(msgspec.Struct, frozen=True):
    """One upstream server.

    A server over TLS or HTTPS is identified by the `name` in its certificate or by a `pin`: the SHA-256 of its public
    key (RFC 7858 §4.2) in base64.
    """

    transport: Transport
    address: str
    port: int
    name: str = ""
    pin: str = ""
    ca: str = ""
    """Certificates (PEM) of the authorities that may sign the certificate. Empty: those of the system."""
    path: str = ""
    """Path of the URL, over HTTPS."""
    count_errors: bool = True
    """An error reply (REFUSED, SERVFAIL) to a query that another server answers counts as a failure."""


class Rebinding(msgspec.Struct, frozen=True):
    """Whether private addresses are stripped from a group's answers. Names at and under `allow` keep them."""

    answers: RebindingAnswers = "strip"
    allow: tuple[str, ...] = ()


class UpstreamGroup(msgspec.Struct, frozen=True):
    """A group of upstream servers. It takes the names at and under its `suffixes`; the longest suffix wins.

    The group `public` has no suffixes and takes all other names.
    """

    name: str
    servers: tuple[Server, ...]
    suffixes: tuple[str, ...] = ()
    policy: ServerPolicy = "sequential"
    rebinding: Rebinding = Rebinding()
    mixed_case: bool = False
    """Queries have their name in random case, which a forger would have to guess too."""
    rate: int = 0
    """The most queries that one worker sends to the group in any second. 0: no limit."""
    cookies: bool = True
    """Queries have a DNS cookie (RFC 7873)."""
    mark: bool = True
    """Queries have the mark that shows forwarding loops."""
    edns: EdnsMode = "auto"
    timeout: float = MAX_UPSTREAM_SECONDS
    """Seconds after which a question without an answer has failed."""
    tries: int = 3
    """Least number of queries for a question without an answer."""
    source: str = ""
    """Address that queries are sent from. Empty: the system chooses."""


# -- sources

SourceType = Literal["files", "azure", "registry", "hub"]
OnUnsynced = Literal["servfail", "public"]
"""The answer for names under the service suffixes while a source has never given data."""
GuardMode = Literal["on", "off"]
"""Whether a change that would remove too much of a source is held (`on`) or served (`off`)."""


class SourceSettings(msgspec.Struct, frozen=True):
    """A source of endpoints."""

    name: str
    type: SourceType
    path: str = ""
    """Type `files`: an absolute path. Type `azure`: the origin of the Resource Manager. Type `hub`: the first hub.

    Empty for the type `registry`.
    """
    on_unsynced: OnUnsynced = "servfail"
    hold_down: int = 300
    """Remote sources: seconds for which absent resources are kept and removed claims linger."""
    expire: int = 86_400
    """Seconds without a good sync after which the data is reported as expired."""
    azure: AzureSettings | None = None
    """Set when the type is `azure`."""
    guard: GuardMode = "on"
    hub: HubSourceSettings | None = None
    """Set when the type is `hub`."""

    @property
    def private_dns(self) -> PrivateDnsMode:
        """What the source reads private DNS zones for."""
        asked = self.azure or self.hub
        return asked.private_dns if asked else "off"

    @property
    def remote(self) -> bool:
        """Whether the source is read over a network, and may miss resources that exist. Other sources may not."""
        return self.type in {"azure", "hub"}


# -- zones and conflicts


class ConflictSettings(msgspec.Struct, frozen=True):
    """What happens when several endpoints claim a name. `policies` is by zone or name; the longest match wins."""

    policy: ConflictPolicy = ConflictPolicy.STICKY
    policies: dict[str, ConflictPolicy] = {}
    pins: tuple[Pin, ...] = ()


class Zones(msgspec.Struct, frozen=True):
    """How zones answer, and the zone files.

    `files` are absolute paths, with patterns expanded. `origins` are the zones in them, in the same order. `patterns`
    are absolute: files that match them later are served too, without a reload.
    """

    defaults: ZonePolicy = DEFAULTS
    overrides: dict[str, ZonePolicy] = {}
    files: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    private_only: tuple[str, ...] = ()
    """Suffixes: names at and under these are never asked of an upstream."""
    local_reverse: bool = False
    """The reverse zones of RFC 6303 are answered here: upstreams are not asked for names of private addresses."""
    strip_hints: bool = False
    """Address hints are removed from HTTPS records of Azure's services: `Catalogue.covers`."""


# -- answering clients

BindMode = Literal["fail", "wait"]
"""What happens at the start if this machine does not have a listen address: pldns does not start, or listens anyway."""


class Tls(msgspec.Struct, frozen=True):
    """Listeners for DNS over TLS. `certificate` (a chain, PEM) and `key` are absolute paths; workers read them."""

    listen: tuple[HostPort, ...]
    certificate: str
    key: str


class Https(Tls, frozen=True):
    """Listeners for DNS over HTTPS. Queries are answered at one `path`."""

    path: str = "/dns-query"


class NetworkListener(msgspec.Struct, frozen=True):
    """A listener for one network: every allowed client that asks at `listen` is in `network`."""

    listen: HostPort
    network: str


class Streams(msgspec.Struct, frozen=True):
    """Limits of connections in each worker. `idle` is in seconds. `per_client` 0: no limit for one address."""

    idle: int = 10
    connections: int = 1000
    per_client: int = 0


class RateLimit(msgspec.Struct, frozen=True):
    """Limit of UDP answers to one client prefix: a token bucket of `burst` that gains `per_second`.

    Over the limit, one of `slip` queries gets a truncated reply and the others get none; `slip` 0: none does.
    `ipv4_prefix` and `ipv6_prefix` are prefix lengths. Loopback and `exempt` have no limit.
    """

    per_second: int
    burst: int
    slip: int = 2
    ipv4_prefix: int = 24
    ipv6_prefix: int = 56
    exempt: tuple[str, ...] = ()


LOCAL_CLIENTS: Final = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
"""Loopback, private, shared and link-local addresses."""


class Unproven(msgspec.Struct, frozen=True):
    """Limit of UDP replies to clients that have not proved their address with a cookie.

    A reply to one of `clients` (prefixes) may have the full EDNS size. A reply to any other client has at most `factor`
    times the size of its query, or 512 octets if that is more.
    """

    clients: tuple[str, ...] = LOCAL_CLIENTS
    factor: int = 10


class CookieSettings(msgspec.Struct, frozen=True):
    """DNS cookies (RFC 7873). The secrets are in a file, or are derived from `root`, which all workers share."""

    answer: bool = True
    secrets: str = ""
    """Absolute path of a file of secrets, 32 hexadecimal digits a line. The first one signs. Empty: no file."""
    root: bytes = b""
    """32 random octets, made at each start when there is no file."""


class CacheSettings(msgspec.Struct, frozen=True):
    """The caches of each worker: replies of upstream servers, and compiled answers."""

    size: int = 64 << 20
    """Most octets of upstream replies."""
    answers: int = 192 << 20
    """Most octets of compiled answers."""
    stale: int = 86_400
    """Seconds for which an expired answer may still be sent. 0: never."""
    prefetch: bool = True


# -- the processes

SandboxMode = Literal["on", "off", "required"]
"""`on`: each process is confined as far as the kernel can. `required`: pldns starts only if it can in full."""


class WorkerSettings(msgspec.Struct, frozen=True):
    """The part for workers. It holds nothing about sources, the admin interface or saved state."""

    listen: tuple[HostPort, ...]
    allow: tuple[str, ...]
    bind: BindMode = "fail"
    tls: Tls | None = None
    https: Https | None = None
    proxy_from: tuple[str, ...] = ()
    """Prefixes of proxies. Everything from these addresses must begin with a PROXY protocol header."""
    forwarders: tuple[str, ...] = ()
    """Prefixes of resolvers whose client-subnet option (RFC 7871) chooses the network."""
    drop_clients: tuple[str, ...] = ()
    """Prefixes of clients that get no reply."""
    drop_names: tuple[str, ...] = ()
    """Suffixes: names at and under these are refused."""
    streams: Streams = Streams()
    rate_limit: RateLimit | None = None
    cookies: CookieSettings = CookieSettings()
    unproven: Unproven = Unproven()
    designation: str = ""
    """The name by which clients find the TLS and HTTPS listeners (RFC 9462). Empty: they do not find them."""
    identity: str = "pldns"
    """The name of this server in NSID (RFC 5001) and CHAOS `id.server`."""
    payload: int = 1232
    """Octets of the largest UDP reply, also offered in OPT records."""
    rotate: bool = False
    """The addresses in an answer change their order from one reply to the next."""
    networks: tuple[Network, ...] = ()
    """The networks in the configuration."""
    auto: bool = False
    """Virtual networks make networks too. Control sends them to the workers."""
    listeners: tuple[NetworkListener, ...] = ()
    catalogue: tuple[Suffix, ...] = ()
    """Suffixes that the configuration adds to the catalogue."""
    zones: Zones = Zones()
    upstreams: tuple[UpstreamGroup, ...] = ()
    cache: CacheSettings = CacheSettings()
    mark: bytes = b""
    """Random octets, new at each start, that mark the queries of this server so that loops are found."""
    sandbox: SandboxMode = "on"
    query_log: QuerySelection | None = None
    """Which queries are logged. None: no queries."""
    unsynced: bool = False
    """A source has `on_unsynced: servfail`: the row "not ready" applies until control reports that all have data."""


class HistorySettings(msgspec.Struct, frozen=True):
    """How much of the history is kept: `age` in seconds, `size` in octets."""

    age: int = 90 * 86400
    size: int = 256 << 20


class ControlSettings(msgspec.Struct, frozen=True):
    """The part for control."""

    networks: tuple[Network, ...] = ()
    """The networks in the configuration."""
    auto: bool = False
    """Virtual networks make networks too."""
    listeners: tuple[NetworkListener, ...] = ()
    """As for workers. Where VNets share an address space, only a listener can tell in which network a client is."""
    catalogue: tuple[Suffix, ...] = ()
    """As for workers."""
    zones: Zones = Zones()
    sources: tuple[SourceSettings, ...] = ()
    names: tuple[NameEntry, ...] = ()
    """Names that the configuration gives to endpoints."""
    conflicts: ConflictSettings = ConflictSettings()
    upstreams: tuple[UpstreamGroup, ...] = ()
    awaited: tuple[HostPort, ...] = ()
    """Listen addresses that this machine may lack."""
    admin: AdminSettings = AdminSettings()
    registry: RegistrySettings | None = None
    """None: there is no registry."""
    hub: HubSettings | None = None
    """None: no spoke follows this pldns."""
    state_directory: str = ""
    """An absolute path. Empty: nothing is saved."""
    history: HistorySettings = HistorySettings()
    workers: int = 1
    sandbox: SandboxMode = "on"
    watch: bool = False
    """A change of the configuration file causes a reload."""


class ProcessSettings(msgspec.Struct, frozen=True):
    """How the supervisor treats its children. Both are in seconds."""

    heartbeat: int = 3
    """A process that does not work for this time is replaced. 0: never."""
    lame_duck: int = 0
    """After a stop was requested, pldns is not ready but answers for this time."""


LogLevelName = Literal["debug", "info", "warning", "error"]
"""What is logged: events of this severity and those above it."""


class LogSettings(msgspec.Struct, frozen=True):
    """The form of the log of every process."""

    format: Literal["text", "json"] = "text"
    time: Literal["auto", "on", "off"] = "off"
    level: LogLevelName = "info"


class Overrides(msgspec.Struct, frozen=True):
    """What takes precedence over the configuration file: variables of the environment that are settings, and flags."""

    environment: dict[str, str] = {}
    flags: dict[str, str] = {}


class Accepted(msgspec.Struct, frozen=True):
    """The whole accepted configuration. `warnings` are sentences for the log.

    `user`: name or number of the user that a pldns started as root becomes. Empty: the default.
    """

    path: str
    worker: WorkerSettings
    control: ControlSettings
    workers: int = 1
    user: str = ""
    source: str = ""
    """SHA-256 of the configuration file, in hexadecimal digits."""
    processes: ProcessSettings = ProcessSettings()
    log: LogSettings = LogSettings()
    query_log: QueryLogSettings | None = None
    """None: queries are not logged."""
    memory: int = 0
    """Octets that all processes together may use. 0: the limit of the control group, if it has one."""
    warnings: tuple[str, ...] = ()
    keys: str = "{}"
    """Every key with its value as JSON, in the form of the configuration file, defaults and overrides included."""
    overrides: Overrides = Overrides()
