"""The types of single values: the text that each type accepts, its canonical form, and its JSON Schema.

Values are canonical text (`127.0.0.1:53`, `10.0.0.0/8`, `udp://192.0.2.53:53`); durations are seconds and sizes octets.
Does not know which key has which type.
"""

import os
import re
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from resolver import host_port
from zones.claims.policy import MissPolicy
from zones.clocks import WallTime
from zones.dns import name


class Invalid(ValueError):  # noqa: N818 - says what is wrong with the value
    """A value that its type does not accept. `hint` is the likely correct text, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def until(text: str) -> WallTime:
    """Return an ISO 8601 time with its zone as seconds since the epoch. Raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"`{text}` is not a date and time such as 2030-01-31T18:00:00Z") from None
    if moment.tzinfo is None:
        zoned = moment.isoformat() + "Z"
        raise Invalid(f"`{text}` has no time zone", zoned)
    return WallTime(moment.timestamp())


def _listen(text: str) -> str:
    if "%" in text:
        raise Invalid(f"`{text}`: {_ONE_LINK}")
    at = host_port.parse(text)
    if at.address.version == 6 and at.address.is_link_local:
        raise Invalid(f"`{text}`: {_ONE_LINK}")
    return str(at)


_ONE_LINK: Final = "pldns does not listen on one link only; `[::]` has the link-local addresses too"


