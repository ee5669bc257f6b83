"""The decisions of operators as a file in the state directory. A file that cannot be used is set aside.

Does not know what a decision changes.
"""

from pathlib import Path
from typing import Final

import msgspec

from resolver.channel.checked_file import CheckedFormat
from resolver.control.estate.state_health import SetAside
from resolver.control.state.damaged_file import set_aside
from zones.claims.policy import Pin
from zones.findings.acknowledgement import Acknowledgement

FORMAT: Final = CheckedFormat("decisions.v1", b"pldns decisions 1\n")


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
        return set_aside(path, error, f"the decisions of operators in {path} are lost")
