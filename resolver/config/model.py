"""The keys of the configuration file as pydantic models: what each one means, holds and defaults to.

Values are judged in `values`, what spans several keys in `checks`; `file` reads the file.
"""

from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from resolver.config.values import (
    AdminListen,
    Duration,
    EndpointId,
    Host,
    Invalid,
    Label,
    Listen,
    Miss,
    NetworkName,
    Prefix,
    Reach,
    Server,
    Text,
    Until,
    VNet,
    Zone,
)

Policy = Literal["sticky", "merge", "refuse"]


class Section(BaseModel):
    """What all parts of the file share: no unknown keys; a number where text belongs is that number's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Dns(Section):
    """The listeners, and who may ask."""

    listen: tuple[Listen, ...] = Field(
        default=("127.0.0.1:53",), min_length=1, description="Addresses to answer on, each over UDP and TCP."
    )
    workers: Annotated[int, Field(strict=True)] = Field(
        default=1, ge=1, le=256, description="Number of answering processes; more than there are cores gains nothing."
    )
    allow: tuple[Prefix, ...] = Field(
        default=(
            "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
            "::1/128", "fc00::/7", "fe80::/10",
        ),
        min_length=1,
        description="Clients that may ask; all others get REFUSED.",
    )  # fmt: skip


def _source_type(value: object) -> object:
    if value in {"azure", "registry"}:
        raise Invalid(f"this version has no sources of type `{value}`; it has `files`")
    return value


class Source(Section):
    """Where endpoints come from."""

    name: Label = Field(description="Name in logs, metrics and the admin interface; unique.")
    type: Annotated[Literal["files"], BeforeValidator(_source_type)] = Field(description="Kind of source: `files`.")
    path: Text = Field(
        description="A file or a folder: ARM JSON, `az … -o json` output, Resource Graph rows, or the short form. "
        "If it is missing, pldns runs without it, says so and watches for it."
    )
    on_unsynced: Literal["servfail", "public"] = Field(
        default="servfail",
        description="Names under the service suffixes while this source has never given data: "
        "`servfail` (an unknown private name never goes public), or `public`.",
    )


class Network(Section):
    """A named set of clients, and which endpoints they see. With neither `vnets` nor `reach` they see all."""

    name: NetworkName = Field(description="Unique; `none` and `default` are reserved.")
    clients: tuple[Prefix, ...] = Field(
        min_length=1, description="Prefixes of its clients; over all networks the longest match decides."
    )
    vnets: tuple[VNet, ...] = Field(
        default=(), description="Home: resource ids of the virtual networks that these clients are in. Always reached."
    )
    reach: tuple[Reach, ...] = Field(
        default=(), description="What else they see: VNet ids, `/subscriptions/ID`, `region:NAME`, `all`."
    )


_TTL: Final = "TTL of private answers."
_NEGATIVE_TTL: Final = "TTL of negative answers (RFC 2308)."
_ON_MISS: Final = (
    "What a name gets that the zone does not hold: `public` (asked upstream), `nxdomain`, `nodata`, `servfail`, "
    "or `forward:GROUP` (asked of that upstream group)."
)
_CHAIN: Final = "A public name answers with a `cname` to its privatelink name, or `flat` with the address."


class ZoneDefaults(Section):
    """Answers of endpoint zones."""

    ttl: Duration = Field(default=10, description=_TTL)
    negative_ttl: Duration = Field(default=10, description=_NEGATIVE_TTL)
    on_miss: Miss = Field(default="public", description=_ON_MISS)
    chain: Literal["cname", "flat"] = Field(default="cname", description=_CHAIN)


class ZoneOverride(Section):
    """The same keys for one zone; a key that is left out is as in `defaults` (a zone file's miss: `nxdomain`)."""

    ttl: Duration | None = Field(default=None, description=_TTL)
    negative_ttl: Duration | None = Field(default=None, description=_NEGATIVE_TTL)
    on_miss: Miss | None = Field(default=None, description=_ON_MISS)
    chain: Literal["cname", "flat"] | None = Field(default=None, description=_CHAIN)


class Zones(Section):
    """How zones answer, and zone files."""

    defaults: ZoneDefaults = Field(default=ZoneDefaults(), description="For every endpoint zone.")
    overrides: dict[Zone, ZoneOverride] = Field(default={}, description="By zone, also for those of zone files.")
    files: tuple[Text, ...] = Field(
        default=(),
        description="RFC 1035 master files; `*`, `?`, `[…]` and `**` match. Origin from `$ORIGIN` or the SOA.",
    )


class Upstream(Section):
    """A group of servers."""

    servers: tuple[Server, ...] = Field(
        min_length=1, description="`udp://ADDRESS[:PORT]` (TCP on truncation) or `tcp://ADDRESS[:PORT]`; port 53."
    )
    suffixes: tuple[Zone, ...] = Field(
        default=(), description="Names at and under these go to this group; the longest wins. Not for `public`."
    )


class Pin(Section):
    """An operator's word on which endpoint holds a name."""

    name: Host = Field(description="The name, public or private.")
    endpoint: EndpointId = Field(description="Resource id, or the short form's name.")
    network: Label | None = Field(default=None, description="Only in this network; without it, in all.")
    until: Until | None = Field(
        default=None, description="End of its validity: ISO 8601 with a time zone. Without it, for ever."
    )
    reason: str = Field(default="", description="Why; shown wherever the pin decides.")


class Conflicts(Section):
    """What happens when several endpoints claim one name."""

    policy: Policy = Field(
        default="sticky",
        description="`sticky`: one wins, and stays. `merge`: all addresses. `refuse`: SERVFAIL when nothing decides.",
    )
    policies: dict[Zone, Policy] = Field(
        default={}, description="By zone or name; the longest match wins over `policy`."
    )
    pins: tuple[Pin, ...] = Field(default=(), description="Decisions by hand.")


class Admin(Section):
    """The HTTP interface for health, metrics and status."""

    listen: AdminListen = Field(default="127.0.0.1:8053", description="A loopback address, or `off`.")


class State(Section):
    """What is kept over restarts."""

    directory: Text = Field(
        default="state", description="Made if missing, mode 0700. Under systemd: `$STATE_DIRECTORY`."
    )


def _not_auto(value: object) -> object:
    if value == "auto":
        raise Invalid("this version has no `auto` networks; each has to be listed")
    return value


class Configuration(Section):
    """The configuration file of pldns."""

    model_config = ConfigDict(title="pldns configuration")

    dns: Dns = Dns()
    sources: tuple[Source, ...] = Field(default=(), description="Where endpoints come from; may be empty.")
    networks: Annotated[
        tuple[Annotated[Network, BeforeValidator(_not_auto)], ...],
        BeforeValidator(_not_auto),
    ] = Field(default=(), description="Sets of clients and what they see. None: one network that sees every endpoint.")
    zones: Zones = Zones()
    upstreams: dict[Label, Upstream] = Field(
        default={},
        description="Groups of servers by name. `public` takes what no suffix takes; without it, the servers of the "
        "system's resolv.conf do.",
    )
    conflicts: Conflicts = Conflicts()
    admin: Admin = Admin()
    state: State = State()

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, value: object) -> object:
        """`dns:` with all its lines commented out is as if it were not there."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


NOT_YET: Final = frozenset({
    ("dns", "tls"), ("dns", "https"), ("dns", "proxy"),
    ("sources", "*", "hold_down"), ("sources", "*", "interval"), ("sources", "*", "subscriptions"),
    ("zones", "private_only"), ("zones", "strip_hints"),
})  # fmt: skip
"""Keys of later versions, `*` for any index. Refused, since a key that is accepted and ignored would be a lie."""


def kind(location: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - types have no common type
    """The type that the models have at `location` (a model, `tuple[…]`, `dict[…]` or a scalar), None if no such key."""
    found: Any = Configuration
    for part in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(str(part))
            found = field.annotation if field else None
        elif get_origin(found) is tuple and isinstance(part, int):
            found = get_args(found)[0]
        elif get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            return None
        while get_origin(found) is Annotated:
            found = get_args(found)[0]
    return found
