"""State files that are checked before they are used: one layout for all of them, and their atomic replacement.

A file is a line that names the format and its version (`magic`), the context that it was written for, the SHA-256 of
the body, and the body. Does not know what a body means, except that it is written and read in parts: the whole is never
in memory.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_SUM: Final = 32
"""Octets of a SHA-256."""
_READ: Final = 1 << 20


class BodyWriter:
    """Takes the body of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.checksum = hashlib.sha256()
        self._file = file

    def write(self, octets: bytes | bytearray) -> None:
        """Append octets. Raises OSError."""
        self._file.write(octets)
        self.checksum.update(octets)


@dataclass(frozen=True, slots=True)
class CheckedFormat:
    """One kind of file. `name`: its name in the state directory; `context`: the length of the context in octets."""

    name: str
    magic: bytes
    context: int = 0

    @property
    def head(self) -> int:
        """Octets before the body."""
        return len(self.magic) + self.context + _SUM

    @contextlib.contextmanager
    def replacing(self, directory: str | Path, context: bytes = b"") -> Iterator[BodyWriter]:
        """Write a body that replaces the file at the end: a reader finds the old file or the new one, each complete.

        Raises OSError; the old file stays. Only one process may write in a directory: what an earlier process left
        half written is overwritten.
        """
        path = Path(directory) / self.name
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(bytes(self.head))
                body = BodyWriter(file)
                yield body
                file.seek(0)
                file.write(self.magic + context + body.checksum.digest())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def is_for(self, descriptor: int, context: bytes) -> bool:
        """Return whether an open file has this format and was written for this context."""
        expected = self.magic + context
        return os.pread(descriptor, len(expected), 0) == expected

    def body(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield the body in parts, after the whole file was checked. Raises OSError and ValueError."""
        head = file.read(self.head)
        if not head.startswith(self.magic):
            raise ValueError("it is damaged, or another version wrote it")
        checksum = hashlib.sha256()
        while data := file.read(_READ):
            checksum.update(data)
        if head[-_SUM:] != checksum.digest():
            raise ValueError("its checksum is wrong")
        file.seek(self.head)
        while data := file.read(_READ):
            yield data
