"""`pldns version`: prints the version without loading what other commands need."""

import sys

from resolver.version import VERSION


def run() -> int:
    """Print the version on one line; return 0."""
    sys.stdout.write(f"pldns {VERSION}\n")
    return 0
