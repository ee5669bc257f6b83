"""`pldns config`: prints the schema of the configuration file, or all settings in effect and where each comes from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from resolver.cli import output
from resolver.cli.failure import Failed
from resolver.config import file as config
from resolver.settings import Accepted
from zones.dns.parsed_zones import ParsedZones


def load(path: Path, flags: Mapping[str, str], parsed: ParsedZones | None = None) -> Accepted:
    """Return the accepted configuration. `parsed` gets its zones. Raises `Failed` with every mistake in it."""
    try:
        return config.load(path, os.environ, flags, parsed=parsed)
    except config.ConfigError as error:
        raise Failed(str(error)) from None


def schema() -> int:
    """Print the JSON Schema of the configuration file; return 0."""
    output.data(config.schema())
    return 0


def show(path: Path, flags: Mapping[str, str], as_json: bool) -> int:
    """Print each setting, its value and its origin; return 0."""
    try:
        rows = config.effective(path, os.environ, flags)
    except config.ConfigError as error:
        raise Failed(str(error)) from None
    if as_json:
        output.data([{"path": key, "value": value, "origin": origin} for key, value, origin in rows])
    else:
        output.table(
            ("setting", "value", "origin"),
            [(key, json.dumps(value, ensure_ascii=False), origin) for key, value, origin in rows],
        )
    return 0
