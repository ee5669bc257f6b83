"""The accepted settings of a hub, and of a source that follows one.

As in `resolver.settings`: plain values, all valid, and absolute paths.
"""

import msgspec

from resolver.admin_settings import AdminTls
from resolver.azure_settings import PrivateDnsMode, Secret
from resolver.host_port import HostPort


class HubSettings(msgspec.Struct, frozen=True):
    """The listener of a hub. Tokens and roles are those of the admin interface."""

    listen: HostPort
    tls: AdminTls | None = None
    """None: the listener speaks plain HTTP."""
    followers: int = 1000
    """The most spokes that follow at the same time."""


class HubSourceSettings(msgspec.Struct, frozen=True):
    """What a source of type `hub` follows. With several URLs, each hub has the same sources."""

    urls: tuple[str, ...]
    """Origins, in order of preference."""
    token: Secret | None = None
    ca: str = ""
    """A file with the authorities (PEM) of the hubs' certificates. Empty: those of the system."""
    private_dns: PrivateDnsMode = "off"
