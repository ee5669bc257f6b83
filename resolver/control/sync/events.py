"""The events of one source: from a hint at its listener, to the resource as it is now, to new data of the subscription.

Does not know the format of events (`event_grid`), when a resource is read (`refresh_queue`), or what becomes of the new
data.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager

from resolver.azure_settings import EventSettings
from resolver.control.guard.event_guard import EventGuard
from resolver.control.guard.rereads import with_resource
from resolver.control.sync import event_grid
from resolver.control.sync.refresh_queue import WAITING, RefreshQueue
from resolver.settings import GuardMode
from resolver.sources.reading import RemoteSource
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources, subscription
from zones.clocks import SteadyTime

_log = logging.getLogger(__name__)


class SourceEvents:
    """The events of one source.

    `had` returns the last good data of the source, by subscription. `take` receives the new data of one subscription.
    `sync` starts a sync.
    """

    def __init__(
        self,
        source: str,
        config: EventSettings,
        remote: RemoteSource,
        had: Callable[[], Mapping[str, Resources]],
        take: Callable[[str, Resources], None],
        sync: Callable[[], None],
        guard: GuardMode,
    ) -> None:
        self._source = source
        self._config = config
        self._remote = remote
        self._had = had
        self._take = take
        self._sync = sync
        self._guard = EventGuard(guard)
        self._holding = False
        """A change is held until the next published sync."""
        self._queue = RefreshQueue(source, remote.read_one, self._take_resource, sync)
        self._webhook = event_grid.Webhook(source, config.secret, self._hinted)
        self._found: OrderedDict[ResourceId, tuple[SteadyTime, Resources | None]] = OrderedDict()
        """The last read of each resource, with its monotonic time, the latest at the end."""
        self._early: OrderedDict[ResourceId, SteadyTime] = OrderedDict()
        """Hints that arrived before a sync had found the subscriptions, with their times, the latest at the end."""
        self.run = self._queue.run

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Return a context. The listener is open while the context is."""
        return event_grid.serving(self._webhook, self._config, self._source)

    def since(self, when: SteadyTime) -> list[ResourceId]:
        """Return the resources that a sync begun at `when` may show as they were before an event, latest first.

        That sync has found the subscriptions of the source, so the hints that waited for them are read now.
        """
        for key, at in self._early.items():
            if self._remote.covers(key):
                self._put(key, at)
            else:
                self._queue.counts["out_of_scope"] += 1
        self._early.clear()
        return self._queue.since(when)

    def found(self, when: SteadyTime) -> dict[ResourceId, Resources | None]:
        """Return the resources that were read since `when` (monotonic): a sync with older reads must not undo them."""
        return {key: found for key, (at, found) in self._found.items() if at >= when}

    def sync_published(self) -> None:
        """Note that a sync is published, which has also decided about the changes that were held."""
        self._guard.sync_published()
        self._holding = False

    def metrics(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """Yield the counters of events and hints: (metric, label values, count)."""
        for metric, counts in (("events_total", self._webhook.counts), ("hints_total", self._queue.counts)):
            yield from ((metric, (self._source, result), float(count)) for result, count in sorted(counts.items()))
        yield "hints_seconds_total", (self._source,), self._queue.seconds

    def _hinted(self, key: ResourceId) -> bool:
        """Read a resource that may have changed, if it is in scope. Return False if it is not.

        Before the first sync, the scope is not known. Then the hint waits for that sync, unless there is saved data of
        the subscription.
        """
        covered = self._remote.covers(key)
        if covered or (covered is None and subscription(key) in self._had()):
            self._put(key, SteadyTime(time.monotonic()))
        elif covered is None:
            self._early[key] = SteadyTime(time.monotonic())
            self._early.move_to_end(key)
            if len(self._early) > WAITING:
                self._early.popitem(last=False)
        return covered is not False

    def _put(self, key: ResourceId, at: SteadyTime) -> None:
        """Queue a resource; for a NIC, queue its endpoint."""
        nics = self._had().get(subscription(key), Resources()).nics
        self._queue.put(next((nic.endpoint for nic in nics if nic.key == key and nic.endpoint), key), at)

    def _take_resource(self, key: ResourceId, found: Resources | None) -> None:
        """Take a resource as it is now. Without data of its subscription, the next sync decides."""
        part, had = subscription(key), self._had()
        if found and not found.endpoints and not found.vnets:  # a NIC alone: read its endpoint
            for nic in found.nics:
                if nic.endpoint and subscription(nic.endpoint) == part:
                    self._queue.put(nic.endpoint)
            return
        self._found[key] = SteadyTime(time.monotonic()), found
        self._found.move_to_end(key)
        while len(self._found) > WAITING:
            self._found.popitem(last=False)
        before = had.get(part)
        if before is None or (now := with_resource(before, key, found)) == before:
            return
        if why := self._guard.check(had, part, now):
            self._hold(why)
        else:
            self._take(part, now)

    def _hold(self, why: str) -> None:
        """Leave a deletion to the next sync, and start that sync at once."""
        self._queue.counts["held"] += 1
        if not self._holding:
            beyond = "further removals are held until a sync has decided about them"
            _log.warning("source %s: events would remove %s since the last sync; %s", self._source, why, beyond)
            self._sync()
        self._holding = True
