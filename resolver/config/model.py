"""The keys of the configuration file as pydantic models: meaning, type and default of each key.

The types of single values are in `values`, rules between keys in `contradictions`; `file` reads the file.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from resolver.config.admin import AdminSection
from resolver.config.catalogue import CatalogueSection
from resolver.config.forwarding import CacheSection, UpstreamSection
from resolver.config.hub import HubSection
from resolver.config.listeners import DnsSection
from resolver.config.query_log import QueryLogSection
from resolver.config.registry import RegistrySection
from resolver.config.section import Section
from resolver.config.sources import Source
from resolver.config.values import (
    AnyNetwork,
    Duration,
    EndpointId,
    Excepted,
    Host,
    Label,
    Miss,
    NetworkName,
    Prefix,
    Reach,
    Size,
    Switch,
    Text,
    Until,
    VNet,
    Zone,
    on_or_off,
)
from resolver.settings import SandboxMode
from zones.claims.policy import ChainForm

LEAST_MEMORY: Final = 96 << 20
"""Octets: the processes themselves, and what is free for the kernel, with almost no cache."""
Policy = Literal["sticky", "merge", "refuse"]


class NetworkSection(Section):
    """A named set of clients, and the endpoints visible to them. Without `vnets` and `reach` all are visible."""

    name: NetworkName = Field(description="Unique; `none`, `default` and `auto` are reserved.")
    clients: tuple[Prefix, ...] = Field(
        min_length=1, description="Prefixes of its clients. The longest match over all networks decides."
    )
    vnets: tuple[VNet, ...] = Field(
        default=(),
        description="Resource ids of the virtual networks that the clients are in. Their endpoints are always visible.",
    )
    reach: tuple[Reach, ...] = Field(
        default=(),
        description="Further endpoints visible to the clients: VNet ids, `/subscriptions/ID`, `region:NAME`, `all`.",
    )
    except_: tuple[Excepted, ...] = Field(
        default=(),
        alias="except",
        description="What is hidden from the clients although they could see it: resource ids or "
        "names of endpoints, or FQDNs.",
    )


AUTO: Final = NetworkSection.model_construct(name="auto", clients=())
"""The item `auto` in the list of networks."""


def _auto(value: object) -> object:
    return AUTO if value == "auto" else value


def _or_auto(schema: dict[str, Any]) -> None:
    """Allow the word `auto` in the list and in place of the list."""
    schema |= {"type": ["array", "string"], "pattern": "^auto$"}
    schema["items"] = {"anyOf": [schema["items"], {"const": "auto"}]}


_TTL: Final = "TTL of private answers."
_NEGATIVE_TTL: Final = "TTL of negative answers (RFC 2308)."
_ON_MISS: Final = (
    "The answer for a name that the zone does not have: `public` (ask upstream), `nxdomain`, `nodata`, `servfail`, or "
    "`forward:GROUP` (ask that upstream group)."
)
_CHAIN: Final = (
    "`cname`: a public name is answered with a CNAME to its privatelink name. `flat`: with the address itself. `auto`: "
    "with a CNAME where one conditional forwarder covers both names, else with the address (`vault.azure.net`)."
)


class ZoneDefaultsSection(Section):
    """Answers of zones that endpoints make."""

    ttl: Duration = Field(default=10, description=_TTL)
    negative_ttl: Duration = Field(default=10, description=_NEGATIVE_TTL)
    on_miss: Miss = Field(default="public", description=_ON_MISS)
    chain: ChainForm = Field(default="auto", description=_CHAIN)


class ZoneOverrideSection(Section):
    """The same keys for one zone. A missing key is as in `defaults`; for a zone file, `on_miss` is then `nxdomain`."""

    ttl: Duration | None = Field(default=None, description=_TTL)
    negative_ttl: Duration | None = Field(default=None, description=_NEGATIVE_TTL)
    on_miss: Miss | None = Field(default=None, description=_ON_MISS)
    chain: ChainForm | None = Field(default=None, description=_CHAIN)


class ZonesSection(Section):
    """How zones answer, and which zone files are served."""

    defaults: ZoneDefaultsSection = Field(default=ZoneDefaultsSection(), description="For every endpoint zone.")
    overrides: dict[Zone, ZoneOverrideSection] = Field(default={}, description="By zone, also for zones of zone files.")
    files: tuple[Text, ...] = Field(
        default=(),
        description="RFC 1035 master files; `*`, `?`, `[…]` and `**` are wildcards. Files that match later are served "
        "without a reload. The origin is `$ORIGIN` or the SOA's owner.",
    )
    private_only: tuple[Zone, ...] = Field(
        default=(),
        description="Names at and under these are never asked upstream. A name that pldns does not have is NXDOMAIN.",
    )
    local_reverse: Switch = Field(
        default=False,
        description="Answer the reverse names of private addresses here and never ask an upstream (RFC 6303), except "
        "where a zone file, an endpoint, an override or the suffix of an upstream group has the name.",
    )
    strip_hints: Switch = Field(
        default=False, description="Remove address hints from public HTTPS answers for names of Azure services."
    )


class NameSection(Section):
    """A name for the addresses of an endpoint, as if its network interface had listed the name."""

    name: Host = Field(description="The name that clients ask for. The catalogue maps it to a private name, if it can.")
    endpoint: EndpointId = Field(
        description="Resource id of the endpoint, or its name where no other endpoint has that name."
    )
    member: Text | None = Field(
        default=None,
        description="Only the addresses of this required member, or of this group, of the network interface. "
        "Default: all addresses of the endpoint.",
    )


class PinSection(Section):
    """An operator's decision which endpoint has a name."""

    name: Host = Field(description="The name, public or private.")
    endpoint: EndpointId = Field(description="Resource id, or the name in the short form.")
    network: AnyNetwork | None = Field(default=None, description="Only in this network. Default: in all networks.")
    until: Until | None = Field(
        default=None, description="When the pin ends: ISO 8601 with a time zone. Default: never."
    )
    reason: str = Field(default="", description="The reason, shown wherever the pin decides.")


