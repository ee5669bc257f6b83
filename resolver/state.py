"""The saved inventory: what every source gave last, when each claim was first seen, who held contested names.

One file, replaced atomically: a magic line, the SHA-256 of the rest, then MessagePack. A file that does not check is
set aside, never believed and never overwritten.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from zones.ledger import Memory
from zones.name import Name
from zones.resource import Resources

FILE: Final = "inventory.v1"
_MAGIC: Final = b"pldns inventory 1\n"

_log = logging.getLogger(__name__)


class Saved(msgspec.Struct, frozen=True):
    """What a restart needs so that it answers at once and flips no winner. Times in seconds since the epoch."""

    saved_at: float
    parts: list[tuple[str, str, Resources]] = []
    """(source, part, what it gave)."""
    networks: tuple[str, ...] = ()
    first_seen: list[tuple[str, bytes, float]] = []
    """(endpoint, public FQDN, time)."""
    held: list[tuple[bytes, list[tuple[bytes, str]]]] = []
    """(name, holders): masks of networks, little-endian, and endpoints."""
    findings: dict[str, float] = {}
    zone_texts: dict[str, str] = {}

    @property
    def memory(self) -> Memory:
        """For the ledger."""
        return Memory(
            self.networks,
            {(endpoint, Name(fqdn)): seen for endpoint, fqdn, seen in self.first_seen},
            {
                Name(name): tuple((int.from_bytes(mask, "little"), key) for mask, key in holders)
                for name, holders in self.held
            },
            dict(self.findings),
        )


def of(memory: Memory, parts: list[tuple[str, str, Resources]], zone_texts: dict[str, str], now: float) -> Saved:
    """What there is to save."""
    return Saved(
        now,
        parts,
        memory.networks,
        [(endpoint, name, seen) for (endpoint, name), seen in memory.first_seen.items()],
        [
            (name, [(mask.to_bytes((mask.bit_length() + 7) // 8, "little"), key) for mask, key in holders])
            for name, holders in memory.held.items()
        ],
        memory.findings,
        zone_texts,
    )


def encode(saved: Saved) -> bytes:
    """The file's content."""
    body = msgspec.msgpack.encode(saved)
    return _MAGIC + hashlib.sha256(body).digest() + body


def write(directory: str, content: bytes) -> None:
    """Replace the file: whoever reads it sees the old one or the new one, whole. Raises OSError; the old one stays."""
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=FILE + ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(Path(directory) / FILE)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(directory: str) -> Saved | None:
    """The saved inventory; None where there is none that checks. One that does not is renamed to `….broken`."""
    path = Path(directory) / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.error("the saved inventory %s cannot be read: %s", path, error.strerror)
        return None
    try:
        return decode(content)
    except ValueError as error:
        broken = path.with_suffix(".broken")
        _log.error("the saved inventory %s is not used: %s; it is now %s", path, error, broken)
        with contextlib.suppress(OSError):
            path.replace(broken)
        return None


def decode(content: bytes) -> Saved:
    """The inverse of `encode`. Raises ValueError."""
    if not content.startswith(_MAGIC):
        raise ValueError("it is not of this version")
    checksum, body = content[len(_MAGIC) : len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != checksum:
        raise ValueError("its checksum is wrong")
    return msgspec.msgpack.decode(body, type=Saved)
