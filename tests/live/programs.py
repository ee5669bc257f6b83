"""Other programs that run during a test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.daemon import PATIENCE


@contextmanager
def running(*command: str | Path, log: Path) -> Iterator[None]:
    """Run a program until the block ends. Its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
