"""What the next sync would change: the saved inventory and a new reading of every source, in two estates.

Changes nothing that a daemon has: no file and no saved state. Does not know how a plan is shown.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import structs

from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.sync.syncer import Syncer
from resolver.offline.load import operator_pins
from resolver.settings import ControlSettings
from resolver.sources import zone_files
from resolver.sources.files import FileSource
from resolver.sources.reading import RemoteSource
from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import Name, canonical_key
from zones.findings.finding import Finding

Kind = Literal["add", "change", "remove"]


class Change(msgspec.Struct, frozen=True):
    """One resource that would be added, changed or removed. `differs`: the fields that would change."""

    kind: Kind
    id: str
    differs: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """All that would change. Each list is sorted."""

    endpoints: list[Change]
    vnets: list[Change]
    names: list[tuple[Kind, Name]]
    """Private names whose answers would change at once. A name that lingers is not among them."""
    opens: list[Finding]
    closes: list[Finding]
    errors: dict[str, str]
    """Sources that could not be read."""
    held: dict[str, tuple[str, ...]]
    """Sources whose sync would be held, with the reasons."""

    @property
    def is_empty(self) -> bool:
        """True if nothing would change."""
        return not (self.endpoints or self.vnets or self.names or self.opens or self.closes)


async def made(
    config: ControlSettings,
    saved: SavedInventory | None,
    remotes: Mapping[str, RemoteSource],
    now: WallTime,
    begin: Callable[[str], None] = lambda _: None,
) -> tuple[Plan, Estate, Estate]:
    """Return the plan, the estate as it was, and the estate as it would be.

    `remotes`: the sources that are asked, by name. A registry and a hub have their saved data. `begin` is
    called with what is read next: the files, then each remote source.
    """
    begin("files")
    before, after = _restored(config, saved, now), _restored(config, saved, now)
    taken = [source.name for source in config.sources if source.type == "files"]
    await asyncio.to_thread(_read_files, after, taken, now)
    errors: dict[str, str] = {}
    for name, remote in remotes.items():
        begin(f"source {name}")
        if error := await _read(after, name, remote, now):
            errors[name] = error
    return await _compared(before, after, now, errors), before, after


async def of_parts(
    config: ControlSettings, saved: SavedInventory, source: str, parts: Mapping[str, Resources | None], now: WallTime
) -> tuple[Plan, Estate, Estate]:
    """Return the plan for parts of one source that would be replaced, and the estates as `made` does."""
    before, after = _restored(config, saved, now), _restored(config, saved, now)
    after.take([(source, name, data) for name, data in parts.items()], now)
    return await _compared(before, after, now, {}), before, after


async def _compared(before: Estate, after: Estate, now: WallTime, errors: dict[str, str]) -> Plan:
    for estate in (before, after):
        await _compare_zones(estate, now)
    statuses = after.sources.values()
    return Plan(
        list(_changes(before.ledger.endpoints, after.ledger.endpoints)),
        list(_changes(before.ledger.vnets, after.ledger.vnets)),
        _names(before, after),
        _only_in(after, before),
        _only_in(before, after),
        errors | {status.name: status.last_error for status in statuses if status.last_error},
        {status.name: held.reasons for status in statuses if (held := status.sync_state.held)},
    )


def _restored(config: ControlSettings, saved: SavedInventory | None, now: WallTime) -> Estate:
    """Return the estate as the daemon would start it."""
    files = zone_files.read(config.zones, saved.zone_texts if saved else {})
    return assemble(config, files, saved, {}, now, operator_pins=operator_pins(config.state_directory))


def _read_files(estate: Estate, names: list[str], now: WallTime) -> None:
    """Read all files, and apply them as one change."""
    scans = {name: FileSource(estate.sources[name].path, set(estate.inventory.of(name))).scan() for name in names}
    estate.take_scans(scans, now)


async def _read(estate: Estate, name: str, remote: RemoteSource, now: WallTime) -> str:
    """Read a source, then its private DNS zones if it has any. Return why these could not be read whole; else empty."""
    hold_down = next(source.hold_down for source in estate.settings.sources if source.name == name)
    result = await Syncer(remote, estate.sources[name], hold_down, lambda: estate.inventory.of(name)).once()
    if result.decision is None:
        estate.health.failed(name, result.error, now)
        return ""
    estate.take_sync(name, result.decision, now, now)
    if remote.private is None:
        return ""
    reading = await remote.private.read(estate.private.of(name))
    estate.take_private_dns(name, reading, now)
    return reading.error


async def _compare_zones(estate: Estate, now: WallTime) -> None:
    """Compare the private DNS zones with the endpoints as they are now."""
    if compare := estate.comparison(now):
        estate.take_comparison(await asyncio.to_thread(compare), now)


def _changes(
    before: Mapping[ResourceId, Endpoint] | Mapping[ResourceId, VirtualNetwork],
    after: Mapping[ResourceId, Endpoint] | Mapping[ResourceId, VirtualNetwork],
) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            yield Change("add", new.id)
        elif new is None and old is not None:
            yield Change("remove", old.id)
        elif old is not None and new is not None and old != new:
            was, now = structs.asdict(old), structs.asdict(new)
            yield Change("change", new.id, tuple(key for key in was if was[key] != now[key]))


def _names(before: Estate, after: Estate) -> list[tuple[Kind, Name]]:
    old, new = _answers(before), _answers(after)
    found: list[tuple[Kind, Name]] = [
        ("change" if name in old and name in new else "add" if name in new else "remove", name)
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    ]
    return sorted(found, key=lambda change: canonical_key(change[1]))


def _answers(estate: Estate) -> dict[Name, object]:
    """Return the answers by name: the rows of endpoints, and the records that private DNS zones provide."""
    found: dict[Name, object] = dict(estate.ledger.rows)
    for _, zone in sorted(estate.static.items()):
        for name, rrsets in zone.names.items() if zone.is_provided else ():
            found[name] = found.get(name), rrsets
    return found


def _only_in(estate: Estate, other: Estate) -> list[Finding]:
    """Return the findings of one estate that the other does not have."""
    there = {fact.id for fact in other.board}
    return [fact for fact in estate.board if fact.id not in there]
