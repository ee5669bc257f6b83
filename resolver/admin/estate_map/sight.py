"""What the clients of one network see: how many endpoints and names, and which names have another answer elsewhere.

Pure.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from resolver.admin.estate_map.census import Census
from resolver.admin.estate_map.name_census import NameCensus
from resolver.admin.estate_map.nodes import mask_of_vnet
from resolver.control.estate.estate import Estate
from zones.claims.row import REFUSED, Variant, unpack
from zones.dns.name import Name
from zones.networks.network import NetworkMask

LISTED: Final = 24
"""Most names with another answer elsewhere that are listed."""
READ: Final = 5_000
"""Most names with several answers that are compared."""


class Elsewhere(NamedTuple):
    """Another answer for a name, and the networks that get it. Addresses are packed; none with `is_refused`."""

    mask: NetworkMask
    addresses: tuple[bytes, ...]
    is_refused: bool


class Differing(NamedTuple):
    """A name with another answer in other networks. `here`: None where these clients get no answer for it."""

    name: Name
    here: Elsewhere | None
    elsewhere: list[Elsewhere]


class NetworkSight(NamedTuple):
    """What the clients of a network see."""

    vnets: int
    endpoints: int
    """Served endpoints, without regard to exceptions of single endpoints (`except`)."""
    names: int
    """Private names with an answer."""
    all_names: int
    """Private names with an answer in any network."""
    differing: list[Differing]
    differing_total: int
    """At most `READ`."""


def sight_of(estate: Estate, census: Census, names: NameCensus, network: str) -> NetworkSight:
    """Return what the clients of the network of this name see."""
    bit = estate.networks.named(network)
    seen = [key for key in census.vnets if key and mask_of_vnet(estate, census, key) & bit]
    served = sum((tally := census.vnets[key]).endpoints - tally.waiting - tally.dead for key in seen)
    masks = estate.ledger.classes.masks
    answered = sum(count for number, count in names.answers.items() if masks.get(number, 0) & bit)
    differing = list(_differing(estate, names, bit))
    return NetworkSight(
        len(seen), served + census.loose[""] + census.loose[network], answered, len(estate.ledger.rows),
        differing[:LISTED], len(differing),
    )  # fmt: skip


def _differing(estate: Estate, census: NameCensus, bit: NetworkMask) -> Iterator[Differing]:
    for name in islice(census.differing, READ):
        answers = [_answer(estate, each) for each in unpack(estate.ledger.rows.get(name, b"\0"))]
        here = next((each for each in answers if each.mask & bit), None)
        others = [each for each in answers if here is None or each[1:] != here[1:]]
        if others and (here or answers):
            yield Differing(name, here, others)


def _answer(estate: Estate, variant: Variant) -> Elsewhere:
    mask = estate.ledger.classes.masks.get(variant.networks, NetworkMask(0))
    return Elsewhere(mask, variant.a + variant.aaaa, bool(variant.flags & REFUSED))
