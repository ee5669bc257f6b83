"""Decides what a scan of a source of files changes.

A file that is empty after an expired login looks like a file whose endpoints were deleted. So a scan that would remove
too much is held whole, with all other changes of the source's files, until an operator agrees or the files are good
again. Input: the last good data of each file, the changed files, what earlier scans left open, and the time. Does not
know how files are read or data is published. Pure.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from resolver.control.guard.shrink_guard import (
    PartKeys,
    PartKind,
    Removal,
    SourceParts,
    group_key,
    has_names,
    reasons_to_hold,
    withheld,
)
from resolver.control.guard.sync_state import SyncDecision, SyncState
from resolver.settings import GuardMode
from resolver.sources.reading import Part
from zones.azure.endpoint import ConnectionState, ResourceId
from zones.azure.resource import NicRow, Resources, ZoneGroup
from zones.clocks import WallTime


def decide(
    had: SourceParts, changes: Mapping[str, Part], state: SyncState, guard: GuardMode, now: WallTime
) -> SyncDecision:
    """Return what a scan changes.

    `had`: the last good data by file. `changes`: the files that changed since the last scan.

    The changes of a held scan are decided again together with these. A file that cannot be read keeps its last good
    data.
    """
    waiting: Mapping[str, Part] = state.held.parts if state.held else {}
    if (
        state.held
        and guard == "on"
        and all(part in waiting and waiting[part] == data for part, data in changes.items())
    ):
        return SyncDecision({}, {}, {}, state)
    parts = {
        part: data
        for part, data in {**waiting, **changes}.items()
        if not isinstance(data, str) and data != had.get(part)
    }
    lacking = removed(had, parts) if guard == "on" else frozenset()
    reasons = tuple(reasons_to_hold(_described(had, lacking), lacking, parts.keys(), PartKind.FILE)) if lacking else ()
    if reasons:
        held = withheld(Removal(parts, {}, lacking), reasons, had, state.held, now)
        return SyncDecision({}, {}, {}, SyncState(held=held))
    return SyncDecision(parts, {}, {}, SyncState())


def unfinished(had: SourceParts, changes: Mapping[str, Part], recent: AbstractSet[str]) -> set[str]:
    """Return the files that may not be written completely yet: the next scan should read them again.

    Of the files that changed a moment ago (`recent`), these are the ones that cannot be read, and the ones that lack
    resources which the source would lose.
    """
    parts = {part: data for part, data in changes.items() if not isinstance(data, str)}
    lacking = removed(had, parts)
    described = _described(had, lacking) if lacking else {}
    losing = {part for part, keys in described.items() if lacking & keys.all}
    return set(recent) & (losing | {part for part, data in changes.items() if isinstance(data, str)})


def removed(had: SourceParts, parts: Mapping[str, Resources | None]) -> frozenset[ResourceId]:
    """Return the keys of the resources in `PartKeys` that the source would lose with this new data of some files.

    A resource that moves to another file is not lost. An approved endpoint that stays counts as lost if it had a name
    and would have none: its NIC may be in another file. Where its NIC is no longer in any file, it counts as lost if it
    would have fewer names: `customDnsConfigs` need not have them all. A DNS zone group counts only if its endpoint
    stays: then another private name would be served.
    """
    if not had or not any(_may_lose(had.get(part, _NOTHING), data or _NOTHING) for part, data in parts.items()):
        return frozenset()  # the usual case, whose cost depends on the changed files only
    after = {**had, **parts}
    left = [data for data in after.values() if data is not None]
    vnets = {each.key for data in had.values() for each in data.vnets}
    vnets -= {each.key for data in left for each in data.vnets}
    before, now = _names(had.values()), _names(left)
    without_nic = _with_nic(had.values()) - _with_nic(left)
    endpoints = {each.key: each for data in left for each in data.endpoints}
    lost = {each.key for data in had.values() for each in data.endpoints} - endpoints.keys()
    for key, named in before.items():
        there = endpoints.get(key)
        is_served = there is None or ConnectionState.read(there.state_text) is ConnectionState.APPROVED
        is_poorer = key in now and (not named <= now[key] if key in without_nic else bool(named) and not now[key])
        if key not in now or (is_poorer and is_served):
            lost.add(key)
    groups = {group_key(each) for each in _groups(had.values()) if each.key not in lost}
    groups -= {group_key(each) for each in _groups(left)}
    return frozenset(vnets | lost | groups)


def _may_lose(old: Resources, new: Resources) -> bool:
    """Return whether the new data of a file lacks a resource or a name of the old data, or hides names.

    A NIC without names hides the names that an endpoint has by itself.
    """
    return not (_present(old) <= _present(new) and _nameless(new) <= _nameless(old))


def _present(data: Resources) -> set[tuple[ResourceId, bool]]:
    """Return (key, False) for each resource of a file, and also (key, True) for each resource with names."""
    found = {(each.key, False) for kind in (data.endpoints, data.nics, data.vnets) for each in kind}
    found |= {(each.key, True) for each in data.endpoints if _has_names(each.records or each.dns)}
    found |= {(group_key(each), True) for each in _groups([data])}
    return found | {(nic.key, True) for nic in data.nics if _has_names(nic.rows)}


def _groups(parts: Iterable[Resources]) -> list[ZoneGroup]:
    """Return the DNS zone groups that have a private name."""
    return [each for data in parts for each in data.zone_groups if has_names(each)]


def _nameless(data: Resources) -> set[ResourceId]:
    return {nic.key for nic in data.nics if not _has_names(nic.rows)}


def _names(parts: Iterable[Resources]) -> dict[ResourceId, frozenset[str]]:
    """Return the endpoints that these files describe, by key, each with its FQDNs in lower case.

    As in `zones.azure.join`, the names of `customDnsConfigs` count only where no NIC is known.
    """
    every = tuple(parts)
    nics = {nic.key: _fqdns(nic.rows) for data in every for nic in data.nics}
    found: dict[ResourceId, frozenset[str]] = {}
    for data in every:
        for nic in data.nics:
            if nic.endpoint:
                found[nic.endpoint] = found.get(nic.endpoint, _NO_NAMES) | nics[nic.key]
    for data in every:
        for each in data.endpoints:
            known = [nics[nic] for nic in each.nics if nic in nics]
            if each.key in found:
                known.append(found[each.key])
            alone = () if known else each.dns
            found[each.key] = _NO_NAMES.union(*known, _fqdns(each.records or alone))
    return found


def _with_nic(parts: Iterable[Resources]) -> set[ResourceId]:
    """Return the keys of the endpoints whose NIC is in one of these files."""
    every = tuple(parts)
    nics = {nic.key for data in every for nic in data.nics}
    found = {each.key for data in every for each in data.endpoints if not nics.isdisjoint(each.nics)}
    return found | {nic.endpoint for data in every for nic in data.nics if nic.endpoint}


def _fqdns(rows: Iterable[NicRow]) -> frozenset[str]:
    return frozenset(name.lower() for row in rows for name in row.fqdns)


def _has_names(rows: Iterable[NicRow]) -> bool:
    return any(row.fqdns for row in rows)


def _described(had: SourceParts, lacking: AbstractSet[ResourceId]) -> dict[str, PartKeys]:
    """Return the resources that each file describes. A file that has the NIC of an endpoint describes the endpoint.

    A DNS zone group whose endpoint is lacking is left out: it goes with its endpoint.
    """
    owners = {nic: each.key for data in had.values() for each in data.endpoints for nic in each.nics}
    return {
        part: PartKeys(
            {each.key for each in data.endpoints}
            | {owner for nic in data.nics if (owner := nic.endpoint or owners.get(nic.key))},
            {each.key for each in data.vnets},
            {group_key(each) for each in _groups([data]) if each.key not in lacking},
        )
        for part, data in had.items()
    }


_NOTHING: Final = Resources()
_NO_NAMES: Final[frozenset[str]] = frozenset()
