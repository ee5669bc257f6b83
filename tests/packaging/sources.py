"""Copies of the sources: what git has or would take, and nothing that was built."""

import shutil
import subprocess
from pathlib import Path

from tests.paths import ROOT


def copy_sources(folder: Path) -> None:
    """Copy the files of the repository into a folder."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in names:
        if (ROOT / name).is_file():
            there = folder / name
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, there)
