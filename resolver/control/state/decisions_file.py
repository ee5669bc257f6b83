"""The decisions of operators as a file in the state directory. A file that cannot be used is set aside.

Does not know what a decision changes.
"""

import logging
from pathlib import Path
from typing import Final

import msgspec

from resolver.channel.checked_file import CheckedFormat
from resolver.control.estate.state_health import SetAside
from zones.claims.policy import Pin
from zones.findings.acknowledgement import Acknowledgement

FORMAT: Final = CheckedFormat("decisions.v1", b"pldns decisions 1\n")

_log = logging.getLogger(__name__)


class Decisions(msgspec.Struct, frozen=True):
    """What operators have decided while pldns ran."""

    acknowledgements: tuple[Acknowledgement, ...] = ()
    pins: tuple[Pin, ...] = ()


def write(directory: str, decisions: Decisions) -> None:
    """Replace the file. Raises OSError; the old file stays."""
    Path(directory).mkdir(mode=0o700, exist_ok=True)
    with FORMAT.replacing(directory) as file:
        file.write(msgspec.json.encode(decisions))


def load(directory: str) -> Decisions:
    """Return the decisions; none if there is no file. Raises OSError, and ValueError for a file that is bad."""
    try:
        with (Path(directory) / FORMAT.name).open("rb") as file:
            return msgspec.json.decode(b"".join(FORMAT.body(file)), type=Decisions)
    except FileNotFoundError:
        return Decisions()


def read(directory: str) -> Decisions | SetAside:
    """Return the decisions. A bad file is renamed to `decisions.broken`."""
    path = Path(directory) / FORMAT.name
    try:
        return load(directory)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        broken = path.with_suffix(".broken")
        try:
            path.replace(broken)
        except OSError as refused:
            _log.error("the decisions of operators in %s are lost: %s; moving it failed: %s", path, why, refused)
            return SetAside(str(path), why, "")
        _log.error("the decisions of operators in %s are lost: %s; it is now %s", path, why, broken)
        return SetAside(str(path), why, str(broken))
