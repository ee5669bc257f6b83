"""The saved inventory as a file in the state directory.

A piece of the inventory is MessagePack after its length in 4 octets, big-endian. A file that does not check is set
aside: it is not used, and the next write does not overwrite it.

The name has the version of the format. A file of the version before is read where there is none of this version, and is
kept for a downgrade. A file of a later version is moved, so that an upgrade does not read it in place of newer data.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from resolver.channel.checked_file import CheckedFormat
from resolver.channel.frames import ChannelError, FrameReader
from resolver.control.estate.saved_inventory import SavedInventory, joined
from resolver.control.estate.state_health import SetAside
from resolver.control.state.damaged_file import set_aside

FORMAT: Final = CheckedFormat("inventory.v3", b"pldns inventory 3\n")
_BEFORE: Final = CheckedFormat("inventory.v2", b"pldns inventory 2\n")
"""The version before: one piece, without a length."""
_VERSION: Final = re.compile(r"inventory\.v(\d+)")
_LARGEST: Final = (1 << 32) - 1
"""Octets of one piece: what its length can say."""

_log = logging.getLogger(__name__)


def write(directory: str, pieces: Iterable[SavedInventory]) -> None:
    """Replace the saved inventory. Raises OSError; the old file stays."""
    with FORMAT.replacing(directory) as file:
        for octets in encoded(pieces):
            file.write(octets)


def encoded(pieces: Iterable[SavedInventory]) -> Iterator[bytes]:
    """Yield each piece as the file has it."""
    encoder = msgspec.msgpack.Encoder()
    for piece in pieces:
        body = encoder.encode(piece)
        yield len(body).to_bytes(4, "big") + body


def decoded(octets: Iterable[bytes]) -> SavedInventory:
    """Return the inventory whose pieces are `encoded`, cut anywhere. Raises ValueError for octets that are bad."""
    return joined(_pieces(octets))


def load(directory: str) -> SavedInventory | None:
    """Return the saved inventory; None if there is no file. Raises OSError, and ValueError for a file that is bad."""
    try:
        with (Path(directory) / FORMAT.name).open("rb") as file:
            return decoded(FORMAT.body(file))
    except FileNotFoundError:
        return _of_the_version_before(directory)


def _of_the_version_before(directory: str) -> SavedInventory | None:
    """Return the inventory that an older pldns saved; None if there is none, or a bad one: it is not needed."""
    path = Path(directory) / _BEFORE.name
    try:
        with path.open("rb") as file:
            saved = msgspec.msgpack.decode(b"".join(_BEFORE.body(file)), type=SavedInventory)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("%s, which an older pldns saved, is not used: %s", path, error)
        return None
    _log.info("%s, which an older pldns saved, is used", path)
    return saved


def _pieces(octets: Iterable[bytes]) -> Iterator[SavedInventory]:
    reader = FrameReader[SavedInventory](_LARGEST, SavedInventory)
    try:
        for data in octets:
            yield from reader.feed(data)
    except ChannelError as error:
        raise ValueError(str(error)) from None


def set_later_versions_aside(directory: str) -> list[SetAside]:
    """Move the inventories that a later version of pldns saved, to `inventory.vN.later`. Return what was found."""
    found = []
    for path in sorted(Path(directory).glob("inventory.v*")):
        match = _VERSION.fullmatch(path.name)
        if not match or int(match[1]) <= int(FORMAT.name.removeprefix("inventory.v")):
            continue
        why, kept = "a later version of pldns saved it", f"{path}.later"
        try:
            path.replace(kept)
        except OSError as error:
            _log.error("the saved inventory %s is not used: %s; moving it failed: %s", path, why, error.strerror)
            kept = ""
        else:
            _log.warning("the saved inventory %s is not used: %s; it is now %s", path, why, kept)
        found.append(SetAside(str(path), why, kept))
    return found


def read(directory: str) -> SavedInventory | SetAside | None:
    """Return the saved inventory; None if there is no file. A bad file is renamed to `inventory.broken`."""
    path = Path(directory) / FORMAT.name
    try:
        return load(directory)
    except (OSError, ValueError) as error:
        return set_aside(path, error, f"the saved inventory {path} is not used")
