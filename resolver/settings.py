"""What an accepted configuration says, as plain values that every process can read without pydantic.

`config` makes one `Accepted` from the file, flags and environment; the supervisor hands each child its part as JSON.
Every value here is valid: prefixes parse, names are names, paths are absolute. Durations are seconds.
"""

from typing import Literal

import msgspec

from resolver.host_port import HostPort
from zones.claims.policy import DEFAULTS, ConflictPolicy, Pin, ZonePolicy
from zones.networks.network import Network

__all__ = [
    "Accepted", "AzureSettings", "ConflictSettings", "ControlSettings", "Credential", "Network", "Pin", "Secret",
    "Server", "SourceSettings", "UpstreamGroup", "WorkerSettings", "ZonePolicy", "Zones",
]  # fmt: skip

Miss = str  # `public`, `nxdomain`, `nodata`, `servfail` or `forward:GROUP`


class Server(msgspec.Struct, frozen=True):
    """One upstream server: `udp` means UDP with TCP on truncation.

    One over TLS or HTTPS is known by the `name` in its certificate, or by a `pin`: the SHA-256 of its public key
    (RFC 7858 §4.2), base64.
    """

    transport: Literal["udp", "tcp", "tls", "https"]
    address: str
    port: int
    name: str = ""
    pin: str = ""
    ca: str = ""
    """Absolute path of the authorities that may sign its certificate; empty: the system's."""
    path: str = ""
    """Of the URL, over HTTPS."""
    count_errors: bool = True
    """An error reply (REFUSED, SERVFAIL) to a query that another server answers counts as a failure."""


ServerPolicy = Literal["sequential", "fastest", "race", "round-robin"]


class Rebinding(msgspec.Struct, frozen=True):
    """Whether private addresses in a group's answers are stripped or passed on. Those of names in `allow` pass."""

    answers: Literal["strip", "pass"] = "pass"
    allow: tuple[str, ...] = ()
    """Suffixes: names at and under these may have private addresses."""


class UpstreamGroup(msgspec.Struct, frozen=True):
    """A group of servers. Names under one of `suffixes` go there (longest wins); `public` takes the rest."""

    name: str
    servers: tuple[Server, ...]
    suffixes: tuple[str, ...] = ()
    policy: ServerPolicy = "sequential"
    """Which server is asked first, and when the next one is."""
    rebinding: Rebinding = Rebinding()
    mixed_case: bool = False
    """Questions in random case, which a forger has to guess too (0x20)."""
    rate: int = 0
    """Queries that its servers get at most from one worker in any second; 0: no bound."""


class Secret(msgspec.Struct, frozen=True):
    """Where a secret is found: a file (absolute path), or else an environment variable."""

    file: str = ""
    environment: str = ""


class Credential(msgspec.Struct, frozen=True):
    """An identity in Azure. Empty ids: as the environment says. Never a secret, only where it is found."""

    type: Literal["default", "managed-identity", "workload-identity", "cli", "client-secret", "certificate"] = "default"
    tenant_id: str = ""
    client_id: str = ""
    secret: Secret | None = None
    certificate: Secret | None = None
    """With its private key, PEM or PKCS#12."""
    password: Secret | None = None
    """Of the certificate."""


class EventSettings(msgspec.Struct, frozen=True):
    """A listener for Event Grid, and the secret that senders must give."""

    listen: HostPort
    secret: Secret


class AzureSettings(msgspec.Struct, frozen=True):
    """What a source of type `azure` reads, and as whom."""

    subscriptions: tuple[str, ...] = ()
    """Ids, folded; none: all that the identity can read."""
    interval: int = 60
    cloud: Literal["public", "usgovernment", "china"] = "public"
    management: str = "https://management.azure.com"
    """Origin of the Resource Manager, the only one that tokens are sent to."""
    credential: Credential = Credential()
    private_dns: Literal["off", "check", "serve"] = "off"
    """What private DNS zones are read for."""
    events: EventSettings | None = None


class SourceSettings(msgspec.Struct, frozen=True):
    """Where endpoints come from."""

    name: str
    type: Literal["files", "azure"]
    path: str = ""
    """Absolute, of `files`; of `azure` the origin of its Resource Manager, by which people know it."""
    on_unsynced: Literal["servfail", "public"] = "servfail"
    hold_down: int = 300
    """Of a remote source: seconds for which what is absent is kept, and for which claims that are gone linger."""
    expire: int = 86_400
    """Seconds without a good sync after which what it gave is called expired."""
    azure: AzureSettings | None = None
    """Of a source of that type."""

    @property
    def remote(self) -> bool:
        """It is asked, and may lose sight of what is there; files say what is gone by themselves."""
        return self.type != "files"


class ConflictSettings(msgspec.Struct, frozen=True):
    """`policies` maps a zone or name to its policy; the longest match wins over `policy`."""

    policy: ConflictPolicy = ConflictPolicy.STICKY
    policies: dict[str, ConflictPolicy] = {}
    pins: tuple[Pin, ...] = ()


