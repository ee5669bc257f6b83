"""`pldns config diff`: compares a configuration file with the configuration that the running daemon uses.

The file is checked as at a start, with the variables and flags of the daemon, which take precedence over it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from resolver import settings_change
from resolver.admin.resources import configuration
from resolver.admin.resources.configuration import EffectiveConfiguration, NamedFile
from resolver.cli import admin_client, output
from resolver.cli.failure import Failed
from resolver.config import difference
from resolver.config import file as config
from resolver.config.difference import Change, KeyChange


def run(url: str, path: Path, as_json: bool) -> int:
    """Print what a reload would change; return 0 when nothing would change, else 2.

    Raises `Failed` where no daemon answers, and with every mistake of an invalid file.
    """
    running = EffectiveConfiguration.model_validate(admin_client.get(url, "/v1/configuration"))
    wanted = _wanted(path, running)
    keys = list(difference.changes(running.keys, wanted.keys))
    files = list(_file_changes(running.files, wanted.files))
    refusals = settings_change.restart_needed(running.at_start, wanted.at_start)
    if as_json:
        output.data(_json(running, path, keys, files, refusals))
    else:
        _write(running, path, keys, files, refusals)
    return 2 if keys or files or refusals else 0


def _wanted(path: Path, running: EffectiveConfiguration) -> EffectiveConfiguration:
    try:
        accepted = config.load(path, running.overrides.environment, running.overrides.flags)
        zones = accepted.control.zones
        texts = {zone: Path(file).read_bytes().decode() for zone, file in zip(zones.origins, zones.files, strict=True)}
    except config.ConfigError as error:
        raise Failed(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"a zone file changed while it was read: {error}") from None
    return configuration.effective(accepted, running.serial, texts)


def _file_changes(before: list[NamedFile], after: list[NamedFile]) -> Iterator[tuple[NamedFile, Change]]:
    """Yield the files whose contents differ. A file in another folder is the same one if it has the same zone."""
    was, now = ({(each.key, each.zone): each for each in files} for files in (before, after))
    for key, file in (was | now).items():
        if key not in was:
            yield file, Change.ADDED
        elif key not in now:
            yield file, Change.REMOVED
        elif was[key] != file:
            yield file, Change.CHANGED


def _at_start(key: str, refusals: Mapping[str, str]) -> bool:
    return any(
        key == each or key.startswith((f"{each}.", f"{each}[")) or each.startswith(f"{key}.") for each in refusals
    )


def _json(
    running: EffectiveConfiguration, path: Path, keys: list[KeyChange], files: list[tuple[NamedFile, Change]],
    refusals: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    return {
        "file": str(path), "serial": running.serial,
        "keys": [
            {
                "key": each.key, "change": each.change, "before": each.before, "after": each.after,
                "takes_effect": "restart" if _at_start(each.key, refusals) else "reload",
            }
            for each in keys
        ],
        "files": [{"key": file.key, "zone": file.zone, "change": change} for file, change in files],
        "restart_needed": list(refusals.values()),
    }  # fmt: skip


def _write(
    running: EffectiveConfiguration, path: Path, keys: list[KeyChange], files: list[tuple[NamedFile, Change]],
    refusals: Mapping[str, str],
) -> None:  # fmt: skip
    for each in keys:
        output.line(f"{each.key}: {_text(each)}{' (restart)' if _at_start(each.key, refusals) else ''}")
    for file, change in files:
        output.line(
            f"{file.key}: {change} the zone file of `{file.zone}`"
            if file.zone
            else f"{file.key}: {change} its contents"
        )
    if refusals:
        output.line("a reload would refuse all of this:")
        for sentence in refusals.values():
            output.line(f"  {sentence}")
    elif keys or files:
        output.line(f"a reload would apply all of this to configuration {running.serial}")
    else:
        output.line(f"{path} says the same as configuration {running.serial}, which is in effect")


def _text(change: KeyChange) -> str:
    match change.change:
        case Change.ADDED:
            return f"added {_value(change.after)}"
        case Change.REMOVED:
            return f"removed {_value(change.before)}"
        case Change.CHANGED:
            return f"changed from {_value(change.before)} to {_value(change.after)}"


def _value(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
