"""The one rule about how much a change may remove from a source without an operator.

The rule is the same for syncs of remote sources (`sync_guard`), for events between two syncs (`event_guard`) and for
changes of files (`file_guard`). Input: the resources that each part of the source had, and those that the change would
remove. Does not know how either was found. Pure.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final, NamedTuple

from resolver.control.guard.sync_state import WithheldSync
from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources, ZoneGroup
from zones.clocks import WallTime
from zones.findings.evidence import LISTED

FEW: Final = 5
SHARE: Final = 5
"""A change that would remove more than `FEW` resources and more than one in `SHARE` is held."""
KINDS: Final = {"endpoints": "private endpoints", "vnets": "virtual networks", "zone_groups": "DNS zone groups"}
"""The kinds of resources that are counted: the field of `Resources` and `PartKeys`, and the words for operators."""
LEAST: Final = {"endpoints": 1, "vnets": 1, "zone_groups": 2}
"""A change that would remove all resources of a kind is held if the source had at least so many.

An endpoint that loses its DNS zone group is still served, so one group may go.
"""

SourceParts = Mapping[str, Resources]
"""The data of a source by part: by subscription, or by file."""


class PartKind(StrEnum):
    """What the parts of a source are."""

    SUBSCRIPTION = "subscription"
    FILE = "file"
    SOURCE = "source"
    """A source of a hub."""


SMALLEST: Final = {PartKind.SUBSCRIPTION: 1, PartKind.FILE: 2, PartKind.SOURCE: 1}
"""A change that would remove everything in a part is held if the part had at least so many resources of one kind."""


class PartKeys(NamedTuple):
    """The keys of the resources of one part."""

    endpoints: AbstractSet[ResourceId]
    vnets: AbstractSet[ResourceId]
    zone_groups: AbstractSet[ResourceId]
    """Each as `group_key`."""

    @property
    def all(self) -> AbstractSet[ResourceId]:
        """The keys of all resources."""
        return {*self.endpoints, *self.vnets, *self.zone_groups}


def keys_of(data: Resources) -> PartKeys:
    """Return the keys of the resources whose absence counts. A NIC is removed with its endpoint."""
    return PartKeys(
        {each.key for each in data.endpoints},
        {each.key for each in data.vnets},
        {group_key(each) for each in data.zone_groups if has_names(each)},
    )


def group_key(group: ZoneGroup) -> ResourceId:
    """Return a key for a DNS zone group that is not the key of its endpoint."""
    return ResourceId(f"{group.key}/privatednszonegroups")


def has_names(group: ZoneGroup) -> bool:
    """Return whether a DNS zone group has a private name. Only then does its absence change an answer."""
    return any(config.records for config in group.configs)


def reasons_to_hold(
    had: Mapping[str, PartKeys], lacking: AbstractSet[ResourceId], changed: AbstractSet[str], kind_of_part: PartKind
) -> Iterator[str]:
    """Yield why the resources with these keys may not be removed without an operator; nothing if they may.

    `had`: the resources by part. `changed`: the parts that have new data. At most `LISTED` parts are named.
    """
    for field in KINDS:
        keys = {key for each in had.values() for key in getattr(each, field)}
        if why := too_many(len(keys & lacking), len(keys), field):
            yield why
    whole = [
        part
        for part, each in had.items()
        if part in changed and max(map(len, each)) >= SMALLEST[kind_of_part] and each.all <= lacking
    ]
    for part in sorted(whole)[:LISTED]:
        yield f"everything of {kind_of_part} {part}"


def too_many(gone: int, there: int, field: str) -> str:
    """Return why `gone` of `there` resources may not be removed without an operator; empty if they may.

    `field`: the kind of the resources, a key of `KINDS`.
    """
    kind = KINDS[field]
    if gone == there >= LEAST[field]:
        return f"all {gone} {kind} of the source"
    return f"{gone} of {there} {kind}" if gone > FEW and gone * SHARE > there else ""


class Removal(NamedTuple):
    """A change that would remove resources: its new data of parts, what it could not read, and what it lacks."""

    parts: Mapping[str, Resources | None]
    lost: Mapping[str, str]
    lacking: AbstractSet[ResourceId]


def withheld(
    change: Removal, reasons: tuple[str, ...], had: SourceParts, before: WithheldSync | None, now: WallTime
) -> WithheldSync:
    """Return this change as a held sync. `before`: the held sync that it replaces."""
    lacking = change.lacking
    endpoints = {nic.endpoint: str(nic.endpoint) for part in had.values() for nic in part.nics}
    endpoints |= {each.key: each.id for part in had.values() for each in part.endpoints}
    vnets = {each.key: each.id for part in had.values() for each in part.vnets}
    groups = {group_key(each): each.id for part in had.values() for each in part.zone_groups}
    named = endpoints | vnets | groups
    ids = sorted(named[key] for key in lacking)[:LISTED]
    reading = Reading({part: data for part, data in change.parts.items() if data is not None}, dict(change.lost))
    return WithheldSync(
        before.since if before else now, now, reading, reasons, len(lacking & endpoints.keys()),
        len(lacking & vnets.keys()), tuple(ids), tuple(part for part, data in change.parts.items() if data is None),
        len(lacking & groups.keys()),
    )  # fmt: skip