class Zones(msgspec.Struct, frozen=True):
    """`files` are the zone files found (absolute, globs expanded), `origins` what they hold, in the same order."""

    defaults: ZonePolicy = DEFAULTS
    overrides: dict[str, ZonePolicy] = {}
    files: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    private_only: tuple[str, ...] = ()
    """Names at and under these never go to an upstream."""
    strip_hints: bool = False
    """Address hints are taken out of HTTPS records under the suffixes of the catalogue."""


class Tls(msgspec.Struct, frozen=True):
    """An encrypted listener. `certificate` (a chain, PEM) and `key` are absolute paths; workers read them."""

    listen: tuple[HostPort, ...]
    certificate: str
    key: str


class Https(Tls, frozen=True):
    """DNS over HTTPS at one path of that origin."""

    path: str = "/dns-query"


class NetworkListener(msgspec.Struct, frozen=True):
    """A listener for one network: every client that is allowed and asks at `listen` is in it."""

    listen: HostPort
    network: str


class Streams(msgspec.Struct, frozen=True):
    """Bounds of connections, for each worker. `idle` in seconds; `per_client` 0: one address may hold all."""

    idle: int = 10
    connections: int = 1000
    per_client: int = 0


class RateLimit(msgspec.Struct, frozen=True):
    """Answers over UDP for one client prefix: a bucket of `burst`, filled `per_second`; 1 of `slip` over it gets TC.

    `slip` 0: none does. `ipv4_prefix` and `ipv6_prefix` are lengths; loopback and `exempt` are not limited.
    """

    per_second: int
    burst: int
    slip: int = 2
    ipv4_prefix: int = 24
    ipv6_prefix: int = 56
    exempt: tuple[str, ...] = ()


class CookieSettings(msgspec.Struct, frozen=True):
    """DNS cookies (RFC 7873). Secrets are read from a file, or derived from `root`, which all workers share."""

    answer: bool = True
    secrets: str = ""
    """Absolute path of a file of secrets, 32 hexadecimal digits a line; the first one signs. Empty: none."""
    root: bytes = b""
    """32 random octets, made at each start where there is no file."""


class CacheSettings(msgspec.Struct, frozen=True):
    """Of upstream answers, in each worker. `stale`: seconds for which an expired one may still be given, 0: never."""

    size: int = 64 << 20
    stale: int = 86_400
    prefetch: bool = True


class WorkerSettings(msgspec.Struct, frozen=True):
    """The part that answering workers get: nothing about sources, admin or state."""

    listen: tuple[HostPort, ...]
    allow: tuple[str, ...]
    tls: Tls | None = None
    https: Https | None = None
    proxy_from: tuple[str, ...] = ()
    """Prefixes of proxies: what comes from them begins with a PROXY protocol header."""
    forwarders: tuple[str, ...] = ()
    """Prefixes of resolvers whose client-subnet option (RFC 7871) chooses the network."""
    drop_clients: tuple[str, ...] = ()
    """Prefixes that get no reply at all."""
    drop_names: tuple[str, ...] = ()
    """Names at and under these are refused."""
    streams: Streams = Streams()
    rate_limit: RateLimit | None = None
    cookies: CookieSettings = CookieSettings()
    identity: str = "pldns"
    """What this server calls itself: NSID (RFC 5001), CHAOS `id.server`."""
    payload: int = 1232
    """Octets of the largest UDP reply, and what our OPT records offer."""
    rotate: bool = False
    """The addresses of an answer change their order from one reply to the next."""
    networks: tuple[Network, ...] = ()
    """Those made by hand."""
    auto: bool = False
    """Virtual networks make networks too; control tells them."""
    listeners: tuple[NetworkListener, ...] = ()
    """Listeners for one network each."""
    zones: Zones = Zones()
    upstreams: tuple[UpstreamGroup, ...] = ()
    cache: CacheSettings = CacheSettings()
    mark: bytes = b""
    """Random octets by which a query of ours is known when it comes back; new at each start."""
    unsynced: bool = False
    """A source with `on_unsynced: servfail` is configured: the row "not ready" applies until all sources have data."""


class ControlSettings(msgspec.Struct, frozen=True):
    """The part that control gets."""

    networks: tuple[Network, ...] = ()
    """Those made by hand."""
    auto: bool = False
    """Virtual networks make networks too."""
    listeners: tuple[NetworkListener, ...] = ()
    """As for workers. Where VNets share an address space, only a listener can say which network a client is in."""
    zones: Zones = Zones()
    sources: tuple[SourceSettings, ...] = ()
    conflicts: ConflictSettings = ConflictSettings()
    upstreams: tuple[UpstreamGroup, ...] = ()
    admin_listen: HostPort | None = None
    """None: no admin listener."""
    state_directory: str = ""
    """An absolute path."""
    workers: int = 1


class Accepted(msgspec.Struct, frozen=True):
    """The whole accepted configuration. `warnings` are sentences for the log."""

    path: str
    worker: WorkerSettings
    control: ControlSettings
    workers: int = 1
    warnings: tuple[str, ...] = ()
