"""The accepted settings of the admin interface: its listeners, and who may use them.

As in `resolver.settings`: plain values, all valid, and absolute paths.
"""

from typing import Literal

import msgspec

from resolver.azure_settings import Secret
from resolver.host_port import HostPort
from resolver.registry_roles import RegistryRoles

RoleName = Literal["registry", "read", "operate", "admin"]
"""What somebody may do: use the registry, see everything, change what is served, change pldns itself.

Each includes those before it. What somebody may do in the registry depends on further roles there.
"""


class AdminToken(msgspec.Struct, frozen=True):
    """A bearer token of the configuration. `sha256`: of its text, in hexadecimal digits."""

    name: str
    role: RoleName
    sha256: str
    registry: RegistryRoles | None = None
    """None: `role` says what it may do in the registry."""


class CertificateClient(msgspec.Struct, frozen=True):
    """Clients with this name in their certificate, such as `DNS:grafana.corp.example`."""

    name: str
    role: RoleName


class AdminTls(msgspec.Struct, frozen=True):
    """The certificate (a chain, PEM) and the key of the TCP listener."""

    certificate: str
    key: str
    client_ca: str = ""
    """The authorities (PEM) of client certificates. Empty: clients show no certificate."""
    clients: tuple[CertificateClient, ...] = ()


class AdminOidc(msgspec.Struct, frozen=True):
    """The OpenID provider whose access tokens are accepted, and with which people sign in on the page."""

    metadata: str
    """URL of its OpenID metadata."""
    issuers: tuple[str, ...]
    """Issuers that a token may have. The metadata has the first."""
    audiences: tuple[str, ...]
    roles: dict[str, RoleName]
    """By app role."""
    tenant: str = ""
    """The tenant that a token must be of. Empty: the issuer has no tenants."""
    client_id: str = ""
    """The client id of pldns at the provider. Empty: nobody signs in on the page with the provider."""
    client_secret: Secret | None = None
    """None: pldns is a public client of the provider."""


class AdminSettings(msgspec.Struct, frozen=True):
    """The listeners of the admin interface, and who may use them."""

    listen: HostPort | None = None
    """The whole interface over TCP. None: not over TCP."""
    health: HostPort | None = None
    """Only `/livez`, `/readyz` and `/metrics`. None: no such listener."""
    socket: str = ""
    """The whole interface over a Unix socket: its absolute path. Empty: not over a Unix socket."""
    group: str = ""
    """Name or number of the group that may use the socket. Empty: only root and the user of pldns."""
    tls: AdminTls | None = None
    """None: the TCP listener speaks plain HTTP."""
    hosts: tuple[str, ...] = ()
    """Names of this machine, in lower case, that the Host header of a request may have."""
    tokens: tuple[AdminToken, ...] = ()
    oidc: AdminOidc | None = None
    """None: no tokens of an OpenID provider are accepted."""
