"""The estate as offline tools see it: every file read once, and the saved data of all other sources.

The tools are quick and need no network. `pldns plan` is the tool that asks remote sources.
"""

from pathlib import Path

from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import decisions_file, inventory_file
from resolver.settings import ControlSettings
from resolver.sources import zone_files
from resolver.sources.files import FileSource
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.parsed_zones import ParsedZones


def offline(config: ControlSettings, now: WallTime, parsed: ParsedZones | None = None) -> Estate:
    """Return the estate of this configuration, all sources as one change. Earlier holders of names are not known.

    `parsed` has the zones that were parsed while the configuration was read.
    """
    others = [source.name for source in config.sources if source.type != "files"]
    saved = _saved(config.state_directory, others) if others else None
    scans = {source.name: FileSource(source.path, set()).scan() for source in config.sources if source.type == "files"}
    estate = assemble(config, zone_files.read(config.zones, {}, parsed), saved, scans, now)
    for name in others:
        if not estate.sources[name].synced:
            advice = "; `pldns plan` reads the source" if estate.sources[name].type == "azure" else ""
            why = f"no data of this source is saved in {Path(config.state_directory)} yet{advice}"
            estate.health.failed(name, why, now)
    return estate


def restored(config: ControlSettings, now: WallTime, parsed: ParsedZones) -> tuple[Estate, WallTime | None]:
    """Return the estate that a daemon has after its start, and when the inventory in it was saved; None without one.

    The files are read as one change, about which the guard decides. No remote source is read.
    """
    saved = _loaded(config.state_directory)
    files = zone_files.read(config.zones, saved.zone_texts if saved else {}, parsed)
    estate = assemble(config, files, saved, {}, now, operator_pins=operator_pins(config.state_directory))
    scans = {
        source.name: FileSource(source.path, set(estate.inventory.of(source.name))).scan()
        for source in config.sources
        if source.type == "files"
    }
    estate.take_scans(scans, now)
    return estate, saved.saved_at if saved else None


def operator_pins(directory: str) -> tuple[Pin, ...]:
    """Return the pins that operators have made; none if there is no good file."""
    try:
        return decisions_file.load(directory).pins if directory else ()
    except (OSError, ValueError):
        return ()


def _saved(directory: str, sources: list[str]) -> SavedInventory | None:
    """Return the saved data of these sources; None if there is no good file."""
    saved = _loaded(directory)
    return saved.only(sources) if saved else None


def _loaded(directory: str) -> SavedInventory | None:
    """Return the saved inventory; None if there is no good file."""
    try:
        return inventory_file.load(directory) if directory else None
    except (OSError, ValueError):
        return None
