"""Paths of folders in the repository."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The top folder of the repository."""
DATA: Final = ROOT / "tests" / "data"
"""Documents published by Azure, which tests read."""
