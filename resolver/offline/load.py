"""The estate as offline tools see it: every file read once, and the saved data of remote sources.

The tools are quick and need no network. `pldns plan` is the tool that asks remote sources.
"""

from pathlib import Path

from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file
from resolver.settings import ControlSettings
from resolver.sources import zone_files
from resolver.sources.files import FileSource
from zones.clocks import WallTime
from zones.dns.parsed_zones import ParsedZones


def offline(config: ControlSettings, now: WallTime, parsed: ParsedZones | None = None) -> Estate:
    """Return the estate of this configuration, all sources as one change. Earlier holders of names are not known.

    `parsed` has the zones that were parsed while the configuration was read.
    """
    remote = [source.name for source in config.sources if source.remote]
    saved = _saved(config.state_directory, remote) if remote else None
    scans = {source.name: FileSource(source.path, set()).scan() for source in config.sources if not source.remote}
    estate = assemble(config, zone_files.read(config.zones, {}, parsed), saved, scans, now)
    for name in remote:
        if not estate.sources[name].synced:
            why = (
                f"no data of this source is saved in {Path(config.state_directory)} yet; `pldns plan` reads the source"
            )
            estate.health.failed(name, why, now)
    return estate


def _saved(directory: str, sources: list[str]) -> SavedInventory | None:
    """Return the saved data of these sources; None if there is no good file."""
    try:
        saved = inventory_file.load(directory)
    except (OSError, ValueError):
        return None
    return saved.only(sources) if saved else None
