"""Programs that only these tests use. `make packaging` installs them into an environment of its own."""

import subprocess
from pathlib import Path
from typing import Final

from tests.paths import ROOT

TOOLS: Final = ROOT / "build/packaging/bin"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command and return what it printed. A command that fails fails the test, with its output."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}"
    return done.stdout
