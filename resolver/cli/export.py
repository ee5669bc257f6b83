"""`pldns export`: reads every source once, or the saved inventory, and writes the resources to one file.

Needs no daemon.
"""

import asyncio
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from resolver import settings
from resolver.cli import output, progress
from resolver.cli.configuration import load
from resolver.cli.failure import Failed
from resolver.cli.progress import Begin
from resolver.control.state import inventory_file
from resolver.control.sync import remotes
from resolver.offline import snapshot
from resolver.offline.redaction import Redaction
from resolver.sources.files import FileSource
from zones.azure.catalogue import catalogue
from zones.azure.resource import Resources


def run(out: Path, path: Path, flags: Mapping[str, str], *, saved: bool, force: bool, redact: bool) -> int:
    """Write the file; return 0 when it is complete, 1 when part of the estate could not be read (see stderr)."""
    to_stdout = str(out) == "-"
    if not to_stdout and not force and out.exists():  # before minutes of reading
        raise _exists(out)
    config = load(path, flags).control
    if saved:
        parts, problems = _saved(config)
    else:
        with progress.steps(len(config.sources)) as begin:
            parts, problems = asyncio.run(_read(config, begin))
    for problem in problems:
        output.note(problem)
    if problems and not parts:
        raise Failed("nothing could be read, so nothing is written")
    made = snapshot.made(parts)
    if made.differing:
        output.note(f"{made.differing} resources differ between files or sources: the first version is written")
    if made.unreadable:
        output.note(f"{made.unreadable} rows or fields are invalid and left out: `pldns check` lists them")
    redaction = Redaction(secrets.token_bytes(32), catalogue(config.catalogue)) if redact else None
    lines = made.lines(redaction.resource) if redaction else made.lines()
    if to_stdout:
        sys.stdout.writelines(lines)
    else:
        _write(out, lines, force=force)
        output.line(f"{out}: {made.resources} resources")
    return 1 if problems else 0


def _write(out: Path, lines: Iterable[str], *, force: bool) -> None:
    try:
        snapshot.write(out, lines, replace=force)
    except FileExistsError:
        raise _exists(out) from None
    except OSError as error:
        raise Failed(f"cannot write {out}: {error.strerror or error}") from None


def _exists(out: Path) -> Failed:
    return Failed(f"{out} exists; `--force` replaces it")


def _saved(config: settings.ControlSettings) -> tuple[list[Resources], list[str]]:
    """Return the saved resources of every source, and the sources that are not saved."""
    try:
        saved = inventory_file.load(config.state_directory)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Failed(f"cannot use the saved inventory in {config.state_directory}: {why}") from None
    if saved is None:
        raise Failed(f"nothing is saved in {config.state_directory} yet; without `--saved`, the sources are read")
    names = [source.name for source in config.sources]
    missing = [f"source {name}: no data of this source is saved" for name in names if name not in saved.sources]
    return [given for name in names for source, _, given in saved.parts if source == name], missing


async def _read(config: settings.ControlSettings, begin: Begin) -> tuple[list[Resources], list[str]]:
    """Return the resources of every source, the source with precedence first, and what could not be read."""
    parts: list[Resources] = []
    problems: list[str] = []
    async with remotes.opened(config) as opened:
        asked = opened.sources
        for source in config.sources:
            begin(f"source {source.name}")
            if source.name in asked:
                reading = await asked[source.name].read()
                parts += [given for _, given in sorted(reading.parts.items(), key=lambda item: item[0])]
                problems += [f"source {source.name}: {part}: {why}" for part, why in reading.refused.items()]
                error = reading.error
            elif source.type != "files":
                error = "only a running pldns reads it; `--saved` writes what is saved"
            else:
                scan = await asyncio.to_thread(FileSource(source.path, set()).scan)
                for part, given in scan.changes:
                    if isinstance(given, str):
                        problems.append(f"source {source.name}: {part}: {given}")
                    elif given:
                        parts.append(given)
                error = scan.error
            if error:
                problems.append(f"source {source.name}: {error}")
    return parts, problems
