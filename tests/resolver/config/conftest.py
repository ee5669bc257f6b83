"""Loads configurations from text, and lists the problems of invalid ones."""

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from resolver import settings
from resolver.config.file import ConfigError, load

Load = Callable[..., settings.Accepted]
Refused = Callable[..., list[tuple[int, int, str, str]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    return tmp_path / "pldns.yaml"


@pytest.fixture
def accepted(file: Path) -> Load:
    def run(text: str, environ: Mapping[str, str] | None = None, flags: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        file.write_text(textwrap.dedent(text))
        return load(file, environ or {}, flags or {}, resolv_conf=file.parent / "resolv.conf")

    return run


@pytest.fixture
def refused(accepted: Load) -> Refused:
    """Return each problem as (line, column, path, message with its hint)."""

    def run(text: str, **overlays: Mapping[str, str]) -> list[tuple[int, int, str, str]]:
        with pytest.raises(ConfigError) as caught:
            accepted(text, **overlays)
        return [
            (p.place.line, p.place.column, p.path, p.message + (f" -> {p.hint}" if p.hint else ""))
            for p in caught.value.problems
        ]

    return run
