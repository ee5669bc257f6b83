"""The keys of `admin`: the listeners of the admin interface, and who may use them."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from resolver.admin_settings import RoleName
from resolver.config.registry_roles import RegistryRolesSection
from resolver.config.section import Section
from resolver.config.sources import Reference
from resolver.config.values import AdminListen, AdminSocket, Host, Invalid, Label, Listen, Switch, Text

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise Invalid("must be the SHA-256 of a token, 64 hexadecimal digits: `pldns token new --configured` prints it")
    return text


Digest = Annotated[str, AfterValidator(_digest)]


def _certificate_name(text: str) -> str:
    kind, _, value = text.partition(":")
    if kind.upper() not in {"SUBJECT", "DNS", "EMAIL", "URI", "IP"} or not value:
        raise Invalid("must be `DNS:`, `EMAIL:`, `URI:`, `IP:` or `SUBJECT:`, and the name in the certificate")
    value = value.lower() if kind.upper() in {"DNS", "EMAIL"} else value
    return f"{kind.upper()}:{value}"


def _tenant(text: str) -> str:
    if not _GUID.fullmatch(text.lower()):
        raise Invalid("must be the directory (tenant) id, such as 72f988bf-86f1-41af-91ab-2d7cd011db47")
    return text.lower()


def _issuer(text: str) -> str:
    parts = urlsplit(text)
    is_local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not (parts.scheme == "https" or is_local) or not parts.hostname or parts.query or parts.fragment:
        raise Invalid("must be an https:// address without a query")
    return text


class CertificateClientSection(Section):
    """Clients that show a certificate."""

    name: Annotated[str, AfterValidator(_certificate_name)] = Field(
        description="A name in the certificate: `DNS:grafana.corp.example`, `EMAIL:…`, `URI:spiffe://…`, `IP:…`, or "
        "the subject as in RFC 4514: `SUBJECT:CN=grafana,O=Corp`."
    )
    role: RoleName = Field(description="What the client may do.")


class AdminOidcSection(Section):
    """An OpenID provider, such as Entra ID: its access tokens count, and people sign in with it on the page."""

    tenant: Annotated[str, AfterValidator(_tenant)] | None = Field(
        default=None, description="The directory (tenant) id of Entra ID in the public cloud. Instead of `issuer`."
    )
    issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None,
        description="The issuer of another provider or cloud: its OpenID metadata is at "
        "`ISSUER/.well-known/openid-configuration`.",
    )
    audience: tuple[Text, ...] = Field(
        min_length=1, description="What tokens must be issued for: the client id of the application, or its id URI."
    )
    roles: dict[Text, RoleName] = Field(
        min_length=1,
        description="The role for each app role, as in the claim `roles` of a token. The highest one counts.",
    )
    client_id: Text | None = Field(
        default=None,
        description="The client id of pldns at the provider, for signing in on the page (docs/access.md). Default: "
        "nobody signs in there with the provider.",
    )
    client_secret: Reference | None = Field(
        default=None,
        description="The secret of the client. Default: pldns is a public client, which has none.",
    )


class AdminTlsSection(Section):
    """TLS for `admin.listen`."""

    certificate: Text = Field(description="Certificate chain in PEM form. pldns reads it again when it changes.")
    key: Text = Field(description="The private key in PEM form, without a password.")
    client_ca: Text | None = Field(
        default=None,
        description="Authorities of client certificates, in PEM form. pldns reads the file again when it changes. "
        "Default: no client certificates.",
    )
    clients: tuple[CertificateClientSection, ...] = Field(
        default=(), description="Who may do what with a client certificate."
    )


class AdminTokenSection(Section):
    """A bearer token. Only its hash is here."""

    name: Label = Field(description="Unique; shown in the audit log.")
    role: RoleName = Field(
        description="`read`: see everything but tokens and the audit log. `operate`: change what is served. `admin`: "
        "change pldns. `registry`: use the registry alone."
    )
    registry: RegistryRolesSection | None = Field(
        default=None,
        description="What the token may do in the registry, and only that. Default: `read` reads all subscriptions, "
        "`operate` and `admin` own them, `registry` sees none.",
    )
    sha256: Digest = Field(
        description="SHA-256 of the token, in hexadecimal digits. `pldns token new --configured` makes a token."
    )


class AdminSection(Section):
    """The HTTP interface for health, metrics, status and changes (docs/access.md)."""

    listen: AdminListen = Field(
        default="127.0.0.1:8053",
        description="An address, or `off`. An address that is not loopback needs `tls` or `plain`, and each request "
        "needs a token.",
    )
    tls: AdminTlsSection | None = Field(default=None, description="Default: `listen` speaks plain HTTP.")
    plain: Switch = Field(
        default=False,
        description="Permit plain HTTP on an address that is not loopback. Tokens are then sent unencrypted.",
    )
    hosts: tuple[Host, ...] = Field(
        default=(),
        description="Names of this machine that requests may have in the `Host` header, besides its addresses and "
        "`localhost`.",
    )
    tokens: tuple[AdminTokenSection, ...] = Field(
        default=(), description="Tokens, besides those that `pldns token new` makes in the running daemon."
    )
    oidc: AdminOidcSection | None = Field(
        default=None, description="Default: no tokens of an OpenID provider are accepted."
    )
    socket: AdminSocket = Field(
        default="auto",
        description="The path of a Unix socket, which the `pldns` commands use, or `off`. `auto`: `admin.sock` in "
        "`$RUNTIME_DIRECTORY` (systemd), otherwise in the state directory.",
    )
    group: Text | None = Field(
        default=None,
        description="A group, by name or number, whose members may use the socket, as root and the user of pldns may. "
        "They must be able to reach its directory; the state directory is closed to them.",
    )
    health: Listen | None = Field(
        default=None,
        description="An address for `/livez`, `/readyz` and `/metrics` alone, any that kubelet and Prometheus reach. "
        "It shows no name and no address of a client, and changes nothing. Default: no such listener.",
    )
