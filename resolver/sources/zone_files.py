"""Reads the zone files that the configuration names. A file that can no longer be read keeps its last valid text."""

import contextlib
from collections.abc import Mapping, Sequence

from resolver.sources.reading import ZoneFiles
from zones.dns.name import Name, from_text, to_text
from zones.dns.parsed_zones import ParsedZones
from zones.dns.zonefile import InvalidZone, Zone
from zones.findings import checks
from zones.findings.finding import Finding


def read(
    paths: Sequence[str],
    saved: Mapping[str, str],
    parsed: ParsedZones | None = None,
    origins: Sequence[str] = (),
) -> ZoneFiles:
    """Return the zones and findings of these paths. `saved` has the last valid text of each path.

    `parsed` has zones of texts that were parsed before. `origins` has the zone of each path in the accepted
    configuration: only a reload, which checks all zone files together, may change it.
    """
    parsed = parsed or ParsedZones()
    expected = dict(zip(paths, map(from_text, origins), strict=False))
    zones: dict[Name, Zone] = {}
    texts: dict[str, str] = {}
    findings: dict[str, list[Finding]] = {}
    for path in paths:
        valid = _valid(path, findings, parsed, expected.get(path), has_data=path in saved)
        if valid is None and path in saved:
            with contextlib.suppress(InvalidZone):  # this version of pldns may be stricter than the one that saved it
                valid = saved[path], parsed.parse(saved[path], path)
        if valid:
            texts[path], zone = valid
            zones[zone.origin] = zone
    return ZoneFiles(zones, texts, findings)


def _valid(
    path: str, findings: dict[str, list[Finding]], parsed: ParsedZones, origin: Name | None, *, has_data: bool
) -> tuple[str, Zone] | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - there may be thousands, and a Path doubles the time
            text = file.read().decode()
        zone = parsed.parse(text, path)
        if origin in (None, zone.origin):
            return text, zone
        why = f"{path}: the zone is `{to_text(zone.origin)}` now: `pldns reload` takes another zone"
    except UnicodeDecodeError:
        why = f"{path}: not UTF-8"
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
    except InvalidZone as error:
        why = str(error)
    findings[path] = [checks.unreadable(path, why, has_data=has_data)]
    return None
