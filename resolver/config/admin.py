"""The keys of `admin`: the listeners of the admin interface, and who may use them."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from resolver.admin_settings import RoleName
from resolver.config.section import Section
from resolver.config.values import AdminListen, AdminSocket, Host, Invalid, Label, Listen, Switch, Text

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise Invalid("must be the SHA-256 of a token, 64 hexadecimal digits: `pldns token new --configured` prints it")
    return text


Digest = Annotated[str, AfterValidator(_digest)]


class AdminTlsSection(Section):
    """TLS for `admin.listen`."""

    certificate: Text = Field(description="Certificate chain in PEM form. pldns reads it again when it changes.")
    key: Text = Field(description="The private key in PEM form, without a password.")


class AdminTokenSection(Section):
    """A bearer token. Only its hash is here."""

    name: Label = Field(description="Unique; shown in the audit log.")
    role: RoleName = Field(
        description="`read`: see everything but tokens and the audit log. `operate`: change what is served. `admin`: "
        "change pldns."
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
