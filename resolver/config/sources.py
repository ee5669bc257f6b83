"""The keys of `sources`: where endpoints are read; for Azure also what is read, and with which identity."""

import ipaddress
import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from resolver.azure_settings import CloudName, CredentialType, PrivateDnsMode
from resolver.config.section import Section
from resolver.config.values import Duration, Invalid, Label, Listen, Text, on_or_off
from resolver.host_port import bracketed
from resolver.settings import GuardMode, OnUnsynced

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
    """Return an origin. Plain HTTP would show tokens to others on the network and is allowed on loopback only."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid(f"`{text}` is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Invalid(f"`{text}` is not a URL such as https://management.example")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise Invalid(
            f"`{text}`: must be a URL of only a scheme, host and port",
            f"{parts.scheme}://{parts.netloc}".split("@")[-1],
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise Invalid(f"`{text}`: tokens are sent without TLS to a loopback address only", f"https://{parts.netloc}")
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
    """Refuse anything but a mapping. The message does not repeat the value, which may be the secret."""
    if not isinstance(value, dict):
        raise Invalid("must not be the secret itself, but where it is: {file: PATH} or {environment: NAME}")
    return value


def _long_enough(seconds: int) -> int:
    if seconds < MIN_INTERVAL:
        raise Invalid(f"must be at least {MIN_INTERVAL}s")
    return seconds


MIN_INTERVAL: Final = 10


def _text(title: str, **extra: str) -> WithJsonSchema:
    return WithJsonSchema({"title": title, "type": "string", **extra})


Guid = Annotated[str, AfterValidator(_guid), _text("id", format="uuid")]
Management = Annotated[str, AfterValidator(_management), _text("origin", format="uri")]
Guard = Annotated[GuardMode, BeforeValidator(on_or_off)]
Interval = Annotated[Duration, AfterValidator(_long_enough)]


class SecretReference(Section):
    """Where a secret is: in a file or in an environment variable. pldns reads it each time that it is needed."""

    file: Text | None = Field(default=None, description="A file. The end of its line is not part of the secret.")
    environment: Text | None = Field(default=None, description="An environment variable of the daemon.")


Reference = Annotated[SecretReference, BeforeValidator(_reference)]


class CredentialSection(Section):
    """The identity that reads. It needs the role Reader on the subscriptions, and no other role."""

    type: CredentialType = Field(
        default="default",
        description="`default`: the first that is available of environment variables, workload identity, managed "
        "identity and command-line tools.",
    )
    tenant_id: Text | None = Field(default=None, description="Id or domain of the tenant.")
    client_id: Guid | None = Field(
        default=None, description="Id of the application or of a user-assigned managed identity."
    )
    secret: Reference | None = Field(default=None, description="The secret of a `client-secret`.")
    certificate: Reference | None = Field(
        default=None, description="The certificate with its private key, PEM or PKCS#12, of a `certificate`."
    )
    password: Reference | None = Field(default=None, description="The password of the certificate, if it has one.")
    authority: Management | None = Field(
        default=None,
        description="Origin that issues the tokens for a `client-secret` or `certificate`, where that is not Microsoft "
        "Entra ID: a registry of another pldns, or Azure Stack. HTTPS. Default: that of the cloud.",
    )


_NAME: Final = "Name in logs, metrics and the admin interface; unique."
_ON_UNSYNCED: Final = (
    "The answer for names under the service suffixes while this source has never given data: `servfail` (an unknown "
    "private name is never asked upstream), or `public`."
)


_GUARD: Final = (
    "`on`: a change that would remove much of this source is held until an operator accepts it (docs/sync.md). `off`: "
    "every change is served. Use `off` in labs only."
)


class FilesSection(Section):
    """Endpoints from files."""

    name: Label = Field(description=_NAME)
    type: Literal["files"] = Field(description="Kind of source.")
    path: Text = Field(
        description="A file or a folder: ARM JSON, `az … -o json` output, Resource Graph rows, or the short form. "
        "If it is missing, pldns reports that, serves without it and waits for it."
    )
    on_unsynced: OnUnsynced = Field(default="servfail", description=_ON_UNSYNCED)
    guard: Guard = Field(default="on", description=_GUARD)


class EventsSection(Section):
    """A listener for Event Grid events, so that a change is served within a second (docs/events.md)."""

    listen: Listen = Field(
        description="An address and port for plain HTTP. A proxy that Event Grid can reach must end TLS before it."
    )
    secret: Reference = Field(
        description="The secret of the senders, 16 characters or more, in the URL's parameter `secret` or in the "
        "header "
        "`X-Pldns-Secret`. pldns reads it for each request."
    )


class AzureSection(Section):
    """Endpoints, their network interfaces, virtual networks and peerings, read from Azure (docs/azure.md)."""

    name: Label = Field(description=_NAME)
    type: Literal["azure"] = Field(description="Kind of source.")
    subscriptions: tuple[Guid, ...] = Field(
        default=(), description="Ids of the subscriptions. Default: all that the identity can read."
    )
    interval: Interval = Field(
        default=60,
        description="Least time between two syncs. It is longer if syncs would need more than half of Azure's quota.",
    )
    cloud: CloudName = Field(default="public", description="The Azure cloud.")
    management: Management | None = Field(
        default=None,
        description="Origin of the Resource Manager, for Azure Stack. Default: that of the cloud. Tokens are sent to "
        "no other origin. HTTPS; plain HTTP on loopback only.",
    )
    credential: CredentialSection = CredentialSection()
    private_dns: PrivateDnsMode = Field(
        default="off",
        description="Private DNS zones of the subscriptions. `check` compares them with the endpoints "
        "(`source-disagreement`), `serve` also answers their other records (docs/private-dns.md). Each zone costs two "
        "requests or more.",
    )
    events: EventsSection | None = Field(default=None, description="Default: pldns finds changes at the next sync.")
    on_unsynced: OnUnsynced = Field(default="servfail", description=_ON_UNSYNCED)
    guard: Guard = Field(default="on", description=_GUARD)
    hold_down: Duration = Field(
        default=300,
        description="How long a resource that is missing from a sync is kept, unless Azure reports its deletion. A "
        "deleted endpoint is served for the same time, unless another endpoint has its name or address.",
    )
    expire: Duration = Field(
        default=86_400,
        description="Without a successful sync for this time, the data of this source is reported as expired, but "
        "still "
        "served.",
    )


class RegistrySourceSection(Section):
    """The endpoints of this pldns's own registry (`registry`, docs/registry.md)."""

    name: Label = Field(description=_NAME)
    type: Literal["registry"] = Field(description="Kind of source.")
    on_unsynced: OnUnsynced = Field(default="servfail", description=_ON_UNSYNCED)


