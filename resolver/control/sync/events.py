"""One source's events: from the hint at its listener to what the resource is now, joined to what the source gave.

Refuses to know what events look like (`webhook`), when a resource is read (`hints`) and what becomes of the change.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager

from resolver.control.guard.event_guard import Deletions
from resolver.control.guard.shrink_guard import patched
from resolver.control.sync import event_grid
from resolver.control.sync.refresh_queue import WAITING, Hints
from resolver.settings import EventSettings
from resolver.sources.reading import RemoteSource
from zones.azure.resource import Resources, subscription

_log = logging.getLogger(__name__)


class SourceEvents:
    """`had`: what the source gave, by subscription; `take` gets what one of them holds now; `sync` asks for a sync."""

    def __init__(
        self,
        source: str,
        config: EventSettings,
        remote: RemoteSource,
        had: Callable[[], Mapping[str, Resources]],
        take: Callable[[str, Resources], None],
        sync: Callable[[], None],
    ) -> None:
        self._source = source
        self._config = config
        self._remote = remote
        self._had = had
        self._take = take
        self._sync = sync
        self._deletions = Deletions()
        self._holding = False
        """Something is held until a sync is published."""
        self._hints = Hints(source, remote.read_one, self._reread, sync)
        self._webhook = event_grid.Webhook(source, config.secret, self._hinted)
        self._found: OrderedDict[str, tuple[float, Resources | None]] = OrderedDict()
        """What was read last of each resource, and when, the latest at the end."""
        self._early: OrderedDict[str, float] = OrderedDict()
        """Hinted at before a sync has told which subscriptions there are, and since when, the latest at the end."""
        self.run = self._hints.run

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Listen while the context is open."""
        return event_grid.serving(self._webhook, self._config, self._source)

    def since(self, when: float) -> list[str]:
        """What a sync that began then may show as it was before an event, the latest first. It has told the scope."""
        for key, at in self._early.items():
            if self._remote.covers(key):
                self._give(key, at)
            else:
                self._hints.counts["out_of_scope"] += 1
        self._early.clear()
        return self._hints.since(when)

    def found(self, when: float) -> dict[str, Resources | None]:
        """What was read since then (monotonic), so that a sync that had read it before does not undo it."""
        return {key: found for key, (at, found) in self._found.items() if at >= when}

    def judged(self) -> None:
        """A sync is published: it has the last word on what was held."""
        self._deletions.judged()
        self._holding = False

    def metrics(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """For the metrics: (metric, label values, count)."""
        for metric, counts in (("events_total", self._webhook.counts), ("hints_total", self._hints.counts)):
            yield from ((metric, (self._source, result), float(count)) for result, count in sorted(counts.items()))
        yield "hints_seconds_total", (self._source,), self._hints.seconds

    def _hinted(self, key: str) -> bool:
        """A resource may have changed: it is read again, where it is in scope.

        Before that is known, it is kept for the sync that tells, unless something of its subscription was saved.
        """
        covered = self._remote.covers(key)
        if covered or (covered is None and subscription(key) in self._had()):
            self._give(key, time.monotonic())
        elif covered is None:
            self._early[key] = time.monotonic()
            self._early.move_to_end(key)
            if len(self._early) > WAITING:
                self._early.popitem(last=False)
        return covered is not False

    def _give(self, key: str, at: float) -> None:
        """For a NIC its endpoint."""
        nics = self._had().get(subscription(key), Resources()).nics
        self._hints.give(next((nic.endpoint for nic in nics if nic.key == key and nic.endpoint), key), at)

    def _reread(self, key: str, found: Resources | None) -> None:
        """What a single resource is now. Where no sync has read the subscription yet, or it was lost, syncs decide."""
        part, had = subscription(key), self._had()
        if found and not found.endpoints and not found.vnets:  # a NIC by itself: its endpoint is what it tells of
            for nic in found.nics:
                if nic.endpoint and subscription(nic.endpoint) == part:
                    self._hints.give(nic.endpoint)
            return
        self._found[key] = time.monotonic(), found
        self._found.move_to_end(key)
        while len(self._found) > WAITING:
            self._found.popitem(last=False)
        before = had.get(part)
        if before is None or (now := patched(before, key, found)) == before:
            return
        if why := self._deletions.take(had, part, now):
            self._hold(why)
        else:
            self._take(part, now)

    def _hold(self, why: str) -> None:
        """A deletion is left to the next sync, which is asked for at once."""
        self._hints.counts["held"] += 1
        if not self._holding:
            beyond = "what goes beyond is held until a sync has judged it"
            _log.warning("source %s: events would remove %s since the last sync; %s", self._source, why, beyond)
            self._sync()
        self._holding = True
