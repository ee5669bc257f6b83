"""Every command that has `-o` prints the same in JSON and in YAML, and nothing but that on stdout."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from resolver.cli.commands import app

Run = Callable[..., Any]
READERS = [
    "status", "findings", "endpoints", "zones", "networks", "sources", "upstreams", "fallbacks", "history", "audit",
    "diff --from 1h", "check", "plan", "catalogue", "catalogue a.vault.azure.net", "suffixes", "config show",
    "config diff", "sync status", "cache show", "token list", "pin list", "log-level",
    "explain shop.blob.core.windows.net", "query corp.example SOA",
]  # fmt: skip
OTHERS = {
    "acknowledge", "cache flush", "drain", "pin remove", "pin set", "reload", "sync accept", "sync drop", "sync now",
    "tail", "token new", "token revoke", "registry list", "registry connections", "registry approve", "registry reject",
    "registry show", "registry delete", "registry subnets", "registry targets", "registry create endpoint",
    "registry create network", "registry create target",
}  # fmt: skip
"""Commands that change something, that do not end, or that need a registry."""


def with_output(prefix: str, command: object) -> Iterator[str]:
    """Yield each command that has the option `--output`."""
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from with_output(f"{prefix} {name}".strip(), each)
    elif isinstance(command, TyperCommand) and any(each.name == "output" for each in command.params):
        yield prefix


def shape(value: object) -> object:
    """Return a value without numbers and times, which differ between two runs."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [*map(shape, value)] if isinstance(value, list) else type(value)


def test_every_command_with_output_is_tried_here() -> None:
    tried = {
        each for each in with_output("", get_command(app)) if any(f"{line} ".startswith(f"{each} ") for line in READERS)
    }
    assert set(with_output("", get_command(app))) == tried | OTHERS


@pytest.mark.parametrize("line", READERS)
def test_yaml_says_what_json_says(run: Run, daemon: Path, line: str) -> None:
    given = [*line.split(), "-c", daemon]
    one, other = run(*given, "-o", "json"), run(*given, "-o", "yaml")
    assert one.code == other.code
    assert shape(yaml.safe_load(other.out)) == shape(one.json)
    assert not other.out.startswith(("{", "[{"))
