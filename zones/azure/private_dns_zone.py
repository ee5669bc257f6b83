"""Azure's private DNS zones: record sets and virtual network links.

Parses the JSON of the Resource Manager (Microsoft.Network 2024-06-01) into records in wire form. A record set that
cannot be read is a fault, and the rest of its zone is kept. Does not know which endpoints have the same names.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from zones.azure.endpoint import Fault, ResourceId
from zones.azure.resource import InvalidId, resource_id
from zones.dns.name import InvalidName, Name, from_text
from zones.dns.record import AAAA, CNAME, MX, PTR, SOA, SRV, TXT, A, RRset

TYPE: Final = "microsoft.network/privatednszones"
WHERE: Final = "Azure"
_CREATOR: Final = re.compile(r"created by private endpoint (\S+)(?: with resource guid \S+)?", re.IGNORECASE)


class RecordSet(Struct, frozen=True, gc=False, array_like=True):
    """The records of one name and type."""

    id: str
    rrset: RRset
    creator: str = ""
    """The `creator` in its metadata, which the DNS zone group of a private endpoint sets; empty for other records."""
    automatic: bool = False
    """True where a virtual machine was registered automatically."""

    @property
    def owner(self) -> Name:
        """The owner name."""
        return Name(self.rrset.owner)

    @property
    def maker(self) -> str:
        """The name of the private endpoint that the creator names; empty where it names none."""
        found = _CREATOR.match(self.creator)
        return found[1].casefold() if found else ""


class ZoneLink(Struct, frozen=True, gc=False, array_like=True):
    """A virtual network link. `vnet` is the normalised id of the virtual network that uses the zone."""

    name: str
    vnet: ResourceId


class PrivateZone(Struct, frozen=True, array_like=True):
    """One private DNS zone, read whole."""

    key: ResourceId
    id: str
    origin: bytes
    records: tuple[RecordSet, ...] = ()
    links: tuple[ZoneLink, ...] = ()
    faults: tuple[Fault, ...] = ()


class UnreadableRows(ValueError):  # noqa: N818 - the state of the rows
    """The rows of a page do not have the expected shape."""


# -- JSON

_U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
_U32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
_Ttl = Annotated[int, Meta(ge=0, le=0x7FFFFFFF)]  # RFC 2181 §8


class _V4(Struct):
    ipv4_address: str = msgspec.field(name="ipv4Address")


class _V6(Struct):
    ipv6_address: str = msgspec.field(name="ipv6Address")


class _Cname(Struct):
    cname: str


class _Mx(Struct):
    preference: _U16
    exchange: str


class _Ptr(Struct):
    ptrdname: str


class _Srv(Struct):
    priority: _U16
    weight: _U16
    port: _U16
    target: str


class _Txt(Struct):
    value: list[str]


class _Soa(Struct, rename="camel"):
    host: str
    email: str
    serial_number: _U32 = 1
    refresh_time: _U32 = 3600
    retry_time: _U32 = 300
    expire_time: _U32 = 2419200
    minimum_ttl: _U32 = 10


class _Properties(Struct, rename="camel"):
    ttl: _Ttl = 3600
    metadata: dict[str, str] | None = None
    is_auto_registered: bool | None = None
    a_records: list[_V4] = []
    aaaa_records: list[_V6] = []
    cname_record: _Cname | None = None
    mx_records: list[_Mx] = []
    ptr_records: list[_Ptr] = []
    srv_records: list[_Srv] = []
    txt_records: list[_Txt] = []
    soa_record: _Soa | None = None


class _Set(Struct):
    id: str
    type: str
    name: str
    properties: _Properties


class _Named(Struct):
    id: str = ""


class _ZoneLinkProperties(Struct, rename="camel"):
    virtual_network: _Named = msgspec.field(default_factory=_Named)


class _Link(Struct):
    id: str
    name: str = ""
    properties: _ZoneLinkProperties = msgspec.field(default_factory=_ZoneLinkProperties)


def zones(rows: bytes) -> list[tuple[ResourceId, str, Name] | Fault]:
    """Return the normalised id, id and origin of each zone of a page, or the fault of a row that is no zone.

    Raises `UnreadableRows`.
    """
    try:
        found = msgspec.json.decode(rows, type=list[_Named])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableRows(f"zones cannot be read: {error}") from None
    out: list[tuple[ResourceId, str, Name] | Fault] = []
    for each in found:
        try:
            out.append((resource_id(each.id), each.id, from_text(each.id.rstrip("/").rpartition("/")[2])))
        except (InvalidId, InvalidName) as error:
            out.append(Fault(each.id[:200] or "a private DNS zone", "id", str(error), WHERE))
    return out


def links(rows: bytes) -> list[ZoneLink]:
    """Return the virtual network links of a page. Raises `UnreadableRows`."""
    try:
        found = msgspec.json.decode(rows, type=list[_Link])
        return [ZoneLink(each.name, resource_id(each.properties.virtual_network.id)) for each in found]
    except (msgspec.DecodeError, UnicodeError, InvalidId) as error:
        raise UnreadableRows(f"links cannot be read: {error}") from None


def records(rows: bytes, origin: Name) -> tuple[list[RecordSet], list[Fault]]:
    """Return the record sets of a page of this zone, and the faults of those that could not be read.

    Raises `UnreadableRows`.
    """
    try:
        raw = msgspec.json.decode(rows, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableRows(f"record sets cannot be read: {error}") from None
    out, faults = [], []
    for each in raw:
        try:
            given = msgspec.json.decode(each, type=_Set)
            if found := _record(given, origin):
                out.append(found)
        except (ValueError, UnicodeError) as error:  # includes msgspec's errors and InvalidName
            faults.append(Fault(_id_of(each), "properties", str(error), WHERE))
    return out, faults


def _id_of(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Named).id[:500] or "a record set"
    except (msgspec.DecodeError, UnicodeError):
        return "a record set"


def _record(given: _Set, origin: Name) -> RecordSet | None:
    """Return None for a record set without records: Azure keeps these, and answers as if they did not exist."""
    kind = given.type.rpartition("/")[2].upper()
    if kind not in _READ:
        raise ValueError(f"records of type {kind[:20]} are not known")
    owner = origin if given.name == "@" else _under(given.name, origin)
    properties = given.properties
    rtype, read = _READ[kind]
    rdatas = tuple(dict.fromkeys(read(properties)))
    metadata = {key.casefold(): value for key, value in (properties.metadata or {}).items()}
    rrset = RRset(owner, rtype, properties.ttl, rdatas)
    record = RecordSet(given.id, rrset, metadata.get("creator", ""), bool(properties.is_auto_registered))
    return record if rdatas else None


def _under(name: str, origin: Name) -> Name:
    owner = Name(from_text(name)[:-1] + origin)
    if len(owner) > 255:
        raise ValueError(f"{name[:80]!r}: {len(owner)} octets with its zone; at most 255")
    return owner


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _text(strings: Sequence[str]) -> bytes:
    octets = [each.encode() for each in strings]
    if any(len(each) > 255 for each in octets) or not octets:
        raise ValueError("a TXT record has strings of at most 255 octets, and at least one")
    return b"".join(bytes((len(each),)) + each for each in octets)


def _soa(given: _Soa) -> bytes:
    times = (given.serial_number, given.refresh_time, given.retry_time, given.expire_time, given.minimum_ttl)
    return (
        from_text(given.host)
        + from_text(given.email.replace("@", "."))
        + b"".join(value.to_bytes(4, "big") for value in times)
    )


_READ: Final[dict[str, tuple[int, Callable[[_Properties], list[bytes]]]]] = {
    "A": (A, lambda p: [IPv4Address(each.ipv4_address).packed for each in p.a_records]),
    "AAAA": (AAAA, lambda p: [IPv6Address(each.ipv6_address).packed for each in p.aaaa_records]),
    "CNAME": (CNAME, lambda p: [from_text(p.cname_record.cname)] if p.cname_record else []),
    "MX": (MX, lambda p: [_numbers(each.preference) + from_text(each.exchange) for each in p.mx_records]),
    "PTR": (PTR, lambda p: [from_text(each.ptrdname) for each in p.ptr_records]),
    "SOA": (SOA, lambda p: [_soa(p.soa_record)] if p.soa_record else []),
    "SRV": (
        SRV,
        lambda p: [_numbers(r.priority, r.weight, r.port) + from_text(r.target) for r in p.srv_records],
    ),
    "TXT": (TXT, lambda p: [_text(each.value) for each in p.txt_records]),
}
