"""What the admin interface and the metrics ask of control: a protocol, since control itself starts them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from resolver.channel.frames import Fallback
from resolver.channel.requests import ReplyT, WorkerRequest
from resolver.control.estate.estate import Estate
from resolver.control.guard.shrink_guard import Action


class Worker(Protocol):
    """A worker as control sees it; `synced`: it answers from a table that every source had a part in."""

    @property
    def index(self) -> int: ...  # noqa: D102 - its name says it, as all of these
    @property
    def pid(self) -> int: ...  # noqa: D102
    @property
    def serial(self) -> int: ...  # noqa: D102
    @property
    def connected(self) -> bool: ...  # noqa: D102
    @property
    def synced(self) -> bool: ...  # noqa: D102


class View(Protocol):
    """Control, as far as operators may see it and tell it what to do."""

    estate: Estate
    started: float
    """Seconds since the epoch."""

    @property
    def serial(self) -> int:
        """Of the served state: it changes with every change of what is served."""

    @property
    def workers(self) -> Mapping[int, Worker]:
        """All configured workers by index, those that are not there too."""

    def missing(self) -> list[str]:
        """What stands between now and being ready; nothing when ready."""

    async def ping(self) -> bool:
        """A worker answers."""

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        """Return each worker's reply by index; None for a worker that did not reply in time."""

    def sync(self, source: str, action: Action) -> None:
        """Do what an operator says of a remote source. Raises KeyError for no such source, and `NothingHeld`."""

    def totals(self) -> Iterable[tuple[str, tuple[str, ...], int]]:
        """Counters over all workers: (metric, label values, count)."""

    def gauges(self) -> Iterable[tuple[str, tuple[str, ...], float]]:
        """What stands now: (metric, label values, value)."""

    def fallbacks(self) -> Iterable[Fallback]:
        """Names inside private zones that went to an upstream."""