class HubSourceSection(Section):
    """Everything that another pldns reads, received from it as it changes (docs/hub.md). Needs no identity in Azure."""

    name: Label = Field(description=_NAME)
    type: Literal["hub"] = Field(description="Kind of source.")
    urls: tuple[Management, ...] = Field(
        min_length=1,
        description="`hub.listen` of the other pldns: `https://HOST:PORT`, or plain HTTP on loopback only. Several: "
        "pldns that read the same; the next one is followed when one fails.",
    )
    token: Reference | None = Field(
        default=None, description="A token of the hub with the role `read`. pldns reads it for each connection."
    )
    ca: Text | None = Field(
        default=None,
        description="Authorities of the hub's certificate, in PEM form. pldns reads the file for each connection. "
        "Default: those of the system.",
    )
    private_dns: PrivateDnsMode = Field(
        default="off",
        description="The private DNS zones that the hub reads: as for a source of type `azure`. The hub needs "
        "`private_dns` for its own source too.",
    )
    on_unsynced: OnUnsynced = Field(default="servfail", description=_ON_UNSYNCED)
    guard: Guard = Field(default="on", description=_GUARD)
    expire: Duration = Field(
        default=86_400,
        description="When the data has been that old, at the hub or without a hub, it is reported as expired, but "
        "still served.",
    )


Source = Annotated[FilesSection | AzureSection | RegistrySourceSection | HubSourceSection, Field(discriminator="type")]
