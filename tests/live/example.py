"""The example estate of the documentation, in a folder of a test."""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from tests.paths import ROOT

EXAMPLE: Final = ROOT / "examples/hub-spoke"


def copy(folder: Path) -> dict[str, Any]:
    """Copy the example to a folder. Return its sources, networks and zones, for a daemon there."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
    config = yaml.safe_load((EXAMPLE / "pldns.yaml").read_text())
    return {key: config[key] for key in ("sources", "networks", "zones")}
