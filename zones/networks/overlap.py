"""Address space that several virtual networks have in common.

Of two prefixes that share an address, one contains the other. So spans form a forest in which each span knows its
parent, and finding all of them costs the number of prefixes. Does not know networks and findings.
"""

from collections.abc import Iterable, Iterator

from zones.azure.endpoint import VirtualNetwork
from zones.networks.prefixes import Prefix, prefix


class Span:
    """One prefix. `own` has the VNets with exactly this prefix; `around` is the next larger span that contains it."""

    __slots__ = ("around", "own", "space", "total")

    def __init__(self, space: Prefix, around: "Span | None") -> None:
        self.space = space
        self.around = around
        self.own: list[VirtualNetwork] = []
        self.total: int = around.total if around else 0
        """The number of VNets whose address space includes this prefix, by this prefix or by a larger one."""

    def holders(self) -> Iterator[tuple[VirtualNetwork, Prefix]]:
        """Yield these VNets, each with its own prefix, the smallest prefix first."""
        span: Span | None = self
        while span:
            for vnet in span.own:
                yield vnet, span.space
            span = span.around


def spans(vnets: Iterable[VirtualNetwork]) -> Iterator[Span]:
    """Yield every prefix once, in the order of addresses, a containing prefix before those inside it."""
    under_way: list[Span] = []
    for space, own in sorted(_held(vnets).items(), key=_address_order):
        while under_way and not _holds(under_way[-1].space, space):
            under_way.pop()
        span = Span(space, under_way[-1] if under_way else None)
        span.own = sorted(own, key=lambda vnet: vnet.key)
        span.total += len(own)
        under_way.append(span)
        yield span


def space_of(vnet: VirtualNetwork) -> list[Prefix]:
    """Return the address space of a VNet in order. Prefixes inside other prefixes and invalid texts are left out."""
    found = set()
    for text in vnet.prefixes:
        try:
            found.add(prefix(text))
        except ValueError:
            continue  # the VNet has fewer clients then; its endpoints do not depend on its address space
    out: list[Prefix] = []
    for space in sorted(found, key=lambda s: (len(s.address), s)):
        if not out or not _holds(out[-1], space):
            out.append(space)
    return out


def _held(vnets: Iterable[VirtualNetwork]) -> dict[Prefix, list[VirtualNetwork]]:
    held: dict[Prefix, list[VirtualNetwork]] = {}
    for vnet in vnets:
        for space in space_of(vnet):
            held.setdefault(space, []).append(vnet)
    return held


def _address_order(item: tuple[Prefix, list[VirtualNetwork]]) -> tuple[int, Prefix]:
    return len(item[0].address), item[0]


def _holds(outer: Prefix, inner: Prefix) -> bool:
    if len(outer.address) != len(inner.address) or outer.length > inner.length:
        return False
    shift = len(outer.address) * 8 - outer.length
    one, two = int.from_bytes(outer.address, "big"), int.from_bytes(inner.address, "big")
    return one >> shift == two >> shift
