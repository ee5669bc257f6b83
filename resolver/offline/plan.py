"""What the next sync would change: the saved inventory beside a fresh reading of every source, in two estates.

Changes nothing that a daemon has: no file, no saved state. Refuses to know how it is shown.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import structs

from resolver import settings
from resolver.control.estate.estate import Estate
from resolver.control.state.inventory import Saved, restore
from resolver.control.sync.syncer import Syncs
from resolver.sources import zone_files
from resolver.sources.files import Files
from resolver.sources.reading import Remote
from zones.azure.endpoint import Endpoint, VirtualNetwork
from zones.dns.name import Name, canonical_key
from zones.findings.board import Topic
from zones.findings.finding import Finding

Kind = Literal["add", "change", "remove"]


class Change(msgspec.Struct, frozen=True):
    """One thing that would be added, changed or removed; `differs`: what of it."""

    kind: Kind
    id: str
    differs: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What would change, each list in an order of its own."""

    endpoints: list[Change]
    vnets: list[Change]
    names: list[tuple[Kind, Name]]
    """Private names whose answers would be others at once: what lingers is not among them."""
    opens: list[Finding]
    closes: list[Finding]
    errors: dict[str, str]
    """Sources that could not be read."""
    held: dict[str, tuple[str, ...]]
    """Sources whose sync would be held, with the reasons."""

    @property
    def is_empty(self) -> bool:
        """Nothing would change."""
        return not (self.endpoints or self.vnets or self.names or self.opens or self.closes)


async def made(
    config: settings.ControlSettings, saved: Saved | None, remotes: Mapping[str, Remote], now: float
) -> tuple[Plan, Estate, Estate]:
    """The plan, the estate as it was, and as it would be. `remotes`: sources that are asked; all others are files."""
    before, after = _restored(config, saved, now), _restored(config, saved, now)
    taken = [source.name for source in config.sources if source.name not in remotes]
    await asyncio.to_thread(_read_files, after, taken, now)
    errors: dict[str, str] = {}
    for name, remote in remotes.items():
        if error := await _read(after, name, remote, now):
            errors[name] = error
    for estate in (before, after):
        await _judge_zones(estate, now)
    statuses = after.sources.values()
    plan = Plan(
        list(_changes(before.ledger.endpoints, after.ledger.endpoints)),
        list(_changes(before.ledger.vnets, after.ledger.vnets)),
        _names(before, after),
        _only_in(after, before),
        _only_in(before, after),
        errors | {status.name: status.last_error for status in statuses if status.last_error},
        {status.name: held.reasons for status in statuses if (held := status.standing.held)},
    )
    return plan, before, after


def _restored(config: settings.ControlSettings, saved: Saved | None, now: float) -> Estate:
    estate = Estate(config, saved.memory if saved else None)
    if saved:
        restore(saved, estate, now)
    zones, _, findings = zone_files.read(config.zones.files, saved.zone_texts if saved else {})
    estate.set_static(zones, now)
    for path, found in findings.items():
        estate.board.replace(Topic.ZONE_FILE, path, found, now)
    return estate


def _read_files(estate: Estate, names: list[str], now: float) -> None:
    """Take all files as one, as control does."""
    scans = {name: Files(estate.sources[name].path, set(estate.inventory.of(name))).scan() for name in names}
    estate.take([(name, part, given) for name, scan in scans.items() for part, given in scan.changes], now)
    for name, scan in scans.items():
        if scan.error:
            estate.source_failed(name, scan.error, now)
        else:
            estate.source_read(name, scan.parts, now)


async def _read(estate: Estate, name: str, remote: Remote, now: float) -> str:
    """Read a source, then its private DNS zones where they are to be read; why these could not be read whole."""
    hold_down = next(source.hold_down for source in estate.settings.sources if source.name == name)
    sync = await Syncs(remote, estate.sources[name], hold_down, lambda: estate.inventory.of(name)).once()
    if sync.judgement is None:
        estate.source_failed(name, sync.error, now)
        return ""
    estate.judged(name, sync.judgement, now, now)
    if remote.private is None:
        return ""
    reading = await remote.private.read(estate.private.of(name))
    estate.private.take(name, reading, now)
    return reading.error


async def _judge_zones(estate: Estate, now: float) -> None:
    """Compare private DNS zones with the endpoints as they are now, and lend what these leave to them."""
    estate.private.moved()
    if compare := estate.private.comparison(now):
        estate.private.compared(await asyncio.to_thread(compare), now)
    estate.lend()


def _changes(
    before: Mapping[str, Endpoint] | Mapping[str, VirtualNetwork],
    after: Mapping[str, Endpoint] | Mapping[str, VirtualNetwork],
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
    """What is answered at each name: what endpoints say, and what private DNS zones lend."""
    found: dict[Name, object] = dict(estate.ledger.rows)
    for origin in filter(estate.is_lent, sorted(estate.static)):
        for name, rrsets in estate.static[origin].names.items():
            found[name] = found.get(name), rrsets
    return found


def _only_in(estate: Estate, other: Estate) -> list[Finding]:
    """Findings that stand in one and not in the other."""
    there = {fact.id for fact in other.board}
    return [fact for fact in estate.board if fact.id not in there]