def _ip(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise Invalid(f"`{text}` is not an IP address") from None
    if isinstance(address, IPv6Address) and address.is_link_local and address.scope_id is None:
        raise Invalid(f"`{text}`: a link-local address needs its interface, as in `{address}%eth0`")
    return host_port.parse(host_port.bracketed(str(address)), 0).host


def _prefix(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise Invalid(f"`{text}` is not a prefix such as 10.0.0.0/8 or fd00::/8") from None
    if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
        raise Invalid(f"`{text}` has bits set after its prefix length", str(network))
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        mapped = f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}"
        raise Invalid(f"`{text}`: IPv4-mapped clients are IPv4 clients here", mapped)
    return str(network)


def _off(value: object) -> object:
    return None if value in {"off", False} else value


def on_or_off(value: object) -> object:
    """Return `on` or `off` for a boolean: a tool that writes YAML 1.1 turns the words into booleans."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _duration(value: object) -> int:
    match = _DURATION.fullmatch(str(value)) if isinstance(value, str | int) and value is not True else None
    if not match:
        raise Invalid(f"`{value}` is not a duration in whole seconds such as 10s, 5m, 1h, 1d or 10")
    seconds = int(match[1]) * _UNITS[match[2] or "s"]
    if seconds > MAX_DURATION:
        raise Invalid(f"`{value}` is more than 7 days")
    return seconds


MAX_DURATION: Final = 7 * 86400  # seconds
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd]?)", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value)) if isinstance(value, str | int) and value is not True else None
    if not match:
        raise Invalid(f"`{value}` is not a size such as 64MiB, 1GiB or a number of octets")
    return int(match[1]) * _OCTETS[match[2] or ""]


_SIZE: Final = re.compile(r"([0-9]{1,12})(KiB|MiB|GiB)?", re.ASCII)
_OCTETS: Final = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def _zone(text: str) -> str:
    if _read_name(text) == name.ROOT:
        raise Invalid("the root cannot be configured as a zone")
    return text


def host_name(text: str) -> str:
    """Return a host name in canonical form. Raises `Invalid`."""
    try:
        return name.to_text(name.host_from_text(text))
    except name.InvalidName as error:
        raise Invalid(f"not a host name: {error}") from None


def _read_name(text: str) -> name.Name:
    try:
        return name.from_text(text)
    except name.InvalidName as error:
        raise Invalid(f"not a domain name: {error}") from None


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise Invalid(f"`{text}` is not a name of letters, digits, `-`, `_` and `.`, at most 63")
    return text


def _network_name(text: str) -> str:
    if text in {"none", "default", "auto"}:
        raise Invalid(
            f"the name `{text}` is reserved: `none` means clients in no network, `default` the network without "
            "configuration, `auto` networks made by virtual networks"
        )
    return _label(text)


def _any_network(text: str) -> str:
    if not _ANY_NETWORK.fullmatch(text):
        raise Invalid(f"`{text}` is not the name of a network")
    return text


_ANY_NETWORK: Final = re.compile(r"[\w.()@-]{1,255}")
_LABEL: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,62}", re.ASCII)


def _vnet(text: str) -> str:
    if not _VNET.fullmatch(text):
        raise Invalid(f"`{text}` is not the resource id of a virtual network: {_VNET_ID}")
    return text


def _reach(text: str) -> str:
    if text == "all" or _REGION.fullmatch(text) or _SUBSCRIPTION.fullmatch(text) or _VNET.fullmatch(text):
        return text
    raise Invalid(f"`{text}` is none of: {_VNET_ID}, /subscriptions/ID, region:NAME, all")


_VNET_ID: Final = "/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Network/virtualNetworks/NAME"
_VNET: Final = re.compile(
    r"/subscriptions/[^/\s]+/resourcegroups/[^/\s]+/providers/microsoft\.network/virtualnetworks/[^/\s]+/?",
    re.IGNORECASE,
)
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/[^/\s]+/?", re.IGNORECASE)
_REGION: Final = re.compile(r"region:[A-Za-z0-9 ]+")


def _miss(text: str) -> str:
    if text not in MISSES and not text.startswith(f"{MissPolicy.FORWARD}:"):
        raise Invalid(f"`{text}` is none of: {', '.join(MISSES)}, {MissPolicy.FORWARD}:GROUP")
    return text


MISSES: Final = tuple(str(policy) for policy in MissPolicy if policy is not MissPolicy.FORWARD)


def _endpoint(text: str) -> str:
    if not text or text != text.strip():
        raise Invalid("must be the resource id of an endpoint, or its name in the short form")
    return text


def _excepted(text: str) -> str:
    if not text or text != text.strip():
        raise Invalid("must be the resource id or name of an endpoint, or an FQDN")
    return text


def _until(text: str) -> str:
    until(text)
    return text


def url_path(text: str) -> str:
    """Return the path of a URL unchanged. Raises `Invalid`."""
    if not _URL_PATH.fullmatch(text):
        raise Invalid(f"`{text}` is not the path of a URL such as /dns-query, without `?` and `#`")
    return text


_URL_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*", re.ASCII)


def _identity(text: str) -> str:
    if not text or not text.isprintable() or len(text.encode()) > 255:
        raise Invalid("must be 1 to 255 octets of printable text")
    return text


def _workers(value: object) -> object:
    """Replace `auto` by the number of cores that this process may run on, at most 256."""
    if value != "auto":
        return value
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 256)


def _text(title: str, **extra: Any) -> WithJsonSchema:  # noqa: ANN401 - any JSON
    return WithJsonSchema({"title": title, "type": "string", **extra})


Listen = Annotated[str, AfterValidator(_listen), _text("address:port", examples=["127.0.0.1:53", "[::1]:53"])]
IpAddress = Annotated[str, AfterValidator(_ip), _text("address", examples=["192.0.2.53"])]
Prefix = Annotated[str, AfterValidator(_prefix), _text("prefix", examples=["10.0.0.0/8", "fd00::/8"])]
Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"title": "duration", "type": ["string", "integer"], "pattern": "^[0-9]+[smhd]?$", "minimum": 0}),
]
Zone = Annotated[str, AfterValidator(_zone), _text("domain name")]
Host = Annotated[str, AfterValidator(host_name), _text("host name")]
Label = Annotated[str, AfterValidator(_label), _text("name", pattern=f"^{_LABEL.pattern}$")]
NetworkName = Annotated[str, AfterValidator(_network_name), _text("name", pattern=f"^{_LABEL.pattern}$")]
AnyNetwork = Annotated[str, AfterValidator(_any_network), _text("name", pattern=f"^{_ANY_NETWORK.pattern}$")]
Miss = Annotated[str, AfterValidator(_miss), _text("on_miss", pattern=f"^({'|'.join(MISSES)}|forward:.+)$")]
VNet = Annotated[str, AfterValidator(_vnet), _text("id of a VNet")]
Reach = Annotated[str, AfterValidator(_reach), _text("id or scope")]
Until = Annotated[str, AfterValidator(_until), _text("time", format="date-time")]
EndpointId = Annotated[str, AfterValidator(_endpoint)]
Excepted = Annotated[str, AfterValidator(_excepted), _text("endpoint or FQDN")]
AdminListen = Annotated[
    Listen | None,
    BeforeValidator(_off),
    WithJsonSchema({"title": "address:port or off", "type": ["string", "null"], "examples": ["127.0.0.1:8053", "off"]}),
]
Text = Annotated[str, Field(min_length=1)]
AdminSocket = Annotated[
    Text | None,
    BeforeValidator(_off),
    WithJsonSchema({"title": "path, `auto` or `off`", "type": ["string", "null"]}),
]
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"title": "size", "type": ["string", "integer"], "pattern": "^[0-9]+(KiB|MiB|GiB)?$", "minimum": 0}),
]
Count = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]
"""`true` or `false`, and no other word of YAML 1.1."""
Workers = Annotated[
    int,
    Field(strict=True, ge=1, le=256),
    BeforeValidator(_workers),
    WithJsonSchema(
        {
            "title": "number or `auto`",
            "type": ["string", "integer"],
            "pattern": "^auto$",
            "minimum": 1,
            "maximum": 256,
        }
    ),
]
UrlPath = Annotated[str, AfterValidator(url_path), _text("path", pattern=f"^{_URL_PATH.pattern}$")]
Identity = Annotated[str, AfterValidator(_identity), _text("name")]
