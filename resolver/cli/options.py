"""The options and arguments that several commands share, and the daemon that they name."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

DEFAULT_CONFIG: Final = Path("/etc/pldns/pldns.yaml")


class Output(StrEnum):
    """The form of a command's result."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class SeverityOption(StrEnum):
    """A severity of findings. `zones.findings.evidence` has the same values but takes longer to import."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class HistoryKind(StrEnum):
    """What a change in the history is about. `resolver.control.history.entry` has the same values."""

    NAME = "name"
    FINDING = "finding"
    SOURCE = "source"


class TransportOption(StrEnum):
    """How a client sends a query."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    HTTPS = "https"


class CloudOption(StrEnum):
    """A cloud, as Microsoft's table of private-link zones names them."""

    COMMERCIAL = "commercial"
    GOVERNMENT = "government"
    CHINA = "china"


class Shell(StrEnum):
    """A shell that completes commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


class ForwarderProduct(StrEnum):
    """A resolver, or a service with conditional forwarding, that clients use instead of pldns."""

    UNBOUND = "unbound"
    BIND = "bind"
    DNSMASQ = "dnsmasq"
    COREDNS = "coredns"
    KNOT_RESOLVER = "knot-resolver"
    WINDOWS = "windows"
    AZURE_RULESET = "azure-ruleset"


# Not `readable`: access(2) ignores the capability by which a successor reads root's configuration.
ConfigFile = Annotated[Path, Option("--config", "-c", metavar="FILE", help="Configuration file.", readable=False)]
Overrides = Annotated[
    list[str] | None,
    Option(
        "--set", metavar="PATH=VALUE", help="Override one key of the file, for example `dns.workers=2`; repeatable."
    ),
]
OutputForm = Annotated[Output, Option("--output", "-o", help="`table` for people; `json` or `yaml` for programs.")]
RowLimit = Annotated[int, Option(min=0, help="Largest number of rows in a table; 0 means all.")]
DaemonConfig = Annotated[
    Path | None,
    Option(
        "--config",
        "-c",
        metavar="FILE",
        help=f"Configuration file of the daemon. Default: {DEFAULT_CONFIG} if it exists.",
        readable=False,
    ),
]
AdminUrl = Annotated[
    str | None,
    Option(
        metavar="URL",
        help="Admin interface of the daemon: `unix:PATH` or http://…. Default: as in the configuration file; the "
        "socket first.",
    ),
]
ServerText = Annotated[
    str | None, Option(metavar="ADDRESS:PORT", help="Server to ask. Default: as in the configuration file.")
]
SinceText = Annotated[
    str | None,
    Option(metavar="TIME", help="Only changes since this time (2026-11-28T14:00:00Z) or duration before now (2h)."),
]
# The daemon knows the values of filters, and refuses others with those that are nearest.
StateFilter = Annotated[list[str] | None, Option("--state", help="Only those in this state; repeatable.")]
NetworkFilter = Annotated[list[str] | None, Option("--network", help="Only those of this network; repeatable.")]
ZoneFilter = Annotated[list[str] | None, Option("--zone", help="Only those of this zone; repeatable.")]
NameFilter = Annotated[list[str] | None, Option("--name", help="Only those with this name, in any case; repeatable.")]
CodeFilter = Annotated[list[str] | None, Option("--code", help="Only findings with this code; repeatable.")]
SeverityFilter = Annotated[
    list[SeverityOption] | None, Option("--severity", help="Only findings of this severity; repeatable.")
]
KindFilter = Annotated[list[HistoryKind] | None, Option("--kind", help="Only changes of this kind; repeatable.")]
NameText = Annotated[str, Argument(metavar="NAME", help="A domain name.")]
SourceName = Annotated[
    str | None,
    Argument(metavar="SOURCE", help="Name of the source in the configuration. Default: its only source with syncs."),
]
TypeText = Annotated[str, Argument(metavar="TYPE", help="Record type: A, AAAA, PTR, TXT, … or TYPE65.")]


def admin_url(admin: str | None, config: Path | None) -> str:
    """Return the address of the daemon's admin interface, from the values of `AdminUrl` and `DaemonConfig`."""
    from resolver.cli import daemon_address  # noqa: PLC0415 - commands without a daemon need not load it

    return admin or daemon_address.admin_url(config, DEFAULT_CONFIG, os.environ)
