"""What a worker answers with under one configuration, and how another configuration takes over while the worker runs.

Where the table keeps its meaning, the other configuration takes over at once. Where the table does not, a new table is
filled beside it, and takes over whole: no query sees a part of both. Queries in flight end with the setup that they
began with. Does not know where settings and frames come from.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from resolver import settings_change
from resolver.settings import WorkerSettings
from resolver.worker.answer.changed_settings import drop_changed
from resolver.worker.answer.fetcher import Ask
from resolver.worker.answer.parts import Parts, with_new_table, with_same_table
from resolver.worker.answer.responder import Responder
from resolver.worker.replica import Replica

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """Settings, and the parts that they make."""

    settings: WorkerSettings
    parts: Parts
    responder: Responder
    replica: Replica

    @property
    def digest(self) -> bytes:
        """See `settings_change.digest`."""
        return settings_change.digest(self.settings)

    @property
    def table_digest(self) -> bytes:
        """See `settings_change.table_digest`."""
        return settings_change.table_digest(self.settings)


class Setups:
    """The setup in use, and the one whose table is still being filled.

    `switched` is called with each setup that takes over, before it gets a packet. `ask` asks an upstream.
    """

    def __init__(self, first: Setup, ask: Ask, switched: Callable[[Setup], None]) -> None:
        self.now = first
        self._ask = ask
        self._next: Setup | None = None
        self._switched = switched

    @property
    def replica(self) -> Replica:
        """The replica that takes the frames of control."""
        return (self._next or self.now).replica

    def configure(self, settings: WorkerSettings) -> None:
        """Take other settings: now, or as soon as the next snapshot is complete."""
        self._abandon()
        if settings == self.now.settings:
            return
        now, table = self.now, settings_change.table_digest(settings)
        if table == now.table_digest:
            parts = with_same_table(settings, now.parts)
            now.replica.evicted += drop_changed(now.settings, settings, parts.answers, parts.cache)
            now.replica.clients = parts.clients
            self._switch(Setup(settings, parts, Responder(parts, self._ask), now.replica))
            return
        parts = with_new_table(settings, now.parts)
        replica = Replica(parts.table, parts.answers, parts.clients, now.replica.evicted)
        self._next = Setup(settings, parts, Responder(parts, self._ask), replica)

    def committed(self) -> None:
        """Note a commit. A new table that is complete takes over."""
        following = self._next
        if following is not None and following.replica.epoch:
            self._next = None
            drop_changed(self.now.settings, following.settings, following.parts.answers, following.parts.cache)
            self._switch(following)

    def disconnected(self, *, resync: bool = False) -> None:
        """Note that the connection to control ended. See `Replica.disconnected`."""
        self._abandon()
        self.now.replica.disconnected(resync=resync)

    def _abandon(self) -> None:
        if self._next is not None:
            self._next.replica.disconnected()
            self._next = None

    def _switch(self, setup: Setup) -> None:
        before, self.now = self.now, setup
        self._switched(setup)
        before.responder.retire()
        _log.info("the new configuration is in use")
