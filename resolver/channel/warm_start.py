"""What was served last, as a file: workers answer from it at once after a restart, before control has judged anything.

A magic line, a digest of the configuration that it was made under, the SHA-256 of the rest, then the frames of a
snapshot. Control writes it (`kept`), the supervisor opens it for each worker that it starts, the worker takes it as its
first snapshot; control tells it the rest when it is up. A file of another version or configuration is not opened, one
that does not check is not used. No event loop here.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from resolver.channel import frames as channel
from resolver.channel.frames import Down
from resolver.settings import ControlSettings
from resolver.version import VERSION

FILE: Final = "served.v1"
_MAGIC: Final = b"pldns served 1\n"
_SUM: Final = 32
"""Octets of a SHA-256."""
HEAD: Final = len(_MAGIC) + 2 * _SUM
"""Octets before the frames."""
_READ: Final = 1 << 18


def digest(config: ControlSettings) -> bytes:
    """Of all that decides what is served, but for what the sources give."""
    return hashlib.sha256(VERSION.encode() + msgspec.json.encode(config)).digest()


def head(under: bytes, checksum: bytes) -> bytes:
    """How the file begins: the digest that it was made under, and the SHA-256 of its frames."""
    return _MAGIC + under + checksum


def opened(directory: str, under: bytes) -> int | None:
    """A descriptor of the file; None where there is none that was made under this configuration."""
    try:
        descriptor = os.open(Path(directory) / FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if os.pread(descriptor, HEAD - _SUM, 0) == head(under, b""):
        return descriptor
    os.close(descriptor)
    return None


def frames(descriptor: int) -> Iterator[Down]:
    """The snapshot; closes the descriptor. Raises OSError, ValueError or `ChannelError`: it is not to be used."""
    with open(descriptor, "rb") as file:
        expected = file.read(HEAD)[-_SUM:]
        found = hashlib.sha256()
        while data := file.read(_READ):
            found.update(data)
        if found.digest() != expected:
            raise ValueError("its checksum is wrong")
        file.seek(HEAD)
        made = channel.FrameReader[Down](channel.DOWN_LIMIT, Down)
        while data := file.read(_READ):
            yield from made.feed(data)
