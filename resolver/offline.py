"""The estate as the tools see it that need no daemon: every source and zone file read once, nothing saved."""

from resolver import settings, zonefiles
from resolver.estate import Estate, Part
from resolver.sources.files import Files


def offline(config: settings.Control, now: float) -> Estate:
    """Everything read once, as one, with no daemon and nothing saved: who held a name before is not known."""
    estate = Estate(config)
    zones, _, findings = zonefiles.read(config.zones.files, {})
    for path, found in findings.items():
        estate.ledger.set_source(path, found, now)
    estate.set_static(zones, now)
    scans = {source.name: Files(source.path, set()).scan() for source in config.sources}
    changes: list[tuple[str, str, Part]] = [
        (source, part, given) for source, scan in scans.items() for part, given in scan.changes
    ]
    estate.take(changes, now)
    for source, scan in scans.items():
        if scan.error:
            estate.source_failed(source, scan.error, now)
        else:
            estate.source_read(source, scan.parts, now)
    return estate
