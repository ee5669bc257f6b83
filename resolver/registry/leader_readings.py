"""The readings of remote sources in the shared database: the leader writes them, and every control plane follows them.

Does not know what the parts of a reading are, or how PostgreSQL chooses the leader.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from resolver.registry.feed import Changes
from resolver.registry.store.sqlite_file import Unavailable
from resolver.sources.reading import ReadError

if TYPE_CHECKING:
    from resolver.registry.store.shared_database import SharedDatabase


class Sharing(NamedTuple):
    """How a control plane shares the registry now. `leader`: the name of the leader's machine, or empty.

    `fault`: why writes are refused; empty while the connection to PostgreSQL is open.
    """

    leads: bool
    leader: str
    fault: str


class LeaderReadings:
    """The readings in one database."""

    def __init__(self, database: "SharedDatabase[Changes]") -> None:
        self._database = database
        self._noticing: dict[str, Callable[[], None]] = {}
        database.news = self._changed

    async def leads(self) -> bool:
        """Return whether this control plane reads the sources itself."""
        return await self._database.leads()

    async def readings(self, source: str) -> Mapping[str, str]:
        """Return the parts of the last reading of a source. Raises `ReadError`."""
        try:
            return await self._database.read(lambda tx: tx.readings(source))
        except Unavailable as error:
            raise ReadError(str(error)) from error

    async def keep(self, source: str, parts: Mapping[str, str]) -> None:
        """Give all control planes the parts of a reading. Without PostgreSQL they get those of the next one."""
        with contextlib.suppress(Unavailable):
            await self._database.write(lambda tx: tx.set_readings(source, parts))

    @property
    def sharing(self) -> Sharing:
        """How this control plane shares the registry now."""
        return Sharing(self._database.is_leader, self._database.leader, self._database.fault)

    def notice(self, source: str, changed: Callable[[], None]) -> None:
        """Call `changed` when the reading of a source has changed, and when this control plane is the leader now."""
        self._noticing[source] = changed

    def _changed(self, sources: Collection[str]) -> None:
        for source, changed in self._noticing.items():
            if not sources or source in sources:
                changed()
