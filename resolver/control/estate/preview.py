"""What a change of a few endpoints would do to names and findings, without a second copy of the whole estate.

Only endpoints that share a name or an address with the changed ones take part, so a preview costs the same in an estate
of any size. Findings about numbers of endpoints (`limit-near`) and about companions are not among its findings. Pure:
time is an argument.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from resolver.control.estate.estate import Estate
from zones.azure.endpoint import Endpoint, ResourceId
from zones.azure.inventory import Inventory
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import Name, canonical_key
from zones.findings.finding import Finding


class Preview(NamedTuple):
    """The part of the estate that a change concerns, before and after."""

    before: Estate
    after: Estate
    endpoints: dict[ResourceId, Endpoint | None]
    """The changed endpoints as they would be; None for one that would be gone."""
    names: list[Name]
    """Private names whose answers would change, in canonical order."""
    opens: list[Finding]
    closes: list[Finding]


def preview(estate: Estate, source: str, parts: Mapping[str, Resources | None], now: WallTime) -> Preview:
    """Return what new data of some parts of a source would change. None removes a part: that of one endpoint."""
    changes: dict[ResourceId, Endpoint | None] = {
        ResourceId(part): None for part, data in parts.items() if data is None
    }
    joined = Inventory([source]).update({(source, part): data for part, data in parts.items()})
    changes |= joined.endpoints
    changes = {key: new for key, new in changes.items() if new is not None or key in estate.ledger.endpoints}
    others = _concerned(estate, changes, now)
    before = _part_of(estate, others, now)
    before.ledger.apply({key: old for key in changes if (old := estate.ledger.endpoints.get(key))}, now)
    after = _part_of(estate, others, now)
    after.ledger.apply(changes, now)
    rows = before.ledger.rows, after.ledger.rows
    names = [name for name in {*rows[0], *rows[1]} if _answers(before, name, now) != _answers(after, name, now)]
    return Preview(
        before, after, changes, sorted(names, key=canonical_key), _only_in(after, before), _only_in(before, after)
    )


def _concerned(
    estate: Estate, changes: Mapping[ResourceId, Endpoint | None], now: WallTime
) -> dict[ResourceId, Endpoint]:
    """Return the other endpoints that share a name or an address with the changed ones, before or after."""
    ledger = estate.ledger
    versions = [each for key, new in changes.items() for each in (new, ledger.endpoints.get(key)) if each is not None]
    found: set[ResourceId] = set()
    for version in versions:
        alone = _part_of(estate, {version.key: version}, now)
        names = {*alone.ledger.names(), *(record.fqdn for record in version.records)}
        found |= {claim.endpoint for name in names for claim in ledger.find(name)}
        for record in version.records:
            found.update(key for address in record.addresses for key in ledger.with_address(address))
    return {key: each for key in found - changes.keys() if (each := ledger.endpoints.get(key)) is not None}


def _part_of(estate: Estate, endpoints: Mapping[ResourceId, Endpoint], now: WallTime) -> Estate:
    """Return an estate with the settings and VNets of `estate`, and these endpoints only."""
    made = Estate(estate.settings, operator_pins=estate.operator_pins)
    made.ledger.set_vnets(dict(estate.ledger.vnets), now)
    made.ledger.apply(dict(endpoints), now)
    return made


def _answers(estate: Estate, name: Name, now: WallTime) -> dict[tuple[object, ...], int]:
    """Return the answers for a name, each with the mask of the networks that get it."""
    found: dict[tuple[object, ...], int] = {}
    for each in estate.ledger.verdicts(name, now):
        answer = each.a, each.aaaa, each.refused
        found[answer] = found.get(answer, 0) | each.mask
    return found


def _only_in(estate: Estate, other: Estate) -> list[Finding]:
    there = {each.id for each in other.board}
    found: Iterable[Finding] = estate.board
    return [each for each in found if each.id not in there]
