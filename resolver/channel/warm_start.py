"""The warm-start file: the state that was served last, so that workers answer from it at once after a restart.

Control writes the file (`control.state.writer`). The supervisor opens it for each worker that it starts, and the worker
takes its frames as a first snapshot; control sends the worker the changes since then. A file of another version or
configuration is not opened, and a file with a wrong checksum is not used. No event loop here.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from resolver.admin_settings import AdminSettings
from resolver.channel.checked_file import CheckedFormat
from resolver.channel.frames import DOWN_LIMIT, Down, FrameReader
from resolver.settings import ControlSettings
from resolver.version import VERSION

_DIGEST: Final = 32
"""Octets of a SHA-256."""
FORMAT: Final = CheckedFormat("served.v1", b"pldns served 1\n", _DIGEST)


def digest(config: ControlSettings) -> bytes:
    """Return the digest of all that decides what is served, except the data of the sources."""
    served = structs.replace(config, admin=AdminSettings(), registry=None)
    # In an order that each process has: that of a set depends on the process.
    return hashlib.sha256(VERSION.encode() + msgspec.json.encode(served, order="deterministic")).digest()


def opened(directory: str, configuration: bytes) -> int | None:
    """Return a descriptor of the file; None if there is no file for the configuration with this digest."""
    try:
        descriptor = os.open(Path(directory) / FORMAT.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if FORMAT.is_for(descriptor, configuration):
        return descriptor
    os.close(descriptor)
    return None


def frames(descriptor: int) -> Iterator[Down]:
    """Yield the snapshot, and close the descriptor. Raises OSError, ValueError or `ChannelError` for a bad file."""
    with open(descriptor, "rb") as file:
        reader = FrameReader[Down](DOWN_LIMIT, Down)
        for data in FORMAT.body(file):
            yield from reader.feed(data)
