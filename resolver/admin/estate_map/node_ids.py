"""The ids of what the map shows. The address of a map in a browser has them, so they stay the same over restarts.

`network:NAME`, `vnet:KEY`, `service:KEY|SERVICE`, `endpoint:KEY`. A VNet or endpoint has its normalised resource id as
its key. Endpoints in no VNet are at `vnet:`, whose key is empty.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from zones.azure.endpoint import Endpoint, ResourceId


class Kind(StrEnum):
    """What a node of the map is."""

    NETWORK = "network"
    VNET = "vnet"
    SERVICE = "service"
    ENDPOINT = "endpoint"


_KINDS: Final = frozenset(map(str, Kind))


class Service(NamedTuple):
    """The endpoints of one VNet with the same group id (sub-resource), such as `blob`, in lower case."""

    vnet: ResourceId
    name: str


class NodeId(NamedTuple):
    """An id, taken apart. `service`: empty unless the node is a service."""

    kind: Kind
    key: str
    service: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}|{self.service}" if self.kind is Kind.SERVICE else f"{self.kind}:{self.key}"


class InvalidNodeId(ValueError):  # noqa: N818 - it describes the text
    """The text is not the id of a node."""


def parsed(text: str) -> NodeId:
    """Return an id. The key of a VNet, service or endpoint may be in any case. Raises `InvalidNodeId`."""
    kind, colon, key = text.partition(":")
    if not colon or kind not in _KINDS:
        raise InvalidNodeId(text)
    if kind == Kind.NETWORK:
        return NodeId(Kind.NETWORK, key)
    folded = key.casefold()
    if kind == Kind.SERVICE:
        vnet, bar, service = folded.rpartition("|")
        if not bar or not service:
            raise InvalidNodeId(text)
        return NodeId(Kind.SERVICE, vnet, service)
    return NodeId(Kind(kind), folded)


def vnet_id(key: str) -> str:
    """Return the id of the node of a VNet."""
    return f"{Kind.VNET}:{key}"


def service_id(service: Service) -> str:
    """Return the id of the node of a service."""
    return f"{Kind.SERVICE}:{service.vnet}|{service.name}"


def service_of(endpoint: Endpoint) -> Service:
    """Return the service of an endpoint: its first group id, or the last part of the type of its target."""
    if endpoint.groups:
        return Service(endpoint.vnet, endpoint.groups[0].casefold())
    return Service(endpoint.vnet, endpoint.target_type.rpartition("/")[2] or OTHER)


OTHER = "other"
"""The service of an endpoint without a group id whose target is an alias, such as that of a private link service."""
