"""The keys of `sources`: where endpoints come from; for Azure what is read, and with which identity."""

import ipaddress
import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from resolver.config.section import Section
from resolver.config.values import Duration, Invalid, Label, Listen, Text
from resolver.host_port import bracketed

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        given = text.strip("/").rpartition("/")[2]
        raise Invalid(
            f"`{text[:80]}` is not an id such as 00000000-0000-0000-0000-000000000000",
            given if given != text and _GUID.fullmatch(given) else "",
        )
    return text.lower()


def _management(text: str) -> str:
    """An origin; plain HTTP, which shows tokens to whoever listens, on loopback alone."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid(f"`{text}` is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Invalid(f"`{text}` is not a URL such as https://management.example")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise Invalid(
            f"`{text}`: a URL of scheme, host and port alone", f"{parts.scheme}://{parts.netloc}".split("@")[-1]
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise Invalid(f"`{text}`: without TLS, tokens are sent to a loopback address only", f"https://{parts.netloc}")
    if ":" not in host and not _HOST.fullmatch(host):
        raise Invalid(f"`{text}`: `{host}` is not a host name")
    return f"{parts.scheme}://{bracketed(host)}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reference(value: object) -> object:
    """The value itself is not repeated: it may be the secret."""
    if not isinstance(value, dict):
        raise Invalid("a secret does not stand here, but where it is found: {file: PATH} or {environment: NAME}")
    return value


def _long_enough(seconds: int) -> int:
    if seconds < MIN_INTERVAL:
        raise Invalid(f"at least {MIN_INTERVAL}s: what changes is asked for, again and again")
    return seconds


MIN_INTERVAL: Final = 10


def _text(title: str, **extra: str) -> WithJsonSchema:
    return WithJsonSchema({"title": title, "type": "string", **extra})


Guid = Annotated[str, AfterValidator(_guid), _text("id", format="uuid")]
Management = Annotated[str, AfterValidator(_management), _text("origin", format="uri")]
Interval = Annotated[Duration, AfterValidator(_long_enough)]


class SecretReference(Section):
    """Where a secret is found; it is read anew whenever it is needed. One of the two."""

    file: Text | None = Field(default=None, description="A file; the end of its line does not count.")
    environment: Text | None = Field(default=None, description="An environment variable of the daemon.")


Reference = Annotated[SecretReference, BeforeValidator(_reference)]


class CredentialSection(Section):
    """The identity that reads. It needs the role Reader on what it is to read, and nothing else."""

    type: Literal["default", "managed-identity", "workload-identity", "cli", "client-secret", "certificate"] = Field(
        default="default",
        description="`default`: the first that there is of environment variables, workload identity, managed identity "
        "and command-line tools.",
    )
    tenant_id: Text | None = Field(default=None, description="Id or domain of the tenant.")
    client_id: Guid | None = Field(
        default=None, description="Of the application, or of a managed identity that the user assigned."
    )
    secret: Reference | None = Field(default=None, description="The secret of a `client-secret`.")
    certificate: Reference | None = Field(
        default=None, description="The certificate with its private key, PEM or PKCS#12, of a `certificate`."
    )
    password: Reference | None = Field(default=None, description="What the certificate is encrypted with, if it is.")


_NAME: Final = "Name in logs, metrics and the admin interface; unique."
_ON_UNSYNCED: Final = (
    "Names under the service suffixes while this source has never given data: "
    "`servfail` (an unknown private name never goes public), or `public`."
)


class FilesSection(Section):
    """Endpoints from files."""

    name: Label = Field(description=_NAME)
    type: Literal["files"] = Field(description="Kind of source.")
    path: Text = Field(
        description="A file or a folder: ARM JSON, `az … -o json` output, Resource Graph rows, or the short form. "
        "If it is missing, pldns runs without it, says so and watches for it."
    )
    on_unsynced: Literal["servfail", "public"] = Field(default="servfail", description=_ON_UNSYNCED)


class EventsSection(Section):
    """A listener for Event Grid, so that a change is served within a second (docs/events.md)."""

    listen: Listen = Field(
        description="Address and port of its own, plain HTTP: whatever Event Grid can reach ends TLS before it."
    )
    secret: Reference = Field(
        description="What a sender has to know: 16 characters or more, as the parameter `secret` of the URL or in the "
        "header `X-Pldns-Secret`. Read for each request."
    )


class AzureSection(Section):
    """Endpoints, their network interfaces, virtual networks and peerings, live from Azure (docs/azure.md)."""

    name: Label = Field(description=_NAME)
    type: Literal["azure"] = Field(description="Kind of source.")
    subscriptions: tuple[Guid, ...] = Field(
        default=(), description="Ids of the subscriptions; none: all that the identity can read."
    )
    interval: Interval = Field(
        default=60, description="Between two syncs, at least; longer where half of Azure's quota would not do."
    )
    cloud: Literal["public", "usgovernment", "china"] = Field(default="public", description="Which of Azure's clouds.")
    management: Management | None = Field(
        default=None,
        description="Origin of the Resource Manager in place of the cloud's, for Azure Stack: the only one that tokens "
        "are sent to. HTTPS; plain HTTP on loopback only.",
    )
    credential: CredentialSection = CredentialSection()
    private_dns: Literal["off", "check", "serve"] = Field(
        default="off",
        description="Private DNS zones of the subscriptions: `check` compares them with the endpoints "
        "(`source-disagreement`), `serve` answers their hand-made records too (docs/private-dns.md). `off`, since each "
        "zone costs two reads or more.",
    )
    events: EventsSection | None = Field(default=None, description="Without it, changes are seen at the next sync.")
    on_unsynced: Literal["servfail", "public"] = Field(default="servfail", description=_ON_UNSYNCED)
    hold_down: Duration = Field(
        default=300,
        description="What is absent is kept for so long, unless Azure says by itself that it is gone; what is gone is "
        "still served for so long, unless another endpoint has its name or address.",
    )
    expire: Duration = Field(
        default=86_400,
        description="Without a good sync for so long, what this source gave is called expired; it is kept.",
    )


Source = Annotated[FilesSection | AzureSection, Field(discriminator="type")]