class ConflictsSection(Section):
    """What happens when several endpoints claim one name."""

    policy: Policy = Field(
        default="sticky",
        description="`sticky`: one endpoint wins and stays. `merge`: all addresses. `refuse`: SERVFAIL when no rule "
        "decides.",
    )
    policies: dict[Zone, Policy] = Field(
        default={}, description="Policies by zone or name. The longest match takes precedence over `policy`."
    )
    pins: tuple[PinSection, ...] = Field(default=(), description="Decisions of operators.")


class HistorySection(Section):
    """How much of the history of names, findings and sources is kept, in `history.v1.sqlite` in the state directory."""

    age: Duration = Field(default=90 * 86400, description="Older entries are removed.")
    size: Size = Field(
        default=256 << 20, ge=1 << 20, description="Octets of the file. The oldest entries are removed first."
    )


class StateSection(Section):
    """What pldns keeps over restarts."""

    directory: Text = Field(
        default="state", description="Created if missing, with mode 0700. Default under systemd: `$STATE_DIRECTORY`."
    )
    history: HistorySection = Field(
        default=HistorySection(), description="What `pldns history` shows. See docs/history.md."
    )


class ReloadSection(Section):
    """When pldns reads its configuration again (docs/operations.md)."""

    watch: Switch = Field(
        default=False,
        description="Reload when the configuration file changes. Otherwise on SIGHUP and `pldns reload` only. Zone "
        "files, certificates and the files of sources are always watched.",
    )


class ProcessesSection(Section):
    """The processes of pldns: when one counts as hung, and how a stop begins."""

    heartbeat: Duration = Field(
        default=3,
        le=3600,
        description="A worker or control that does not work for this time hangs: it is killed and started again. "
        "Control may compute 20 times as long. 0: nothing is killed.",
    )
    lame_duck: Duration = Field(
        default=0,
        le=3600,
        description="After SIGTERM, `/readyz` is 503 but queries are answered for this time. Then pldns stops.",
    )


class LogSection(Section):
    """The log of pldns on stderr. A reload does not change it."""

    format: Literal["text", "json"] = Field(
        default="text", description="`json`: an object on each line, with `level`, `process`, `code` and `message`."
    )
    time: Annotated[Literal["auto", "on", "off"], BeforeValidator(on_or_off)] = Field(
        default="auto",
        description="Whether lines have a time, as RFC 3339 in UTC. `auto`: except where stderr is a pipe or a socket, "
        "whose reader adds one (journald, a container engine).",
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Less severe events are not logged."
    )


Sandbox = Annotated[SandboxMode, BeforeValidator(on_or_off)]


class Configuration(Section):
    """The configuration file of pldns."""

    model_config = ConfigDict(title="pldns configuration")

    dns: DnsSection = DnsSection()
    sources: tuple[Source, ...] = Field(default=(), description="The sources of endpoints; may be empty.")
    names: tuple[NameSection, ...] = Field(
        default=(),
        description="Names for endpoints that bring none: Private Link services, Application Gateway, HDInsight.",
    )
    networks: tuple[Annotated[NetworkSection, BeforeValidator(_auto)], ...] = Field(
        default=(),
        description="Sets of clients and the endpoints visible to them. Default: one network, to which every endpoint "
        "is visible. `auto`, alone or as an item: virtual networks and their peerings make networks too "
        "(docs/networks.md).",
        json_schema_extra=_or_auto,
    )
    catalogue: CatalogueSection = CatalogueSection()
    zones: ZonesSection = ZonesSection()
    upstreams: dict[Label, UpstreamSection] = Field(
        default={},
        description="Groups of upstream servers by name. `public` takes all names without a suffix. Default of "
        "`public`: the servers in the system's resolv.conf.",
    )
    cache: CacheSection = CacheSection()
    conflicts: ConflictsSection = ConflictsSection()
    admin: AdminSection = AdminSection()
    registry: RegistrySection | None = Field(default=None, description="Default: no registry.")
    hub: HubSection | None = Field(default=None, description="Default: no other pldns can follow this one.")
    state: StateSection = StateSection()
    reload: ReloadSection = ReloadSection()
    processes: ProcessesSection = ProcessesSection()
    log: LogSection = LogSection()
    query_log: QueryLogSection | None = Field(
        default=None, description="Which queries are logged, and where. Default: none are."
    )
    memory: Annotated[Size, Field(ge=LEAST_MEMORY)] | None = Field(
        default=None,
        description="Memory that all processes of pldns may use together, at least 96MiB. The caches shrink to it "
        "(docs/operations.md). Default: the limit of the control group (container, systemd unit) if there is one, else "
        "no limit.",
    )
    user: Text | None = Field(
        default=None,
        description="The user that pldns becomes when it is started as root: a name or a number. `root` stays root. "
        "Default: the account `pldns` if it exists, else user and group 65532.",
    )
    sandbox: Sandbox = Field(
        default="on",
        description="Confines each process to what it uses (docs/sandbox.md). `on`: as far as the kernel can. "
        "`required`: pldns starts only if the kernel can in full. `off`: not at all.",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, value: object) -> object:
        """Treat `dns:` without a value, as when all its lines are comments, like a missing key."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
