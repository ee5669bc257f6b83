"""`pldns config`: the schema of the file, and every setting that holds with where it comes from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from resolver.cli import output
from resolver.cli.failure import Failed
from resolver.config import file as config
from resolver.settings import Accepted


def load(path: Path, flags: Mapping[str, str]) -> Accepted:
    """The accepted configuration. Raises `Failed` with all of its mistakes."""
    try:
        return config.load(path, os.environ, flags)
    except config.ConfigError as error:
        raise Failed(str(error)) from None


def schema() -> int:
    """Write the JSON Schema."""
    output.json_out(config.schema())
    return 0


def show(path: Path, flags: Mapping[str, str], as_json: bool) -> int:
    """Write each setting, its value and its origin."""
    try:
        rows = config.effective(path, os.environ, flags)
    except config.ConfigError as error:
        raise Failed(str(error)) from None
    if as_json:
        output.json_out([{"path": key, "value": value, "origin": origin} for key, value, origin in rows])
    else:
        output.table(
            ("setting", "value", "origin"),
            [(key, json.dumps(value, ensure_ascii=False), origin) for key, value, origin in rows],
        )
    return 0
