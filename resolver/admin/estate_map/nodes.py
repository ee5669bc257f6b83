"""What a node of the map is in the estate: whether it exists, which VNet holds it, who sees it, what is wrong with it.

Pure.
"""

from collections.abc import Sequence

from resolver.admin.estate_map.census import Census, Tally
from resolver.admin.estate_map.node_ids import Kind, NodeId, Service, service_of
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ResourceId
from zones.findings.finding import Finding
from zones.networks.network import NetworkMask


def mask_of_vnet(estate: Estate, census: Census, key: ResourceId) -> NetworkMask:
    """Return the networks that see a VNet. The region of a VNet that was not read is that of one of its endpoints."""
    if vnet := estate.ledger.vnets.get(key):
        return estate.networks.sees_vnet(key, vnet.region)
    members = (census.members[service][0] for service in census.inside.get(key, ()))
    endpoint = next((found for member in members if (found := estate.ledger.endpoints.get(member))), None)
    return estate.networks.sees_vnet(key, estate.networks.region_of(endpoint) if endpoint else "")


def home_of(estate: Estate, node: NodeId | None) -> Service | None:
    """Return the VNet and the service that a node is in; with an empty service for a VNet, None for a network."""
    if node is None:
        return None
    if node.kind is Kind.ENDPOINT:
        endpoint = estate.ledger.endpoints.get(ResourceId(node.key))
        return service_of(endpoint) if endpoint else None
    if node.kind is Kind.NETWORK:
        derived = next((each.key for each in estate.networks.now if each.name == node.key and each.key), None)
        return Service(ResourceId(derived), "") if derived else None
    return Service(ResourceId(node.key), node.service)


def is_known(estate: Estate, census: Census, node: NodeId) -> bool:
    """Return whether a node exists."""
    if node.kind is Kind.ENDPOINT:
        return ResourceId(node.key) in estate.ledger.endpoints
    if node.kind is Kind.VNET:
        return ResourceId(node.key) in census.vnets
    if node.kind is Kind.SERVICE:
        return Service(ResourceId(node.key), node.service) in census.services
    return bool(estate.networks.named(node.key))


def facts_of(census: Census, node: NodeId) -> Sequence[Finding]:
    """Return the open findings that the census keeps about a node, the most severe first."""
    if node.kind is Kind.ENDPOINT:
        return census.findings.get(ResourceId(node.key), ())
    if node.kind is Kind.NETWORK:
        return census.of_networks.get(node.key, ())
    tally = tally_of(census, node)
    return tally.listed if tally else ()


def tally_of(census: Census, node: NodeId) -> Tally | None:
    """Return what is counted in a VNet or a service; None for another node."""
    if node.kind is Kind.VNET:
        return census.vnets.get(ResourceId(node.key))
    return census.services.get(Service(ResourceId(node.key), node.service)) if node.kind is Kind.SERVICE else None
