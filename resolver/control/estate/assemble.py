"""Makes an estate: configuration, zone files, saved inventory and the first scans of files, together as one change.

The daemon, the offline tools and the tests all start here. Does not read anything itself. Pure.
"""

from collections.abc import Mapping

from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory, rebased
from resolver.control.guard.sync_state import SyncState
from resolver.settings import ControlSettings
from resolver.sources.reading import PartChange, Scan, ZoneFiles, part_changes
from zones.azure.resource import Resources, subscription
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.ledger.carry_over import CarryOver


def assemble(
    config: ControlSettings,
    zone_files: ZoneFiles,
    saved: SavedInventory | None,
    scans: Mapping[str, Scan],
    now: WallTime,
    memory: CarryOver | None = None,
    operator_pins: tuple[Pin, ...] = (),
) -> Estate:
    """Return the estate of this configuration. `scans`: by file source; a source without one has only saved data.

    SavedInventory data is left out where the configuration has its source, or its subscription, no more. `memory`: what
    the ledger carries over; by default, that of the saved inventory. `operator_pins`: as of `Estate`.
    """
    saved = saved and rebased(saved, now)
    estate = Estate(config, memory or (saved.memory if saved else None), operator_pins)
    # The subscriptions of each source; none: the source reads all that it can.
    scopes = {source.name: source.azure.subscriptions if source.azure else () for source in config.sources}
    in_scope: list[PartChange] = [
        part
        for part in (saved.parts if saved else ())
        if part[0] in scopes and (not (scope := scopes[part[0]]) or part[1] in scope)
    ]
    had: dict[str, dict[str, Resources]] = {}
    for source, part, data in in_scope:
        if isinstance(data, Resources):
            had.setdefault(source, {})[part] = data
    completed = {name: scan.completed(had.get(name, {})) for name, scan in scans.items()}
    private = [
        (name, [zone for zone in zones if not (scope := scopes.get(name, ())) or subscription(zone.key) in scope])
        for name, zones in (saved.private if saved else ())
    ]
    estate.restore_private_dns(private, now)
    estate.take([*in_scope, *part_changes(completed)], now)
    if saved:
        for name in saved.sources.keys() & estate.sources.keys():
            parts, sync_state = len(estate.inventory.of(name)), saved.sync_states.get(name, SyncState())
            estate.health.restored(name, parts, saved.sources[name], sync_state, saved.positions.get(name))
        estate.ledger.restore((each.tombstone for each in saved.lingering), now)
    estate.take_scans({name: scan._replace(changes=[]) for name, scan in scans.items()}, now)
    estate.take_zone_files(zone_files, now)
    estate.health.update_freshness(now)
    return estate
