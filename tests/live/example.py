"""The example estate of the documentation, in a folder of a test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.live.daemon import Daemon
from tests.paths import ROOT

EXAMPLE: Final = ROOT / "examples/hub-spoke"


def copy(folder: Path) -> dict[str, Any]:
    """Copy the example to a folder. Return its sources, networks and zones, for a daemon there."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    config = yaml.safe_load((EXAMPLE / "pldns.yaml").read_text())
    return {key: config[key] for key in ("sources", "networks", "zones")}


@contextmanager
def running(folder: Path) -> Iterator[Daemon]:
    """Run a daemon with the example. Nobody has a token, so everybody may read."""
    made = Daemon(folder, copy(folder))
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()
