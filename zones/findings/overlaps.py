"""Findings about address space that several virtual networks share. Takes plain values."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec import structs

from zones.azure.endpoint import VirtualNetwork
from zones.findings.checks import in_networks
from zones.findings.evidence import LISTED, Listed
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import NetworkOverlap, VNetPrefix
from zones.networks.network import NetworkMask, Networks
from zones.networks.overlap import Span, spans


def of_overlaps(vnets: Iterable[VirtualNetwork], networks: Networks) -> Iterator[Finding]:
    """Findings about prefixes of several VNets.

    Either one network sees several of the VNets and they are not peered, or clients in the prefix belong to no network.
    """
    met: dict[Span | None, tuple[int, int]] = {None: (0, 0)}
    """By span: the networks that see one of the VNets with that span, and those that see several."""
    for span in spans(vnets):
        once, before = met[span.around]
        twice = 0
        for vnet in span.own:
            mask = networks.sees_vnet(vnet.key, vnet.region)
            twice |= once & mask
            once |= mask
        met[span] = once, before | twice
        if span.total == 2 and _are_peered(*(vnet for vnet, _ in span.holders())):
            twice = 0
        ambiguous = span.total > 1 and networks.has_nobody(span.space)
        ambiguous = ambiguous and not all(networks.has_listener(vnet.key) for vnet, _ in span.holders())
        if twice or ambiguous:
            first = tuple(VNetPrefix(vnet.id, str(space)) for vnet, space in islice(span.holders(), LISTED))
            fact = finding(str(span.space), NetworkOverlap(vnets=Listed(first, span.total)))
            action = "; ".join([_AMBIGUOUS] * ambiguous + [_SEEN_TOGETHER] * bool(twice))
            yield in_networks(structs.replace(fact, action=action), networks, NetworkMask(twice))


_SEEN_TOGETHER: Final = (
    "names are still answered; give each VNet a network of its own, so that none sees more than one of them"
)
_AMBIGUOUS: Final = (
    "clients in it are in no network and get no private answers; list this exact prefix in a configured network, or "
    "give each VNet's network a listener of its own (`dns.listeners`)"
)


def _are_peered(one: VirtualNetwork, other: VirtualNetwork) -> bool:
    return one.key in other.peers or other.key in one.peers
