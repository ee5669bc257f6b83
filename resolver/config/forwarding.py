"""The keys of `upstreams` and `cache`: which servers are asked for other names, and how long answers are kept."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from resolver.config.section import Section
from resolver.config.servers import Server
from resolver.config.values import Count, Duration, IpAddress, Size, Switch, Text, Zone, on_or_off
from resolver.settings import EdnsMode, RebindingAnswers, ServerPolicy


class RebindingSection(Section):
    """Private addresses in answers of a group, by which a public name can lead a browser behind the firewall."""

    answers: RebindingAnswers | Literal["auto"] = Field(
        default="auto",
        description="`strip` removes private addresses (EDE 15), `pass` keeps them, `auto` removes them if all servers "
        "of the group have public addresses. Inside `privatelink` zones they are always kept.",
    )
    allow: tuple[Zone, ...] = Field(default=(), description="Names at and under these keep their private addresses.")


class UpstreamSection(Section):
    """A group of upstream servers."""

    servers: tuple[Server, ...] = Field(
        default=(),
        description="`udp://ADDRESS[:PORT]` (TCP on truncation), `tcp://ADDRESS[:PORT]`, `tls://ADDRESS[:PORT]#WHO`, "
        "`https://ADDRESS[:PORT]/PATH#WHO`, where `WHO` is the name in the certificate, or `sha256/PIN`, the SHA-256 "
        "of the public key in base64. With `bootstrap` also `tls://NAME[:PORT]`, `https://NAME[:PORT]/PATH`.",
    )
    bootstrap: tuple[IpAddress, ...] = Field(default=(), description="Addresses of the servers that have a name.")
    resolv_conf: Text | None = Field(
        default=None,
        description="Instead of `servers`: take the name servers in this file when pldns starts.",
    )
    suffixes: tuple[Zone, ...] = Field(
        default=(),
        description="This group is asked for names at and under these; the longest suffix wins. Not for `public`.",
    )
    policy: ServerPolicy = Field(
        default="sequential",
        description="Which server is asked first. `sequential`: the first in the list. `fastest`: the one with the "
        "shortest round-trip time. `race`: the first and, if it is slow, the second at the same time. `round-robin`: "
        "each in turn. Servers that do not answer are asked last.",
    )
    rebinding: RebindingSection = RebindingSection()
    mixed_case: Switch = Field(
        default=False,
        description="Send names in random case, which a forger would have to guess. Some servers do not support it.",
    )
    rate: Count | None = Field(
        default=None,
        ge=1,
        description="Most queries in any second, divided equally among workers (168.63.129.16 allows 1,000).",
    )
    timeout: Duration | None = Field(
        default=None,
        ge=1,
        le=4,
        description="After how long a question without an answer has failed. Default: 4.8 seconds, because clients "
        "wait for 5.",
    )
    tries: Count = Field(
        default=3,
        ge=1,
        le=9,
        description="Least number of queries for a question without an answer. Each server is asked at least once and "
        "at most three times.",
    )
    source: IpAddress | None = Field(
        default=None, description="Address to send queries from. Default: the system chooses one for each server."
    )
    cookies: Switch = Field(default=True, description="Send DNS cookies (RFC 7873) to `udp://` servers.")
    mark: Switch = Field(
        default=True,
        description="Send the mark that shows forwarding loops, EDNS option 65353. Some firewalls drop queries with "
        "unknown options.",
    )
    edns: Annotated[EdnsMode, BeforeValidator(on_or_off)] = Field(
        default="auto",
        description="`auto`: send EDNS, except for names that a server answers only without. `off`: for servers that "
        "do not support EDNS; clients then get no DNSSEC records from this group.",
    )
    count_errors: Switch = Field(
        default=True,
        description="An error reply (REFUSED, SERVFAIL) to a query that another server answers counts as a failure of "
        "the server, like no reply.",
    )
    ca: Text | None = Field(
        default=None,
        description="Authorities that may sign certificates of `tls://` and `https://` servers, PEM. Default: the "
        "system's.",
    )


class CacheSection(Section):
    """The caches of each worker: replies of upstream servers, and compiled answers."""

    size: Size = Field(
        default=64 << 20,
        description="Memory for replies of upstream servers. The least recently used replies are removed first.",
    )
    answers: Size = Field(
        default=192 << 20,
        description="Memory for compiled answers: what is sent again, private and public names alike, when a question "
        "is repeated. The oldest answers are removed first.",
    )
    stale: Duration = Field(
        default=86_400,
        description="How long an expired answer may be sent when upstreams fail (RFC 8767), with a TTL of 30 s. 0: "
        "never.",
    )
    prefetch: Switch = Field(default=True, description="Ask again for popular answers before they expire.")
