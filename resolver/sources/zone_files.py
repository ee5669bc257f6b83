"""Reads the zone files that the configuration names. A file that can no longer be read keeps its last valid text."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from resolver import path_pattern
from resolver.settings import Zones
from resolver.sources.file_status import Signature, signature
from resolver.sources.reading import ZoneFiles
from zones.dns.name import Name, from_text, to_text
from zones.dns.parsed_zones import ParsedZones
from zones.dns.zonefile import InvalidZone, Zone
from zones.findings import checks
from zones.findings.finding import Finding

_SETTLED: Final = 2e9
"""Nanoseconds after which the time of a folder is older than any change that happened in the same tick of its clock."""


def read(settings: Zones, saved: Mapping[str, str], parsed: ParsedZones | None = None) -> ZoneFiles:
    """Return the zones and findings of the zone files. `saved` has the last valid text of each path.

    `parsed` has zones of texts that were parsed before. A file keeps its zone: only a reload, which checks all zone
    files together, may change it. A file that has come since the configuration was accepted is refused alone where it
    cannot be used.
    """
    accepted = dict(zip(settings.files, map(from_text, settings.origins), strict=True))
    reading = _Reading(saved, parsed or ParsedZones(), accepted)
    paths = present(settings, saved)
    for path in sorted(paths, key=lambda path: (path not in accepted, path not in saved)):
        reading.take(path)
    return ZoneFiles(reading.zones, reading.origins, reading.texts, reading.findings)


def present(settings: Zones, saved: Iterable[str]) -> list[str]:
    """Return the paths of the zone files now. `saved`: those that had a valid text.

    A file that is gone counts as removed only while its pattern matches another one: an empty folder may be one that is
    not mounted.
    """
    known = dict.fromkeys((*settings.files, *saved))
    paths: dict[str, None] = {}
    for pattern in settings.patterns:
        if plain := path_pattern.plain(pattern):
            paths[plain] = None
            continue
        found = dict.fromkeys(path_pattern.matches(pattern))
        paths |= found
        paths |= dict.fromkeys(
            path
            for path in known
            if path not in found and not (found and _is_gone(path)) and path_pattern.has_match(pattern, path)
        )
    return list(paths)


def _is_gone(path: str) -> bool:
    """Return whether there is no such file; False where its folder cannot be read."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class PatternFiles:
    """The files that match patterns now. They are looked for again when a folder of the patterns has changed."""

    def __init__(self) -> None:
        self._folders: dict[str, Signature | None] = {}
        self._patterns: Sequence[str] = ()
        self._found: list[str] = []

    def look(self, patterns: Sequence[str]) -> list[str]:
        """Return the files of these patterns."""
        same = self._patterns == patterns
        if not same or any(signature(folder) != seen or _is_new(seen) for folder, seen in self._folders.items()):
            self._patterns = patterns
            # The signatures are taken before the folders are read, so that a change meanwhile is found the next time.
            folders = dict.fromkeys(folder for pattern in patterns for folder in path_pattern.folders(pattern))
            self._folders = {folder: signature(folder) for folder in folders}
            self._found = [path for pattern in patterns for path in path_pattern.matches(pattern)]
        return self._found


def _is_new(folder: Signature | None) -> bool:
    return folder is not None and time.time_ns() - folder.changed_ns < _SETTLED


class _Reading:
    """The zone files that have been read so far."""

    def __init__(self, saved: Mapping[str, str], parsed: ParsedZones, accepted: Mapping[str, Name]) -> None:
        self.zones: dict[Name, Zone] = {}
        self.origins: dict[str, Name] = {}
        self.texts: dict[str, str] = {}
        self.findings: dict[str, list[Finding]] = {}
        self._accepted = accepted
        self._paths: dict[Name, str] = {}
        self._saved = saved
        self._parsed = parsed

    def take(self, path: str) -> None:
        """Read one file, and serve it, or its last valid text where the file cannot be used."""
        origin = self._accepted.get(path)
        if origin is None and (known := self._before(path)):
            origin = known.origin
        zone, text, why = self._read(path, origin)
        if zone is None and (zone := self._before(path)):
            text = self._saved[path]
        if zone and (other := self._paths.get(zone.origin)):
            why = f"{path} and {other} are both the zone `{to_text(zone.origin)}`"
            zone = None
        if why:
            self.findings[path] = [checks.unreadable(path, why, has_data=zone is not None)]
        if zone:
            self.zones[zone.origin], self.texts[path] = zone, text
            origin = zone.origin
        if origin and origin not in self._paths:
            self.origins[path], self._paths[origin] = origin, path

    def _before(self, path: str) -> Zone | None:
        """Return the zone in the last valid text."""
        with contextlib.suppress(InvalidZone):  # this version of pldns may be stricter than the one that saved it
            return self._parsed.parse(self._saved[path], path) if path in self._saved else None
        return None

    def _read(self, path: str, origin: Name | None) -> tuple[Zone | None, str, str]:
        """Return the zone, its text, and why the file cannot be used; None and empty texts for what there is not."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - there may be thousands, and a Path doubles the time
                text = file.read().decode()
            zone = self._parsed.parse(text, path)
        except UnicodeDecodeError:
            return None, "", f"{path}: not UTF-8"
        except OSError as error:
            return None, "", f"{path}: {error.strerror or error}"
        except InvalidZone as error:
            return None, "", str(error)
        if origin not in (None, zone.origin):
            return None, "", f"{path}: the zone is `{to_text(zone.origin)}` now: `pldns reload` takes another zone"
        return zone, text, ""
