"""The keys of `dns`: where and how we answer, and whom."""

from typing import Final

from pydantic import Field

from resolver.config.section import Section
from resolver.config.values import (
    AnyNetwork,
    Count,
    Duration,
    Identity,
    Listen,
    Prefix,
    Text,
    UrlPath,
    Workers,
    Zone,
)

_CERTIFICATE: Final = "Certificate chain in PEM form. Read again when it changes."
_KEY: Final = "Its private key in PEM form, not encrypted."


class TlsSection(Section):
    """DNS over TLS (RFC 7858)."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class HttpsSection(Section):
    """DNS over HTTPS (RFC 8484), over HTTP/2 and HTTP/1.1."""

    listen: tuple[Listen, ...] = Field(min_length=1, description="Addresses to answer on, over TCP.")
    path: UrlPath = Field(default="/dns-query", description="The one path that answers.")
    certificate: Text = Field(description=_CERTIFICATE)
    key: Text = Field(description=_KEY)


class ProxySection(Section):
    """Proxies and load balancers that tell whose queries they pass on (PROXY protocol, version 2)."""

    from_: tuple[Prefix, ...] = Field(
        alias="from",
        min_length=1,
        description="What comes from these addresses begins with the header, on every listener; nothing else is "
        "answered there. Nobody else's header is believed.",
    )


class DropSection(Section):
    """What is not served, whoever may ask."""

    clients: tuple[Prefix, ...] = Field(default=(), description="Clients that get no reply at all, allowed or not.")
    names: tuple[Zone, ...] = Field(default=(), description="Names that are refused, with all names under them.")


class CookiesSection(Section):
    """DNS cookies (RFC 7873, RFC 9018), with which a client shows that its address is its own."""

    answer: bool = Field(default=True, description="Clients that send a cookie get one.")
    secrets: Text | None = Field(
        default=None,
        description="A file of secrets, 32 hexadecimal digits a line; the first one signs, all are accepted. Read "
        "again when it changes. For several servers behind one address; without it, each start makes its own.",
    )


class StreamsSection(Section):
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


class RateLimitSection(Section):
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


class DnsSection(Section):
    """The listeners, and who may ask."""

    listen: tuple[Listen, ...] = Field(
        default=("127.0.0.1:53",), min_length=1, description="Addresses to answer on, each over UDP and TCP."
    )
    listeners: dict[Listen, AnyNetwork] = Field(
        default={},
        description="Listeners for one network, by address: whoever is allowed and asks there is in it, whatever his "
        "own address. Each is one of the `listen` addresses, of DNS, TLS or HTTPS.",
    )
    workers: Workers = Field(
        default=1,
        description="Number of answering processes, each with its own cache; `auto`: one for each core that pldns may "
        "run on. More than there are cores gains nothing.",
    )
    allow: tuple[Prefix, ...] = Field(
        default=(
            "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
            "::1/128", "fc00::/7", "fe80::/10",
        ),
        min_length=1,
        description="Clients that may ask; all others get REFUSED.",
    )  # fmt: skip
    drop: DropSection = DropSection()
    tls: TlsSection | None = None
    https: HttpsSection | None = None
    proxy: ProxySection | None = None
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
    cookies: CookiesSection = CookiesSection()
    streams: StreamsSection = StreamsSection()
    rate_limit: RateLimitSection | None = None
