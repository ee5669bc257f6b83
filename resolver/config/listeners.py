"""The keys of `dns`: listeners, who may ask, and how answers are sent."""

from typing import Final

from pydantic import Field

from resolver.config.section import Section
from resolver.config.values import (
    AnyNetwork,
    Count,
    Duration,
    Host,
    Identity,
    Listen,
    Prefix,
    Switch,
    Text,
    UrlPath,
    Workers,
    Zone,
)
from resolver.settings import LOCAL_CLIENTS, BindMode

_CERTIFICATE: Final = "Certificate chain in PEM form. pldns reads it again when it changes."
_KEY: Final = "The private key in PEM form, without a password."


class TlsSection(Section):
    """DNS over TLS (RFC 7858)."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class HttpsSection(Section):
    """DNS over HTTPS (RFC 8484), over HTTP/2 and HTTP/1.1."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    path: UrlPath = Field(default="/dns-query", description="The path of DNS queries.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class ProxySection(Section):
    """Proxies and load balancers that send the address of the client (PROXY protocol, version 2)."""

    from_: tuple[Prefix, ...] = Field(
        alias="from",
        min_length=1,
        description="Addresses of the proxies. On every listener, connections and packets from these addresses must "
        "begin with the header. A header from any other address is not accepted.",
    )


class DropSection(Section):
    """Clients and names that are never served."""

    clients: tuple[Prefix, ...] = Field(
        default=(), description="Clients that get no reply, whether `allow` has them or not."
    )
    names: tuple[Zone, ...] = Field(default=(), description="Names at and under these are refused.")


class CookiesSection(Section):
    """DNS cookies (RFC 7873, RFC 9018), by which a client proves that its address is not forged."""

    answer: Switch = Field(default=True, description="Send a cookie to clients that send one.")
    secrets: Text | None = Field(
        default=None,
        description="A file of secrets, 32 hexadecimal digits a line. The first one signs and all are accepted. pldns "
        "reads it again when it changes. Needed for several servers behind one address. Default: a new secret at each "
        "start.",
    )


class UnprovenSection(Section):
    """UDP replies to clients that have not proved with a cookie that their address is not forged."""

    clients: tuple[Prefix, ...] = Field(
        default=LOCAL_CLIENTS, description="Clients whose replies may have the full EDNS size without a cookie."
    )
    factor: Count = Field(
        default=10,
        ge=1,
        le=100,
        description="Replies to all other clients have at most this many times the size of the query, or 512 octets if "
        "that is more. Larger replies are truncated, and the client asks again over TCP.",
    )


class StreamsSection(Section):
    """Connections over TCP, TLS and HTTPS together, in each worker."""

    idle: Duration = Field(
        default=10, ge=1, description="A connection without a complete query for this time is closed (RFC 7766 §6.2.3)."
    )
    connections: Count = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Most connections; fewer where the limit of open files is lower. At the limit, the client with "
        "most connections loses the one that has been idle longest.",
    )
    per_client: Count | None = Field(
        default=None, ge=1, description="Most connections of one client address. Default: no limit."
    )


class RateLimitSection(Section):
    """Limit of UDP answers for each client prefix. Clients with a cookie, over TCP or on loopback have no limit."""

    per_second: Count = Field(ge=1, le=1_000_000, description="Answers a second on average.")
    burst: Count | None = Field(default=None, ge=1, description="Most answers at once. Default: twice `per_second`.")
    slip: Count = Field(
        default=2,
        ge=0,
        le=10,
        description="One of this many queries over the limit gets a truncated reply (or BADCOOKIE), so that a real "
        "client asks again over TCP; 0: none does. The others get no reply.",
    )
    ipv4_prefix: Count = Field(default=24, ge=1, le=32, description="Length of IPv4 prefixes that share a limit.")
    ipv6_prefix: Count = Field(default=56, ge=1, le=128, description="Length of IPv6 prefixes that share a limit.")
    exempt: tuple[Prefix, ...] = Field(default=(), description="Clients without a limit.")


class DnsSection(Section):
    """Listeners for DNS, and which clients may ask."""

    listen: tuple[Listen, ...] = Field(
        default=("127.0.0.1:53",), min_length=1, description="Addresses to answer on, over UDP and TCP."
    )
    bind: BindMode = Field(
        default="fail",
        description="What to do if this machine lacks a listen address when pldns starts. `fail`: do not start. "
        "`wait`: start, and answer there as soon as the address exists.",
    )
    listeners: dict[Listen, AnyNetwork] = Field(
        default={},
        description="Listen addresses for one network: every allowed client that asks there is in that network, "
        "whatever its own address. Each must be one of the `listen` addresses of DNS, TLS or HTTPS.",
    )
    workers: Workers = Field(
        default=1,
        description="Number of worker processes, each with its own cache. `auto`: one for each core that pldns may run "
        "on. More workers than cores are not faster.",
    )
    allow: tuple[Prefix, ...] = Field(
        default=LOCAL_CLIENTS, min_length=1, description="Clients that may ask. All others get REFUSED."
    )
    drop: DropSection = DropSection()
    tls: TlsSection | None = None
    https: HttpsSection | None = None
    proxy: ProxySection | None = None
    forwarders: tuple[Prefix, ...] = Field(
        default=(),
        description="Resolvers that forward to this one. The client subnet that they send (RFC 7871) chooses the "
        "network if the whole subnet is in one network. `allow` applies to their own address.",
    )
    designation: Host | None = Field(
        default=None,
        description="The name in the certificates of `tls` and `https`. Clients of plain DNS that look for encryption "
        "(RFC 9462) find these listeners by it.",
    )
    identity: Identity | None = Field(
        default=None, description="The name in NSID and CHAOS `id.server`. Default: the host name."
    )
    payload: Count = Field(default=1232, ge=512, le=4096, description="Octets of the largest UDP reply (RFC 9715).")
    rotate: Switch = Field(default=False, description="Change the order of several addresses with each reply.")
    cookies: CookiesSection = CookiesSection()
    unproven: UnprovenSection = UnprovenSection()
    streams: StreamsSection = StreamsSection()
    rate_limit: RateLimitSection | None = None
