"""The accepted settings of the registry: its listener, its subscriptions, and who may use them.

As in `resolver.settings`: plain values, all valid, and absolute paths. Ids are GUIDs in lower case.
"""

from typing import Final

import msgspec

from resolver.azure_settings import Secret
from resolver.host_port import HostPort
from resolver.registry_roles import RegistryRoles

TENANT: Final = "00000000-0000-4000-8000-000000000001"
"""The tenant of a registry whose configuration names none."""

LOCATIONS: Final = (
    "australiaeast", "australiasoutheast", "brazilsouth", "canadacentral", "canadaeast", "centralindia", "centralus",
    "eastasia", "eastus", "eastus2", "francecentral", "germanywestcentral", "israelcentral", "italynorth", "japaneast",
    "japanwest", "koreacentral", "mexicocentral", "northcentralus", "northeurope", "norwayeast", "polandcentral",
    "qatarcentral", "southafricanorth", "southcentralus", "southeastasia", "southindia", "spaincentral",
    "swedencentral", "switzerlandnorth", "uaenorth", "uksouth", "ukwest", "westcentralus", "westeurope", "westus",
    "westus2", "westus3",
)  # fmt: skip
"""The locations of a registry whose configuration names none: regions of Azure's public cloud."""


class RegistryTls(msgspec.Struct, frozen=True):
    """The certificate (a chain, PEM) and the key of the registry's listener."""

    certificate: str
    key: str


class RegistrySubscription(msgspec.Struct, frozen=True):
    """A subscription of the registry."""

    id: str
    name: str


class RegistryClient(msgspec.Struct, frozen=True):
    """A client, and its roles. `sha256`: of its secret, in hexadecimal digits."""

    id: str
    name: str
    sha256: str
    roles: RegistryRoles = RegistryRoles()


class RegistryDatabase(msgspec.Struct, frozen=True):
    """A PostgreSQL database that several registries share."""

    url: str
    """Without a password."""
    password: str = ""
    """From the URL. Empty where it had none, or where `secret` says where the password is."""
    secret: Secret | None = None
    files: tuple[str, ...] = ()
    """The files that the URL names: certificates and a key."""
    unix: bool = False
    """True if the server is reached over a Unix socket."""

    def __repr__(self) -> str:
        """Return the database without its password."""
        return f"RegistryDatabase({self.url!r})"


class RegistrySettings(msgspec.Struct, frozen=True):
    """The registry: a Resource Manager for private endpoints."""

    listen: HostPort
    tls: RegistryTls | None = None
    """None: the listener speaks plain HTTP."""
    tenant: str = TENANT
    subscriptions: tuple[RegistrySubscription, ...] = ()
    locations: tuple[str, ...] = LOCATIONS
    """In lower case, without spaces."""
    clients: tuple[RegistryClient, ...] = ()
    database: RegistryDatabase | None = None
    """None: the registry is a SQLite file in the state directory."""
    hold: int = 300
    """Seconds after which the address of a deleted endpoint may be given to another endpoint."""
