"""The faults in their order. Those of one session happen to one pldns, one after the other."""

from dataclasses import dataclass, field
from typing import Final

from tests.chaos import files, network, processes
from tests.chaos.fault import Fault
from tests.chaos.site import Setup, Start


@dataclass(frozen=True, slots=True)
class Session:
    """A pldns, and what happens to it."""

    name: str
    faults: tuple[Fault, ...]
    setup: Setup = field(default_factory=Setup)
    mounted: bool = False
    """Whether the state directory has a file system of its own, which needs root."""


_LAME_DUCK: Final = {"processes": {"lame_duck": "1s"}}
SESSIONS: Final = (
    Session("processes", (*processes.KILLS, processes.PAUSED, processes.LOG, *processes.ORDERLY)),
    Session("two-workers", (*processes.KILLS, *processes.ORDERLY), Setup(workers=2)),
    Session("restarts", processes.RESTARTS),
    Session("two-workers-restarts", processes.RESTARTS, Setup(workers=2)),
    Session("systemd", processes.HELD, Setup(start=Start.ACTIVATED, settings=_LAME_DUCK)),
    Session("two-workers-systemd", processes.HELD, Setup(2, start=Start.ACTIVATED, settings=_LAME_DUCK)),
    Session("clock", processes.CLOCK, Setup(start=Start.STEPPED)),
    Session("upstream", network.UPSTREAM),
    Session("sources", files.SOURCES),
    Session("state", files.STATE),
    Session("mounted-state", files.MOUNTED_STATE, mounted=True),
    Session("floods", network.FLOODS),
    Session("memory", (network.NEW_NAMES,), Setup(settings={"memory": "96MiB"})),
    Session("descriptors", network.IDLE, Setup(descriptors=1_024)),
    Session("few-descriptors", network.IDLE, Setup(descriptors=256)),
)
SHORT: Final = ("worker killed", "control killed", "reload of a bad configuration", "source: a file is empty")
