"""The faults in their order. Those of one session happen to one pldns, one after the other."""

from dataclasses import dataclass
from typing import Final

from tests.chaos import files, network, processes
from tests.chaos.fault import Fault


@dataclass(frozen=True, slots=True)
class Session:
    """A pldns, and what happens to it. See `Site` for the rest."""

    name: str
    faults: tuple[Fault, ...]
    workers: int = 1
    descriptors: int | None = None
    activated: bool = False
    mounted: bool = False
    """Whether the state directory has a file system of its own, which needs root."""


SESSIONS: Final = (
    Session("processes", (*processes.KILLS, processes.PAUSED, processes.LOG, *processes.ORDERLY)),
    Session("two-workers", (*processes.KILLS, *processes.ORDERLY), workers=2),
    Session("restarts", processes.RESTARTS),
    Session("systemd", processes.HELD, activated=True),
    Session("upstream", network.UPSTREAM),
    Session("sources", files.SOURCES),
    Session("state", files.STATE),
    Session("mounted-state", files.MOUNTED_STATE, mounted=True),
    Session("floods", network.FLOODS),
    Session("descriptors", network.IDLE, descriptors=1_024),
    Session("few-descriptors", network.IDLE, descriptors=256),
)
SHORT: Final = ("worker killed", "control killed", "reload of a bad configuration", "source: a file is empty")
