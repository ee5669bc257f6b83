"""The estate as the tools see it that need no daemon: every file read once; of what is asked, what a daemon saved.

They are quick, and work where there is no network: `pldns plan` is who asks.
"""

from pathlib import Path

from resolver import settings
from resolver.control.estate.estate import Estate
from resolver.control.state import inventory_file
from resolver.sources import zone_files
from resolver.sources.files import Files
from resolver.sources.reading import Part
from zones.findings.board import Topic


def offline(config: settings.ControlSettings, now: float) -> Estate:
    """Everything read once, as one, with no daemon: who held a name before is not known."""
    estate = Estate(config)
    zones, _, findings = zone_files.read(config.zones.files, {})
    for path, found in findings.items():
        estate.board.replace(Topic.ZONE_FILE, path, found, now)
    estate.set_static(zones, now)
    scans = {source.name: Files(source.path, set()).scan() for source in config.sources if not source.remote}
    changes: list[tuple[str, str, Part]] = [
        (source, part, given) for source, scan in scans.items() for part, given in scan.changes
    ]
    estate.take(changes, now)
    for source, scan in scans.items():
        if scan.error:
            estate.source_failed(source, scan.error, now)
        else:
            estate.source_read(source, scan.parts, now)
    if remote := [source.name for source in config.sources if source.remote]:
        _take_saved(estate, remote, now)
    return estate


def _take_saved(estate: Estate, names: list[str], now: float) -> None:
    """What remote sources gave the daemon last."""
    try:
        saved = inventory_file.load(estate.settings.state)
    except (OSError, ValueError):
        saved = None
    for name in names:
        parts = [each for each in saved.parts if each[0] == name] if saved else []
        if saved and name in saved.sources:
            estate.take(parts, now)
            estate.restored(name, len(parts), saved.sources[name], saved.standings.get(name))
        else:
            why = f"nothing of it is saved in {Path(estate.settings.state)} yet; `pldns plan` asks it"
            estate.source_failed(name, why, now)
    if saved:
        estate.private.restore(saved.private, now)
        estate.lend()
