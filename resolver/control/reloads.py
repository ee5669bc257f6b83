"""Reloads as control has them: requests to the supervisor, what became of them, and whether the file has changed since.

The supervisor checks a configuration, and accepts or refuses it. Does not know how a configuration is applied.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from resolver.process.orders import OrderReceiver, Reloaded
from resolver.process.reload_state import ReloadState
from resolver.settings import Accepted
from zones.dns.parsed_zones import ParsedZones

Apply = Callable[[Accepted, ParsedZones], Awaitable[list[int]]]
"""Applies a configuration, and returns the workers that are late."""

_log = logging.getLogger(__name__)


class Reloads:
    """The reloads of this pldns. `apply` applies an accepted configuration."""

    def __init__(self, accepted: Accepted, state: ReloadState, orders: OrderReceiver, apply: Apply) -> None:
        self.state = state
        self.differs = False
        """The configuration file is not the one in effect."""
        self.late: list[int] = []
        """Workers that had not taken the last configuration over in time."""
        self.accepted = accepted
        """The configuration in effect."""
        self._orders = orders
        self._apply = apply
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._updates: asyncio.Queue[Reloaded] = asyncio.Queue()
        self._background = set[asyncio.Task[ReloadState]]()

    @property
    def path(self) -> str:
        """The path of the configuration file."""
        return self.accepted.path

    async def reload(self) -> ReloadState:
        """Have the supervisor check the configuration, and wait until it is applied or refused.

        Raises OSError where the supervisor does not read requests.
        """
        self._asked += 1
        number = self._asked
        self._orders.send_reload(number)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await answer
        finally:
            del self._waiting[number]
        return self.state

    def received(self, update: Reloaded) -> None:
        """Take what became of a reload. `run` applies the configuration."""
        self._updates.put_nowait(update)

    async def run(self) -> None:
        """Apply each accepted configuration in turn, endlessly."""
        while True:
            await self._take(await self._updates.get())

    async def _take(self, order: Reloaded) -> None:
        accepted, self.late = order.update.accepted, []
        if accepted is not None:
            self.accepted = accepted
            parsed = ParsedZones.decoded(order.zones) if order.zones else ParsedZones()
            self.late = await self._apply(accepted, parsed)
            for index in self.late:
                _log.warning("worker %d has not taken the configuration over yet", index)
            await self.look()
        self.state = order.update.state
        self._orders.send_applied(self.state.serial)
        for number, answer in self._waiting.items():
            if number <= self.state.request and not answer.done():
                answer.set_result(None)

    # -- the file

    async def look(self) -> None:
        """Compare the configuration file with the configuration in effect."""
        if self.accepted.source:
            self.differs = await asyncio.to_thread(_digest, self.path) not in {self.accepted.source, ""}

    async def changed(self) -> None:
        """Take note that the configuration file has changed: reload, or log what to do."""
        await self.look()
        if not self.differs:
            return
        if not self.accepted.control.watch:
            _log.warning("%s has changed: `pldns reload` or SIGHUP has it checked and applied", self.path)
            return
        _log.info("%s has changed: reloading", self.path)
        task = asyncio.create_task(self.reload())
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _digest(path: str) -> str:
    try:
        return sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""  # as while an editor replaces the file
