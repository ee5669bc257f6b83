"""Networks from topology: what virtual networks and their peerings make of clients, beside networks made by hand.

Each VNet makes one network: its address space is the clients, it is their home, its Connected peers are their reach,
never the peers' peers. Nearness follows from that: the same VNet, then the same region, then the rest.

A prefix that two VNets hold cannot tell whose client asks, whether they hold it alike or one inside a larger one. It
belongs to neither: nobody is given an address that means another machine where he is. What is made by hand counts
instead wherever it says the same prefix or a longer one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zones.azure.endpoint import Endpoint, VirtualNetwork
from zones.networks.network import NOBODY, Network, Networks
from zones.networks.overlap import spans
from zones.networks.prefixes import Prefix, prefix

RESERVED: Final = frozenset((NOBODY, "default", "auto"))
"""Names that no network has."""


def networks(vnets: Iterable[VirtualNetwork], configured: Sequence[Network]) -> tuple[Network, ...]:
    """The configured ones as they are, then one for each VNet, then `none` with the prefixes that tell nothing."""
    ordered = sorted(vnets, key=lambda vnet: vnet.key)
    taken = {prefix(text) for network in configured for text in network.clients}
    clients: dict[str, list[str]] = {vnet.key: [] for vnet in ordered}
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
    return (*configured, *made, *([Network(NOBODY, tuple(map(str, shared)))] if shared else []))


def redraw(networks: Networks, drawn: Sequence[Network], endpoints: Mapping[str, Endpoint]) -> list[str]:
    """Put `drawn` in place of the networks that there are; the keys of the endpoints that are seen otherwise by it.

    All endpoints in one place are seen alike, so it costs their number and, beyond that, the number of places.
    """
    places: dict[tuple[str, str, str], list[str]] = {}
    for key, endpoint in endpoints.items():
        place = endpoint.vnet, endpoint.network, networks.region_of(endpoint)
        places.setdefault(place, []).append(key)
    before = [networks.sight(endpoints[keys[0]]) for keys in places.values()]
    networks.become(drawn)
    after = (networks.sight(endpoints[keys[0]]) for keys in places.values())
    return [
        key for keys, one, other in zip(places.values(), before, after, strict=True) if one != other for key in keys
    ]


def _names(keys: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """The VNet's name in lower case; `NAME@GROUP` or `NAME@GROUP@SUBSCRIPTION` where that is not one network's alone.

    All that share a name are told apart, so that none of them comes to mean another one.
    """
    texts = {key: _texts(key) for key in keys}
    counts = Counter(text for each in texts.values() for text in each)
    counts.update(taken)
    return {key: next((text for text in each if counts[text] == 1), each[-1]) for key, each in texts.items()}


def _texts(key: str) -> tuple[str, str, str]:
    parts = key.split("/")
    name, group, subscription = parts[-1], *(parts[4:5] or [""]), *(parts[2:3] or [""])
    return name, f"{name}@{group}", f"{name}@{group}@{subscription}"
