"""The keys of the configuration file as pydantic models: what each one means, holds and defaults to.

Values are judged in `values`, what spans several keys in `checks`; `file` reads the file.
"""

from types import UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from resolver.config.values import (
    AdminListen,
    Count,
    Duration,
    EndpointId,
    Host,
    Identity,
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
    UrlPath,
    VNet,
    Zone,
)

Policy = Literal["sticky", "merge", "refuse"]


class Section(BaseModel):
    """What all parts of the file share: no unknown keys; a number where text belongs is that number's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


_CERTIFICATE: Final = "Certificate chain in PEM form. Read again when it changes."
_KEY: Final = "Its private key in PEM form, not encrypted."


class Tls(Section):
    """DNS over TLS (RFC 7858)."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class Https(Section):
    """DNS over HTTPS (RFC 8484), over HTTP/2 and HTTP/1.1."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    path: UrlPath = Field(default="/dns-query", description="The one path that answers.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class Proxy(Section):
    """Proxies and load balancers that tell whose queries they pass on (PROXY protocol, version 2)."""

    from_: tuple[Prefix, ...] = Field(
        alias="from",
        min_length=1,
        description="What comes from these addresses begins with the header, on every listener; nothing else is "
        "answered there. Nobody else's header is believed.",
    )


class Drop(Section):
    """What is not served, whoever may ask."""

    clients: tuple[Prefix, ...] = Field(default=(), description="Clients that get no reply at all, allowed or not.")
    names: tuple[Zone, ...] = Field(default=(), description="Names that are refused, with all names under them.")


class Cookies(Section):
    """DNS cookies (RFC 7873, RFC 9018), with which a client shows that its address is its own."""

    answer: bool = Field(default=True, description="Clients that send a cookie get one.")
    secrets: Text | None = Field(
        default=None,
        description="A file of secrets, 32 hexadecimal digits a line; the first one signs, all are accepted. Read "
        "again when it changes. For several servers behind one address; without it, each start makes its own.",
    )


class Streams(Section):
    """Connections over TCP, TLS and HTTPS together, in each worker."""

    idle: Duration = Field(
        default=10, ge=1, description="A connection without a whole query for so long is closed (RFC 7766 §6.2.3)."
    )
    connections: Count = Field(
        default=1000, ge=1, le=100_000, description="At the limit, the one that has been idle longest makes room."
    )
    per_client: Count | None = Field(
        default=None, ge=1, description="The same for one client address; without it, one may hold all."
    )


class RateLimit(Section):
    """Answers over UDP for each client prefix. Clients with a cookie, over TCP, or on loopback are not limited."""

    per_second: Count = Field(ge=1, le=1_000_000, description="Answers in a second, in the long run.")
    burst: Count | None = Field(default=None, ge=1, description="Answers at once; twice `per_second` without it.")
    slip: Count = Field(
        default=2,
        ge=0,
        le=10,
        description="One of so many queries over the limit gets a truncated reply (or BADCOOKIE), on which a real "
        "client comes back over TCP; 0: none does. The others get nothing.",
    )
    ipv4_prefix: Count = Field(default=24, ge=1, le=32, description="Length of the prefixes that share a limit, IPv4.")
    ipv6_prefix: Count = Field(default=56, ge=1, le=128, description="The same for IPv6.")
    exempt: tuple[Prefix, ...] = Field(default=(), description="Clients without a limit.")


class Dns(Section):
    """The listeners, and who may ask."""

    listen: tuple[Listen, ...] = Field(
        default=("127.0.0.1:53",), min_length=1, description="Addresses to answer on, each over UDP and TCP."
    )
    workers: Count = Field(
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
    drop: Drop = Drop()
    tls: Tls | None = None
    https: Https | None = None
    proxy: Proxy | None = None
    forwarders: tuple[Prefix, ...] = Field(
        default=(),
        description="Resolvers that forward to this one: the client subnet that they send (RFC 7871) chooses the "
        "network, if it lies in one network as a whole. `allow` judges their own address.",
    )
    identity: Identity | None = Field(
        default=None, description="What NSID and CHAOS `id.server` tell; without it, the name of the host."
    )
    payload: Count = Field(
        default=1232, ge=512, le=4096, description="Octets of the largest reply over UDP (RFC 9715)."
    )
    rotate: bool = Field(default=False, description="Several addresses of a name change their order with each reply.")
    cookies: Cookies = Cookies()
    streams: Streams = Streams()
    rate_limit: RateLimit | None = None


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
    ("sources", "*", "hold_down"), ("sources", "*", "interval"), ("sources", "*", "subscriptions"),
    ("zones", "private_only"), ("zones", "strip_hints"),
})  # fmt: skip
"""Keys of later versions, `*` for any index. Refused, since a key that is accepted and ignored would be a lie."""


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their keys in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def kind(location: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - types have no common type
    """The type that the models have at `location` (a model, `tuple[…]`, `dict[…]` or a scalar), None if no such key."""
    found: Any = Configuration
    for part in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = fields(found).get(str(part))
            found = field.annotation if field else None
        elif get_origin(found) is tuple and isinstance(part, int):
            found = get_args(found)[0]
        elif get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            return None
        found = _bare(found)
    return found


def _bare(found: Any) -> Any:  # noqa: ANN401 - as above
    """Without annotations, and without the None of a section that may be left out."""
    while get_origin(found) is Annotated:
        found = get_args(found)[0]
    sections = [each for each in get_args(found) if isinstance(each, type) and issubclass(each, BaseModel)]
    return sections[0] if get_origin(found) is UnionType and sections else found
