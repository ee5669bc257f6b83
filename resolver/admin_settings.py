"""The accepted settings of the admin interface: its listeners, and who may use them.

As in `resolver.settings`: plain values, all valid, and absolute paths.
"""

import msgspec

from resolver.host_port import HostPort


class AdminSettings(msgspec.Struct, frozen=True):
    """The listeners of the admin interface."""

    listen: HostPort | None = None
    """The whole interface over TCP. None: not over TCP."""
    health: HostPort | None = None
    """Only `/livez`, `/readyz` and `/metrics`. None: no such listener."""
    socket: str = ""
    """The whole interface over a Unix socket: its absolute path. Empty: not over a Unix socket."""
    group: str = ""
    """Name or number of the group that may use the socket. Empty: only root and the user of pldns."""
