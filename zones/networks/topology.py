"""Networks derived from virtual networks and their peerings, beside configured networks.

Each VNet makes one network. Its address space are the clients, the VNet is their home, and its Connected peers are
their reach; the peers' peers are not. Nearness follows: the same VNet first, then the same region, then the rest.

Where two VNets have a prefix in common, a client's address does not show which VNet it is in. The prefix is in neither
network: its clients must not get an address that is another machine in their VNet. A configured network with the same
prefix or a longer one takes precedence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.networks.network import NO_NETWORK, Network, Networks
from zones.networks.overlap import spans
from zones.networks.prefixes import Prefix, prefix

RESERVED: Final = frozenset((NO_NETWORK, "default", "auto"))
"""Names that no derived network gets."""


def networks(vnets: Iterable[VirtualNetwork], configured: Sequence[Network]) -> tuple[Network, ...]:
    """Return the configured networks, one network for each VNet, and `none` with the prefixes of several VNets."""
    ordered = sorted(vnets, key=lambda vnet: vnet.key)
    taken = {prefix(text) for network in configured for text in network.clients}
    clients: dict[ResourceId, list[str]] = {vnet.key: [] for vnet in ordered}
    shared: list[Prefix] = []
    for span in spans(ordered):
        if span.space in taken:
            continue
        if span.total > 1:
            shared.append(span.space)
        else:
            clients[span.own[0].key].append(str(span.space))
    names = _names([vnet.key for vnet in ordered], {network.name.casefold() for network in configured} | RESERVED)
    made = tuple(
        Network(names[vnet.key], tuple(clients[vnet.key]), (vnet.key,), tuple(sorted(vnet.peers)), vnet.key)
        for vnet in ordered
    )
    return (*configured, *made, *([Network(NO_NETWORK, tuple(map(str, shared)))] if shared else []))


def redraw(networks: Networks, drawn: Sequence[Network], endpoints: Mapping[ResourceId, Endpoint]) -> list[ResourceId]:
    """Replace the networks by `drawn`. Return the keys of the endpoints whose visibility or nearness has changed.

    Endpoints with the same VNet, network and region that the same networks except are alike, so the masks are computed
    once for each such group.
    """
    groups: dict[tuple[str, str, str, int], list[ResourceId]] = {}
    excepted = networks.excepted
    for key, endpoint in endpoints.items():
        excepts = excepted.of(endpoint) if excepted else 0
        placement = endpoint.vnet, endpoint.network, networks.region_of(endpoint), excepts
        groups.setdefault(placement, []).append(key)
    before = [networks.sight(endpoints[keys[0]]) for keys in groups.values()]
    networks.replace(drawn)
    after = (networks.sight(endpoints[keys[0]]) for keys in groups.values())
    return [
        key for keys, one, other in zip(groups.values(), before, after, strict=True) if one != other for key in keys
    ]


def _names(keys: Sequence[ResourceId], taken: Iterable[str]) -> dict[str, str]:
    """Return a name for each VNet key: the VNet's name in lower case where it is unique.

    Otherwise `NAME@GROUP` or `NAME@GROUP@SUBSCRIPTION`. All VNets that share a name get a longer one, so that a name
    never passes from one VNet to another.
    """
    texts = {key: _texts(key) for key in keys}
    counts = Counter(text for each in texts.values() for text in each)
    counts.update(taken)
    return {key: next((text for text in each if counts[text] == 1), each[-1]) for key, each in texts.items()}


def _texts(key: ResourceId) -> tuple[str, str, str]:
    parts = key.split("/")
    name, group, subscription = parts[-1], *(parts[4:5] or [""]), *(parts[2:3] or [""])
    return name, f"{name}@{group}", f"{name}@{group}@{subscription}"
