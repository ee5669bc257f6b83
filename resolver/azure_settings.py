"""The settings of a source that asks Azure. Valid once they exist; `resolver.config` makes them."""

from typing import Literal

import msgspec

from resolver.host_port import HostPort

CredentialType = Literal["default", "managed-identity", "workload-identity", "cli", "client-secret", "certificate"]
CloudName = Literal["public", "usgovernment", "china"]
PrivateDnsMode = Literal["off", "check", "serve"]
"""What a source reads Azure's private DNS zones for."""


class Secret(msgspec.Struct, frozen=True):
    """Where a secret is: in a file (absolute path), or in an environment variable. Never the secret itself."""

    file: str = ""
    environment: str = ""


class Credential(msgspec.Struct, frozen=True):
    """An identity in Azure. Empty ids are taken from the environment. Holds no secret, only where each one is."""

    type: CredentialType = "default"
    tenant_id: str = ""
    client_id: str = ""
    secret: Secret | None = None
    certificate: Secret | None = None
    """The certificate with its private key, PEM or PKCS#12."""
    password: Secret | None = None
    """The password of the certificate."""
    authority: str = ""
    """Origin that issues the tokens. Empty: that of the cloud."""


class EventSettings(msgspec.Struct, frozen=True):
    """A listener for Event Grid, and the secret that senders must give."""

    listen: HostPort
    secret: Secret


class AzureSettings(msgspec.Struct, frozen=True):
    """What a source of type `azure` reads, and with which identity."""

    subscriptions: tuple[str, ...] = ()
    """Ids in lower case. Empty: every subscription that the identity can read."""
    interval: int = 60
    cloud: CloudName = "public"
    management: str = "https://management.azure.com"
    """Origin of the Resource Manager, the only origin that receives tokens."""
    credential: Credential = Credential()
    private_dns: PrivateDnsMode = "off"
    events: EventSettings | None = None
