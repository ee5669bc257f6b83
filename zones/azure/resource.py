"""Azure's resources as a source provides them: ids are normalised, FQDNs and addresses are still texts.

`arm` parses them, `inventory` joins and validates them, and the saved inventory stores them in this form. Does not know
JSON.
"""

from collections.abc import Iterable
from sys import intern
from typing import Self, TypeVar

from msgspec import Struct

from zones.azure.endpoint import NO_RESOURCE, Fault, ResourceId, VirtualNetwork


class NicRow(Struct, frozen=True, gc=False, array_like=True):
    """FQDNs, and the addresses that they share. The rows of a NIC are in the order of its `ipConfigurations`."""

    fqdns: tuple[str, ...]
    addresses: tuple[str, ...]
    group: str = ""
    member: str = ""


class PrivateEndpoint(Struct, frozen=True, gc=False, array_like=True):
    """A `Microsoft.Network/privateEndpoints` resource, or an endpoint of the short form: then `records` is not None."""

    key: ResourceId
    """Normalised id, or the name in the short form."""
    id: str
    name: str
    region: str = ""
    """Folded, without spaces."""
    subscription: str = ""
    vnet: ResourceId = NO_RESOURCE
    """Normalised id. A text that is no id is kept, folded; it is in no network."""
    target: str = ""
    groups: tuple[str, ...] = ()
    state_text: str = ""
    provisioning: str = "Succeeded"
    nics: tuple[ResourceId, ...] = ()
    """Normalised ids."""
    dns: tuple[NicRow, ...] = ()
    """The `customDnsConfigs`. Azure empties them while a DNS zone group is attached."""
    records: tuple[NicRow, ...] | None = None
    network: str = ""
    faults: tuple[Fault, ...] = ()
    subnet: str = ""
    """Name of the subnet in `vnet`; empty in the short form."""


class Nic(Struct, frozen=True, gc=False, array_like=True):
    """The network interface of a private endpoint. `endpoint` is the endpoint's normalised id, or empty."""

    key: ResourceId
    id: str
    endpoint: ResourceId
    rows: tuple[NicRow, ...] = ()
    faults: tuple[Fault, ...] = ()


class ZoneRecord(Struct, frozen=True, gc=False, array_like=True):
    """A record set that a DNS zone group wrote. `name` is the whole name without a final dot."""

    name: str
    addresses: tuple[str, ...]


class ZoneConfig(Struct, frozen=True, gc=False, array_like=True):
    """One private DNS zone of a DNS zone group, and the record sets that the group wrote into it, as Azure lists them.

    `zone` is the normalised id of the zone, or the text that is no id, folded.
    """

    zone: str
    records: tuple[ZoneRecord, ...] = ()

    @property
    def origin(self) -> str:
        """The name of the zone."""
        return self.zone.rpartition("/")[2]


class ZoneGroup(Struct, frozen=True, gc=False, array_like=True):
    """The DNS zone group of a private endpoint. An endpoint has at most one."""

    key: ResourceId
    """Normalised id of the endpoint, which is the first part of the group's id."""
    id: str
    configs: tuple[ZoneConfig, ...] = ()


class Resources(Struct, frozen=True, array_like=True):
    """The resources in one part of a source. Each key is unique among resources of its kind.

    `faults` are those of rows that could not be read at all.
    """

    endpoints: tuple[PrivateEndpoint, ...] = ()
    nics: tuple[Nic, ...] = ()
    vnets: tuple[VirtualNetwork, ...] = ()
    faults: tuple[Fault, ...] = ()
    zone_groups: tuple[ZoneGroup, ...] = ()

    @classmethod
    def joined(cls, pieces: Iterable[Self]) -> Self:
        """Return all pieces as one value; of a resource that several pieces hold, the version in the first counts."""
        found = tuple(pieces)
        if len(found) == 1:
            return found[0]
        return cls(
            _firsts(each for piece in found for each in piece.endpoints),
            _firsts(each for piece in found for each in piece.nics),
            _firsts(each for piece in found for each in piece.vnets),
            tuple(dict.fromkeys(fault for piece in found for fault in piece.faults)),
            _firsts(each for piece in found for each in piece.zone_groups),
        )


_R = TypeVar("_R", PrivateEndpoint, Nic, VirtualNetwork, ZoneGroup)


def _firsts(resources: Iterable[_R]) -> tuple[_R, ...]:
    """Return the first resource with each key, in order. Without duplicates, the usual case, this costs one dict."""
    every = tuple(resources)
    by_key = {each.key: each for each in reversed(every)}
    return every if len(by_key) == len(every) else tuple(each for each in every if by_key.pop(each.key, None) is each)


def with_earlier(data: Resources, before: Resources) -> Resources:
    """Return the data of an incomplete page, and the earlier resources of its file that the page lacks.

    An earlier NIC is left out if the page has its endpoint with other NICs, or another NIC of the endpoint.
    """
    nics = {each.key: each.nics for each in data.endpoints if each.nics}
    served = {each.endpoint for each in data.nics}
    earlier = Resources(
        before.endpoints,
        tuple(
            nic
            for nic in before.nics
            if nic.key in nics.get(nic.endpoint, () if nic.endpoint in served else (nic.key,))
        ),
        before.vnets,
        zone_groups=before.zone_groups,
    )
    return Resources.joined((data, earlier))


class InvalidId(ValueError):  # noqa: N818 - the finding says "invalid id"
    """The text is not the id of a resource in a resource group."""


def resource_id(text: str) -> ResourceId:
    """Return a resource id in normalised form: folded, with a slash before it and none after it, interned.

    Ids are case-insensitive. The segment after the resource group always becomes `providers`, since examples in Azure's
    documentation misspell it. Raises `InvalidId`.
    """
    parts = text.strip().strip("/").casefold().split("/")
    if len(parts) < 8 or len(parts) % 2 or parts[0] != "subscriptions" or parts[2] != "resourcegroups" or "" in parts:
        raise InvalidId(f"{text[:200]!r} is not the id of a resource" if text else "no id")
    parts[4] = "providers"
    return ResourceId(intern("/" + "/".join(parts)))


def resource_type(key: ResourceId) -> str:
    """Return the namespace and types of a normalised id: `microsoft.network/virtualnetworks/subnets`."""
    parts = key.split("/")
    return "/".join((parts[6], *parts[7::2]))


def subscription(key: ResourceId) -> str:
    """Return the subscription of a normalised id."""
    return intern(key.split("/", 3)[2])
