"""The health of the state directory: which files cannot be written, and which could not be used at the start.

Owns the findings about these. Does not know what the files contain. Pure; times are in seconds since the epoch.
"""

from collections.abc import Mapping
from typing import NamedTuple

from resolver.control.estate.source_health import Degraded
from zones.clocks import WallTime
from zones.findings.board import Board, Topic
from zones.findings.finding import finding
from zones.findings.state_evidence import StateSetAside, StateUnwritable


class SetAside(NamedTuple):
    """A file that could not be used. `kept_as`: its path now, empty where it could not be moved."""

    path: str
    why: str
    kept_as: str


class StateHealth:
    """The faults of the state directory, and their findings on the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._unwritable: dict[str, str] = {}
        self._set_aside: dict[str, str] = {}

    def continue_on(self, board: Board, now: WallTime) -> None:
        """Report on another board from now on: the estate has become that of another configuration."""
        for topic in (Topic.UNWRITABLE, Topic.SET_ASIDE):
            for about, findings in self._board.of(topic).items():
                board.replace(topic, about, findings, now)
        self._board = board

    @property
    def unwritable(self) -> Mapping[str, str]:
        """The reason by path, for each file whose last write failed."""
        return self._unwritable

    def failed(self, path: str, why: str, now: WallTime) -> None:
        """Record that a file cannot be written."""
        self._unwritable[path] = why
        self._board.replace(Topic.UNWRITABLE, path, [finding(path, StateUnwritable(message=why))], now)

    def written(self, path: str, now: WallTime) -> None:
        """Record that a file was written."""
        if self._unwritable.pop(path, None) is not None:
            self._board.replace(Topic.UNWRITABLE, path, [], now)

    def set_aside(self, file: SetAside, now: WallTime) -> None:
        """Record that a file could not be used. The finding stays until the next start."""
        self._set_aside[file.path] = file.why
        evidence = StateSetAside(message=file.why, kept_as=file.kept_as)
        self._board.replace(Topic.SET_ASIDE, file.path, [finding(file.path, evidence)], now)

    def degraded(self) -> list[Degraded]:
        """Return the faults as problems without a source."""
        return [
            *(Degraded("", path, f"cannot be written: {why}") for path, why in self._unwritable.items()),
            *(Degraded("", path, f"was not used at the start: {why}") for path, why in self._set_aside.items()),
        ]
