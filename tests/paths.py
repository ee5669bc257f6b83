"""Where the repository's own files are."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The top folder of the repository."""
DATA: Final = ROOT / "tests" / "data"
"""Documents that Azure publishes, as tests read them."""
