"""The saved inventory as a file (`saved` says what is in it): replaced atomically, checked before it is believed.

A magic line, the SHA-256 of the rest, then its pieces: MessagePack after its length in 4 octets, big-endian. A file
that does not check is set aside, never believed and never overwritten.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from resolver.channel import frames as channel
from resolver.control.state.inventory import Saved, joined

FILE: Final = "inventory.v3"
_MAGIC: Final = b"pldns inventory 3\n"
_HEAD: Final = len(_MAGIC) + 32
_LARGEST: Final = (1 << 32) - 1
_READ: Final = 1 << 20

_log = logging.getLogger(__name__)


def write(directory: str, pieces: Iterable[Saved]) -> None:
    """Replace the saved inventory. Raises OSError; the old one stays."""
    encoder, checksum = msgspec.msgpack.Encoder(), hashlib.sha256()
    with replacing(Path(directory) / FILE) as file:
        file.write(bytes(_HEAD))
        for piece in pieces:
            body = encoder.encode(piece)
            for octets in (len(body).to_bytes(4, "big"), body):
                file.write(octets)
                checksum.update(octets)
        file.seek(0)
        file.write(_MAGIC + checksum.digest())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` at the end: a reader sees the old one or the new one, whole.

    Raises OSError; the old one stays. Only one process may write in a directory: what an earlier one left half written
    is written over.
    """
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            yield file
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


def load(directory: str) -> Saved | None:
    """The saved inventory; None where there is none. Raises OSError, and ValueError for one that does not check."""
    try:
        with (Path(directory) / FILE).open("rb") as file:
            return joined(_pieces(file))
    except FileNotFoundError:
        return None


def _pieces(file: IO[bytes]) -> Iterator[Saved]:
    head = file.read(_HEAD)
    if not head.startswith(_MAGIC):
        raise ValueError("it is not of this version")
    checksum = hashlib.sha256()
    while data := file.read(_READ):
        checksum.update(data)
    if head[len(_MAGIC) :] != checksum.digest():
        raise ValueError("its checksum is wrong")
    file.seek(_HEAD)
    frames = channel.FrameReader[Saved](_LARGEST, Saved)
    try:
        while data := file.read(_READ):
            yield from frames.feed(data)
    except channel.ChannelError as error:
        raise ValueError(str(error)) from None


def read(directory: str) -> Saved | None:
    """The saved inventory; None where there is none that can be read and checks: that one is renamed to `….broken`."""
    path = Path(directory) / FILE
    try:
        return load(directory)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        broken = path.with_suffix(".broken")
        _log.error("the saved inventory %s is not used: %s; it is now %s", path, why, broken)
        with contextlib.suppress(OSError):
            path.replace(broken)
        return None
