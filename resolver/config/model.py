"""The keys of the configuration file as pydantic models: what each one means, holds and defaults to.

Values are judged in `values`, what spans several keys in `checks`; `file` reads the file.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from resolver.config.forwarding import CacheSection, UpstreamSection
from resolver.config.listeners import DnsSection
from resolver.config.section import Section
from resolver.config.sources import Source
from resolver.config.values import (
    AdminListen,
    AnyNetwork,
    Duration,
    EndpointId,
    Host,
    Label,
    Miss,
    NetworkName,
    Prefix,
    Reach,
    Text,
    Until,
    VNet,
    Zone,
)

Policy = Literal["sticky", "merge", "refuse"]


class NetworkSection(Section):
    """A named set of clients, and which endpoints they see. With neither `vnets` nor `reach` they see all."""

    name: NetworkName = Field(description="Unique; `none`, `default` and `auto` are reserved.")
    clients: tuple[Prefix, ...] = Field(
        min_length=1, description="Prefixes of its clients; over all networks the longest match decides."
    )
    vnets: tuple[VNet, ...] = Field(
        default=(), description="Home: resource ids of the virtual networks that these clients are in. Always reached."
    )
    reach: tuple[Reach, ...] = Field(
        default=(), description="What else they see: VNet ids, `/subscriptions/ID`, `region:NAME`, `all`."
    )


AUTO: Final = NetworkSection.model_construct(name="auto", clients=())
"""The word `auto` among the networks."""


def _auto(value: object) -> object:
    return AUTO if value == "auto" else value


def _or_auto(schema: dict[str, Any]) -> None:
    """The word may stand for the list, and in it."""
    schema |= {"type": ["array", "string"], "pattern": "^auto$"}
    schema["items"] = {"anyOf": [schema["items"], {"const": "auto"}]}


_TTL: Final = "TTL of private answers."
_NEGATIVE_TTL: Final = "TTL of negative answers (RFC 2308)."
_ON_MISS: Final = (
    "What a name gets that the zone does not hold: `public` (asked upstream), `nxdomain`, `nodata`, `servfail`, "
    "or `forward:GROUP` (asked of that upstream group)."
)
_CHAIN: Final = "A public name answers with a `cname` to its privatelink name, or `flat` with the address."


class ZoneDefaultsSection(Section):
    """Answers of endpoint zones."""

    ttl: Duration = Field(default=10, description=_TTL)
    negative_ttl: Duration = Field(default=10, description=_NEGATIVE_TTL)
    on_miss: Miss = Field(default="public", description=_ON_MISS)
    chain: Literal["cname", "flat"] = Field(default="cname", description=_CHAIN)


class ZoneOverrideSection(Section):
    """The same keys for one zone; a key that is left out is as in `defaults` (a zone file's miss: `nxdomain`)."""

    ttl: Duration | None = Field(default=None, description=_TTL)
    negative_ttl: Duration | None = Field(default=None, description=_NEGATIVE_TTL)
    on_miss: Miss | None = Field(default=None, description=_ON_MISS)
    chain: Literal["cname", "flat"] | None = Field(default=None, description=_CHAIN)


class ZonesSection(Section):
    """How zones answer, and zone files."""

    defaults: ZoneDefaultsSection = Field(default=ZoneDefaultsSection(), description="For every endpoint zone.")
    overrides: dict[Zone, ZoneOverrideSection] = Field(default={}, description="By zone, also for those of zone files.")
    files: tuple[Text, ...] = Field(
        default=(),
        description="RFC 1035 master files; `*`, `?`, `[…]` and `**` match. Origin from `$ORIGIN` or the SOA.",
    )
    private_only: tuple[Zone, ...] = Field(
        default=(), description="Names at and under these never go upstream: what is not held is NXDOMAIN."
    )
    strip_hints: bool = Field(
        default=False, description="Take address hints out of public HTTPS answers for names of services."
    )


class PinSection(Section):
    """An operator's word on which endpoint holds a name."""

    name: Host = Field(description="The name, public or private.")
    endpoint: EndpointId = Field(description="Resource id, or the short form's name.")
    network: AnyNetwork | None = Field(default=None, description="Only in this network; without it, in all.")
    until: Until | None = Field(
        default=None, description="End of its validity: ISO 8601 with a time zone. Without it, for ever."
    )
    reason: str = Field(default="", description="Why; shown wherever the pin decides.")


class ConflictsSection(Section):
    """What happens when several endpoints claim one name."""

    policy: Policy = Field(
        default="sticky",
        description="`sticky`: one wins, and stays. `merge`: all addresses. `refuse`: SERVFAIL when nothing decides.",
    )
    policies: dict[Zone, Policy] = Field(
        default={}, description="By zone or name; the longest match wins over `policy`."
    )
    pins: tuple[PinSection, ...] = Field(default=(), description="Decisions by hand.")


class AdminSection(Section):
    """The HTTP interface for health, metrics and status."""

    listen: AdminListen = Field(default="127.0.0.1:8053", description="A loopback address, or `off`.")


class StateSection(Section):
    """What is kept over restarts."""

    directory: Text = Field(
        default="state", description="Made if missing, mode 0700. Under systemd: `$STATE_DIRECTORY`."
    )


class Configuration(Section):
    """The configuration file of pldns."""

    model_config = ConfigDict(title="pldns configuration")

    dns: DnsSection = DnsSection()
    sources: tuple[Source, ...] = Field(default=(), description="Where endpoints come from; may be empty.")
    networks: tuple[Annotated[NetworkSection, BeforeValidator(_auto)], ...] = Field(
        default=(),
        description="Sets of clients and what they see. None: one network that sees every endpoint. `auto`, alone or "
        "as an item: virtual networks and their peerings make networks too (docs/networks.md).",
        json_schema_extra=_or_auto,
    )
    zones: ZonesSection = ZonesSection()
    upstreams: dict[Label, UpstreamSection] = Field(
        default={},
        description="Groups of servers by name. `public` takes what no suffix takes; without it, the servers of the "
        "system's resolv.conf do.",
    )
    cache: CacheSection = CacheSection()
    conflicts: ConflictsSection = ConflictsSection()
    admin: AdminSection = AdminSection()
    state: StateSection = StateSection()

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, value: object) -> object:
        """`dns:` with all its lines commented out is as if it were not there."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
