"""Reads the zone files that the configuration names; one that can no longer be read keeps its last good text."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from resolver.sources.reading import ZoneFiles
from zones.dns.name import Name
from zones.dns.zonefile import InvalidZone, Zone, parse
from zones.findings import checks
from zones.findings.finding import Finding


def read(paths: Sequence[str], saved: Mapping[str, str]) -> ZoneFiles:
    """Return the zone files at these paths. `saved`: texts that were good before, by path."""
    zones: dict[Name, Zone] = {}
    texts: dict[str, str] = {}
    findings: dict[str, list[Finding]] = {}
    for path in paths:
        good = _good(path, findings)
        if good is None and path in saved:
            with contextlib.suppress(InvalidZone):  # a later version may be stricter
                good = saved[path], parse(saved[path], path)
        if good:
            texts[path], zone = good
            zones[zone.origin] = zone
    return ZoneFiles(zones, texts, findings)


def _good(path: str, findings: dict[str, list[Finding]]) -> tuple[str, Zone] | None:
    try:
        text = Path(path).read_text(encoding="utf-8")
        return text, parse(text, path)
    except UnicodeDecodeError:
        why = f"{path}: not UTF-8"
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
    except InvalidZone as error:
        why = str(error)
    findings[path] = [checks.unreadable(path, why)]
    return None
