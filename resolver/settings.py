"""What an accepted configuration says, as plain values that every process can read without pydantic.

`config` makes one `Accepted` from the file, flags and environment; the supervisor hands each child its part as JSON.
Every value here is valid: prefixes parse, names are names, paths are absolute. Durations are seconds.
"""

from typing import Literal

import msgspec

from zones.network import Network
from zones.policy import DEFAULTS, Conflict, Pin, ZonePolicy

__all__ = [
    "Accepted", "Conflicts", "Control", "Network", "Pin", "Server", "Source", "Upstream", "Worker", "ZonePolicy",
    "Zones",
]  # fmt: skip

Miss = str  # `public`, `nxdomain`, `nodata`, `servfail` or `forward:GROUP`


class Server(msgspec.Struct, frozen=True):
    """One upstream server: `udp` means UDP with TCP on truncation."""

    transport: Literal["udp", "tcp"]
    address: str
    port: int


class Upstream(msgspec.Struct, frozen=True):
    """A group of servers. Names under one of `suffixes` go there (longest wins); `public` takes the rest."""

    name: str
    servers: tuple[Server, ...]
    suffixes: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """Where endpoints come from."""

    name: str
    type: Literal["files"]
    path: str
    on_unsynced: Literal["servfail", "public"] = "servfail"


class Conflicts(msgspec.Struct, frozen=True):
    """`policies` maps a zone or name to its policy; the longest match wins over `policy`."""

    policy: Conflict = "sticky"
    policies: dict[str, Conflict] = {}
    pins: tuple[Pin, ...] = ()


class Zones(msgspec.Struct, frozen=True):
    """`files` are the zone files found (absolute, globs expanded), `origins` what they hold, in the same order."""

    defaults: ZonePolicy = DEFAULTS
    overrides: dict[str, ZonePolicy] = {}
    files: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


class Worker(msgspec.Struct, frozen=True):
    """The part that answering workers get: nothing about sources, admin or state."""

    listen: tuple[str, ...]
    """`address:port`, IPv6 in brackets."""
    allow: tuple[str, ...]
    networks: tuple[Network, ...] = ()
    zones: Zones = Zones()
    upstreams: tuple[Upstream, ...] = ()
    unsynced: bool = False
    """A source with `on_unsynced: servfail` is configured: row 9 applies until control says that all have data."""


class Control(msgspec.Struct, frozen=True):
    """The part that control gets."""

    networks: tuple[Network, ...] = ()
    zones: Zones = Zones()
    sources: tuple[Source, ...] = ()
    conflicts: Conflicts = Conflicts()
    upstreams: tuple[Upstream, ...] = ()
    admin: str = "127.0.0.1:8053"
    """`address:port`; empty: no admin listener."""
    state: str = ""
    """Directory, absolute."""
    workers: int = 1


class Accepted(msgspec.Struct, frozen=True):
    """The whole accepted configuration. `warnings` are sentences for the log."""

    path: str
    worker: Worker
    control: Control
    workers: int = 1
    warnings: tuple[str, ...] = ()
