"""The keys of `registry`: a Resource Manager for private endpoints in pldns itself."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from resolver.config.admin import Digest
from resolver.config.database_url import Database
from resolver.config.registry_roles import RegistryRolesSection
from resolver.config.section import Section
from resolver.config.sources import Guid, Reference
from resolver.config.values import Duration, Invalid, Label, Listen, Text
from resolver.registry_settings import LOCATIONS, TENANT

_LOCATION: Final = re.compile(r"[a-z0-9]{1,64}")


def _location(text: str) -> str:
    folded = text.replace(" ", "").lower()
    if not _LOCATION.fullmatch(folded):
        raise Invalid(f"`{text[:80]}` is not a location such as eastus")
    return folded


Location = Annotated[str, AfterValidator(_location)]


class RegistryTlsSection(Section):
    """TLS for `registry.listen`."""

    certificate: Text = Field(description="Certificate chain in PEM form. pldns reads it again when it changes.")
    key: Text = Field(description="The private key in PEM form, without a password.")


class RegistrySubscriptionSection(Section):
    """A subscription of the registry."""

    id: Guid = Field(description="A GUID of your choice; unique.")
    name: Text = Field(description="Display name.")


class RegistryClientSection(RegistryRolesSection):
    """A client of the registry: an application with a secret, as `az login --service-principal` uses it."""

    id: Guid = Field(description="The client id, a GUID of your choice; unique.")
    name: Label = Field(description="Unique; shown in the log.")
    sha256: Digest = Field(
        description="SHA-256 of the secret, in hexadecimal digits. `pldns token new --configured` makes a secret."
    )


class RegistrySection(Section):
    """A registry of private endpoints with the API of Azure Resource Manager (docs/registry.md)."""

    listen: Listen = Field(
        description="An address and port. An address that is not loopback needs `tls`, and so does the `az` command."
    )
    tls: RegistryTlsSection | None = Field(default=None, description="Default: plain HTTP, on loopback only.")
    tenant: Guid = Field(default=TENANT, description="The id of the tenant of all subscriptions and clients.")
    subscriptions: tuple[RegistrySubscriptionSection, ...] = Field(
        min_length=1, description="The subscriptions of the registry."
    )
    locations: tuple[Location, ...] = Field(
        default=LOCATIONS, min_length=1, description="Where resources may be. Default: regions of the public cloud."
    )
    clients: tuple[RegistryClientSection, ...] = Field(default=(), description="Who may use the registry.")
    database: Database | None = Field(
        default=None,
        description="A PostgreSQL database that several control planes share: `postgresql://USER@HOST/DATABASE`, with "
        "the parameters of libpq (`?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt`). Default: the "
        "registry is a SQLite file in the state directory.",
    )
    database_password: Reference | None = Field(
        default=None, description="The password for `database`, where its URL has none."
    )
    hold: Duration = Field(
        default=300,
        description="How long the address of a deleted private endpoint is kept from other endpoints, so that no "
        "client finds another service at an address that it remembers.",
    )
