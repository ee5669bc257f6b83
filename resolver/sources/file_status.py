"""The status of a file behind any links: it differs when the file has changed."""

import os
from typing import NamedTuple


class Signature(NamedTuple):
    """The status of a file. It differs when the file has changed."""

    modified_ns: int
    changed_ns: int
    """Time of the last change of the status, in nanoseconds since the epoch. A write changes it; no program sets it."""
    size: int
    inode: int
    device: int


def signature(path: str) -> Signature | None:
    """Return the status of a file; None where it has none: reading it gives the error."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path is slow for many
    except OSError:
        return None
    return Signature(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
