"""The keys of `upstreams` and `cache`: who is asked for what is not private, and how long that is kept."""

from typing import Literal

from pydantic import Field

from resolver.config.section import Section
from resolver.config.servers import Server
from resolver.config.values import Count, Duration, IpAddress, Size, Text, Zone


class RebindingSection(Section):
    """Private addresses in a group's answers, with which a public name would lead behind the firewall."""

    answers: Literal["auto", "strip", "pass"] = Field(
        default="auto",
        description="`strip` takes them out (EDE 15), `pass` does not; `auto` strips where all servers of the group "
        "have public addresses. Inside `privatelink` zones they always pass.",
    )
    allow: tuple[Zone, ...] = Field(default=(), description="Names at and under these may have private addresses.")


class UpstreamSection(Section):
    """A group of servers."""

    servers: tuple[Server, ...] = Field(
        default=(),
        description="`udp://ADDRESS[:PORT]` (TCP on truncation), `tcp://ADDRESS[:PORT]`, `tls://ADDRESS[:PORT]#WHO`, "
        "`https://ADDRESS[:PORT]/PATH#WHO`, where `WHO` is the name in its certificate, or `sha256/PIN`, the SHA-256 "
        "of its public key in base64; or `tls://NAME[:PORT]`, `https://NAME[:PORT]/PATH` with `bootstrap`.",
    )
    bootstrap: tuple[IpAddress, ...] = Field(default=(), description="Addresses of the servers that are given by name.")
    resolv_conf: Text | None = Field(
        default=None,
        description="In place of `servers`: the name servers of this file, as it is at start.",
    )
    suffixes: tuple[Zone, ...] = Field(
        default=(), description="Names at and under these go to this group; the longest wins. Not for `public`."
    )
    policy: Literal["sequential", "fastest", "race", "round-robin"] = Field(
        default="sequential",
        description="Who is asked first: the first in the list that answers; the one that answers fastest; the first, "
        "and after a short while the second as well; each in turn. Servers that do not answer come last.",
    )
    rebinding: RebindingSection = RebindingSection()
    mixed_case: bool = Field(
        default=False,
        description="Questions in random case, which a forger would have to guess too; some servers fail.",
    )
    rate: Count | None = Field(
        default=None,
        ge=1,
        description="Queries in any second at most, each worker an equal share (168.63.129.16 takes 1,000).",
    )
    count_errors: bool = Field(
        default=True,
        description="A server that refuses or fails (REFUSED, SERVFAIL) what another one then answers counts as "
        "failing, like one that does not answer.",
    )
    ca: Text | None = Field(
        default=None, description="Authorities of `tls://` and `https://` servers, PEM; without it, the system's."
    )


class CacheSection(Section):
    """Answers of upstreams, in each worker."""

    size: Size = Field(default=64 << 20, description="Room; the least recently used goes first.")
    stale: Duration = Field(
        default=86_400,
        description="An expired answer may be given for so long when upstreams fail (RFC 8767), with a TTL of 30 s; 0: "
        "never.",
    )
    prefetch: bool = Field(default=True, description="What is asked often is fetched again before it expires.")
