"""Azure's resources as a source gives them: ids normalised, FQDNs and addresses still the texts they were.

Between `arm`, which reads them, and `inventory`, which joins and judges them; the saved inventory holds them as they
are here. Refuses to know JSON.
"""

from collections.abc import Iterable
from sys import intern
from typing import Self

from msgspec import Struct

from zones.azure.endpoint import Fault, VirtualNetwork


class NicRow(Struct, frozen=True, gc=False, array_like=True):
    """FQDNs and the addresses that they share. A NIC's rows stand at their index in its `ipConfigurations`."""

    fqdns: tuple[str, ...]
    addresses: tuple[str, ...]
    group: str = ""
    member: str = ""


class PrivateEndpoint(Struct, frozen=True, gc=False, array_like=True):
    """`Microsoft.Network/privateEndpoints`, or an endpoint of the short form: then `records` is not None."""

    key: str
    """Normalised id; in the short form the name."""
    id: str
    name: str
    region: str = ""
    """Folded, without spaces."""
    subscription: str = ""
    vnet: str = ""
    """Normalised id; where the text was no id, that text folded, which no network holds."""
    target: str = ""
    groups: tuple[str, ...] = ()
    state_text: str = ""
    provisioning: str = "Succeeded"
    nics: tuple[str, ...] = ()
    """Normalised ids."""
    dns: tuple[NicRow, ...] = ()
    """`customDnsConfigs`, which Azure empties while a DNS zone group is attached."""
    records: tuple[NicRow, ...] | None = None
    network: str = ""
    faults: tuple[Fault, ...] = ()


class Nic(Struct, frozen=True, gc=False, array_like=True):
    """The network interface of a private endpoint. `endpoint` is that endpoint's normalised id, or empty."""

    key: str
    id: str
    endpoint: str
    rows: tuple[NicRow, ...] = ()
    faults: tuple[Fault, ...] = ()


class Resources(Struct, frozen=True, array_like=True):
    """What one part of a source holds; a key stands once in its kind. `faults` are of rows that gave nothing."""

    endpoints: tuple[PrivateEndpoint, ...] = ()
    nics: tuple[Nic, ...] = ()
    vnets: tuple[VirtualNetwork, ...] = ()
    faults: tuple[Fault, ...] = ()

    @classmethod
    def joined(cls, pieces: Iterable[Self]) -> Self:
        """Return all pieces as one value; of a resource that several pieces hold, the version in the first counts."""
        found = tuple(pieces)
        if len(found) == 1:
            return found[0]
        endpoints: dict[str, PrivateEndpoint] = {}
        nics: dict[str, Nic] = {}
        vnets: dict[str, VirtualNetwork] = {}
        faults: dict[Fault, None] = {}
        for piece in found:
            for endpoint in piece.endpoints:
                endpoints.setdefault(endpoint.key, endpoint)
            for nic in piece.nics:
                nics.setdefault(nic.key, nic)
            for vnet in piece.vnets:
                vnets.setdefault(vnet.key, vnet)
            faults |= dict.fromkeys(piece.faults)
        return cls(tuple(endpoints.values()), tuple(nics.values()), tuple(vnets.values()), tuple(faults))


class InvalidId(ValueError):  # noqa: N818 - the finding says "invalid id"
    """The text is not the id of a resource in a resource group."""


def resource_id(text: str) -> str:
    """Normalise a resource id: folded, a slash before and none after, interned.

    Ids are case-insensitive. The segment after the resource group means `providers` whatever it says: Azure's own
    examples misspell it. Raises `InvalidId`.
    """
    parts = text.strip().strip("/").casefold().split("/")
    if len(parts) < 8 or len(parts) % 2 or parts[0] != "subscriptions" or parts[2] != "resourcegroups" or "" in parts:
        raise InvalidId(f"{text[:200]!r} is not the id of a resource" if text else "no id")
    parts[4] = "providers"
    return intern("/" + "/".join(parts))


def resource_type(key: str) -> str:
    """Namespace and types of a normalised id: `microsoft.network/virtualnetworks/subnets`."""
    parts = key.split("/")
    return "/".join((parts[6], *parts[7::2]))


def subscription(key: str) -> str:
    """The subscription of a normalised id."""
    return intern(key.split("/", 3)[2])
