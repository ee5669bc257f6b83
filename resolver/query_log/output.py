"""One output of the query log: what it counts, and that its faults are logged once. Does not know where it writes."""

import logging
from abc import ABC, abstractmethod

from resolver.channel.query_records import QueryBatch
from resolver.process.query_log_state import OutputKind, OutputState

_log = logging.getLogger(__name__)


class Output(ABC):
    """Takes queries, and never waits. What it cannot write, it drops and counts."""

    def __init__(self, kind: OutputKind, to: str) -> None:
        self.kind = kind
        self.to = to
        self._written = self._dropped = 0
        self._fault = ""
        self._dropped_before = 0
        """`_dropped` when the fault began."""

    @property
    def state(self) -> OutputState:
        """What was written, and what was not."""
        return OutputState(self.kind, self.to, self._written, self._dropped, self._fault)

    @abstractmethod
    def write(self, batch: QueryBatch) -> None:
        """Write these queries, or drop them."""

    async def open(self) -> None:
        """Prepare for the first query."""
        self.look()

    @abstractmethod
    def look(self) -> None:
        """Do what is due. Called about once a second."""

    @abstractmethod
    async def close(self) -> None:
        """Write what waits, as far as that is possible at once, and end."""

    def _wrote(self, queries: int) -> None:
        self._written += queries

    def _drop(self, queries: int) -> None:
        self._dropped += queries

    def _failed(self, fault: str) -> None:
        """Note that nothing can be written."""
        if not self._fault:
            self._dropped_before = self._dropped
            _log.warning("query log: %s: %s; queries are dropped", self.to, fault, extra={"code": "query-log-failed"})
        self._fault = fault

    def _works(self) -> None:
        """Note that queries can be written."""
        if self._fault:
            self._fault = ""
            lost = self._dropped - self._dropped_before
            _log.info("query log: %s works again; %d queries were dropped", self.to, lost)
