"""Reads the zone files that the configuration names; one that can no longer be read keeps its last good text."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from resolver.estate import unreadable_finding
from zones.finding import Finding
from zones.name import Name
from zones.zonefile import InvalidZone, Zone, parse


def read(
    paths: Sequence[str], saved: Mapping[str, str]
) -> tuple[dict[Name, Zone], dict[str, str], dict[str, list[Finding]]]:
    """The zones by origin, the good text of each file by path, and what is to be told of each path.

    `saved` are texts that were good before, by path.
    """
    zones: dict[Name, Zone] = {}
    texts: dict[str, str] = {}
    findings: dict[str, list[Finding]] = {}
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8")
            zone = parse(text, path)
        except (OSError, UnicodeDecodeError, InvalidZone) as error:
            findings[path] = [unreadable_finding(path, str(error))]
            if path not in saved:
                continue
            text = saved[path]
            zone = parse(text, path)
        zones[zone.origin], texts[path] = zone, text
    return zones, texts, findings
