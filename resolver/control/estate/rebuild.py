"""Makes the estate of another configuration from the present estate, as a restart would from the saved inventory.

No winner changes that the configuration does not change, claims keep their first-seen times, and workers keep the
meaning of the numbers in their rows. Does not read anything itself. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace as with_fields

from msgspec import structs

from resolver.control.estate import saved_inventory
from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.settings import ControlSettings, SourceSettings
from resolver.sources.reading import Scan, ZoneFiles
from zones.clocks import WallTime


def rebuilding(
    estate: Estate, config: ControlSettings, files: ZoneFiles, scans: Mapping[str, Scan], now: WallTime
) -> Callable[[], Estate]:
    """Return a function that makes the estate of another configuration. The function may run in any thread.

    `scans`: those of sources of files that the present configuration does not have.
    """
    pieces = saved_inventory.pieces_of(estate, now, 0.0)
    pins, identities, classes = (
        estate.operator_pins,
        tuple(estate.networks.identities),
        dict(estate.ledger.classes.masks),
    )

    def rebuild() -> Estate:
        saved = saved_inventory.joined(pieces)
        kept = {source.name for source in config.sources} & saved.sources.keys()
        lingering = [each for each in saved.lingering if each.source in kept]
        whole = structs.replace(saved, lingering=lingering)
        memory = with_fields(whole.memory, identities=identities, classes=classes)
        made = assemble(config, files, whole, scans, now, memory, pins)
        if compare := made.comparison(now):
            made.take_comparison(compare(), now)
        made.activity.take()
        made.board.take_moves()
        return made

    return rebuild


def unchanged(old: Iterable[SourceSettings], new: Iterable[SourceSettings]) -> set[str]:
    """Return the names of the sources that both have, with the same settings."""
    before = {source.name: source for source in old}
    return {source.name for source in new if before.get(source.name) == source}
