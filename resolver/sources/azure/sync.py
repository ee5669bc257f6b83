"""A source of type `azure`: reads whole syncs, and single resources between them.

Decides which API is read and what a refusal means for the sync. A sync is complete or an error. Does not decide what a
sync may change (`control.guard` does), nor when to sync.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

import aiohttp

from resolver import settings
from resolver.sources.azure import graph, lists
from resolver.sources.azure.client import Clocks, ManagementClient, RequestFailed
from resolver.sources.azure.credential import NoToken, Tokens
from resolver.sources.azure.private_dns import PrivateDns
from resolver.sources.azure.protocol import advice, budget
from resolver.sources.azure.protocol.budget import Budget, Patience
from resolver.sources.azure.protocol.pages import Incomplete, Pages, ResourcePage
from resolver.sources.reading import ReadError, Reading, Requests
from zones.azure.clouds import CLOUDS
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources, resource_id, subscription

LONGEST: Final = 900.0
"""Seconds that a sync may take."""
WAITING: Final = 300.0
"""Seconds of a sync that may be spent on waiting after 429 responses."""
_ONE_WAITING: Final = 30.0  # the same for reading a single resource
_AT_ONCE: Final = 8  # subscriptions whose lists are read at the same time
_GRAPH_IS_OUT: Final = frozenset((0, 401, 403, 404, 405, 501))  # after these, and after 5xx, lists are read instead

_log = logging.getLogger(__name__)
T = TypeVar("T")


class AzureSource:
    """One source of type `azure`, as a `RemoteSource`. `http` is a session that `hosts.session` has opened."""

    def __init__(
        self,
        source: settings.SourceSettings,
        http: aiohttp.ClientSession,
        clock: Clocks = Clocks(),  # noqa: B008 - immutable
        chance: Callable[[], float] = random.random,
    ) -> None:
        assert source.azure is not None  # noqa: S101 - a source of this type has it
        self._name = source.name
        self._config = source.azure
        cloud = CLOUDS[source.azure.cloud]
        self._tokens = Tokens(source.azure.credential, cloud, http)
        self._budget = Budget()
        self._client = ManagementClient(http, source.azure.management, self._tokens, self._budget, clock)
        self._private: PrivateDns | None = None
        if source.azure.private_dns != "off":
            allowed = Budget()
            asking = ManagementClient(http, source.azure.management, self._tokens, allowed, clock)
            self._private = PrivateDns(asking, allowed, lambda: self._scope, chance)
        self._chance = chance
        self._pages = Pages()
        self._syncing = asyncio.Lock()
        self._graph_answers = True
        self._scope: list[str] = []
        self._calls = 0
        self._shortest = 0.0

    async def close(self) -> None:
        """Forget the tokens."""
        await self._tokens.close()

    # -- syncs

    async def read(self) -> Reading:
        """Read the whole source. Raises nothing."""
        async with self._syncing:
            self._budget.begin()
            reading = await self._whole()
            self._calls, self._shortest = self._budget.spent(), self._budget.shortest()
        return reading

    async def _whole(self) -> Reading:
        try:
            async with asyncio.timeout(LONGEST):
                return await self._read(Patience(WAITING))
        except TimeoutError:
            return Reading(error=f"a sync took more than {LONGEST:.0f} s")
        except (RequestFailed, Incomplete, NoToken) as error:
            return Reading(error=str(error))

    async def _read(self, patience: Patience) -> Reading:
        readable = await lists.subscriptions(self._client, patience)
        wanted = self._config.subscriptions or tuple(readable)
        refused = {name: advice.unlisted(name) for name in wanted if name not in readable}
        self._scope = [name for name in wanted if name not in refused]
        if not self._scope:
            return Reading(refused=refused, error=_nothing(refused))
        self._pages.begin()
        pages = await self._by_graph(patience)
        if pages is None:
            pages, more = await self._by_lists(patience)
            refused |= more
        if not self._scope:
            return Reading(refused=refused, error=_nothing(refused))
        parts = await asyncio.to_thread(self._pages.together, pages, self._scope)
        return Reading(parts=parts, refused=refused)

    async def _by_graph(self, patience: Patience) -> list[ResourcePage] | None:
        """Return all pages from Resource Graph; None where it does not answer."""
        try:
            pages = await graph.read(self._client, self._scope, self._pages, patience)
        except RequestFailed as error:
            if error.status not in _GRAPH_IS_OUT and error.status < 500:
                raise
            if self._graph_answers:
                _log.warning("source %s: Resource Graph does not answer, so lists are read: %s", self._name, error)
            self._graph_answers = False
            return None
        if not self._graph_answers:
            _log.info("source %s: Resource Graph answers again", self._name)
        self._graph_answers = True
        return pages

    async def _by_lists(self, patience: Patience) -> tuple[list[ResourcePage], dict[str, str]]:
        """Return the pages of all readable subscriptions, and the reason for each other one.

        The others leave the scope.
        """
        room = asyncio.Semaphore(_AT_ONCE)
        refused: dict[str, str] = {}

        async def one(name: str) -> list[ResourcePage]:
            async with room:
                try:
                    return await lists.read(self._client, name, self._pages, patience)
                except RequestFailed as error:
                    if error.status not in {403, 404}:
                        raise
                    refused[name] = advice.reader(name) if error.status == 403 else f"it no longer exists: {error}"
                    return []

        found = await together(one(name) for name in self._scope)
        self._scope = [name for name in self._scope if name not in refused]
        return [page for pages in found for page in pages], refused

    # -- single resources

    def covers(self, key: ResourceId) -> bool | None:
        """Return True where the resource with this normalised id is in scope of the configuration or of the last sync.

        Return None before the first sync, when neither names the subscriptions.
        """
        if resource_id(key) != key:
            return False
        scope = self._config.subscriptions or self._scope
        return subscription(key) in scope if scope else None

    async def read_one(self, key: ResourceId) -> Resources | None:
        """Return one resource by its normalised id, an endpoint with its NICs; None where it does not exist (404).

        Raises `ReadError` where AzureSource does not say whether it exists.
        """
        try:
            if self.covers(key) is False:
                raise ReadError(f"{key}: its subscription is not one of this source's")
            async with asyncio.timeout(_ONE_WAITING * 2):
                return await lists.read_one(self._client, key, Patience(_ONE_WAITING))
        except TimeoutError:
            raise ReadError(f"{key}: no answer in time") from None
        except (RequestFailed, Incomplete, NoToken, ValueError) as error:
            raise ReadError(str(error)) from None

    # -- pace and cost

    def interval(self) -> float:
        """Return the seconds until the next sync, with jitter, longer where the quota asks for it."""
        return self._interval(self._chance())

    def _interval(self, chance: float) -> float:
        return budget.interval(float(self._config.interval), self._shortest, chance)

    def requests(self) -> Requests:
        """Return the requests of syncs and of reading private DNS zones."""
        answered, per_hour = self._client.calls, self._calls * 3600 / self._interval(0.0)
        if self._private:
            answered, per_hour = answered + self._private.client.calls, per_hour + self._private.per_hour()
        return Requests(dict(answered), round(per_hour))

    @property
    def private(self) -> PrivateDns | None:
        """The private DNS zones in the subscriptions of the last sync; None where the configuration has them off."""
        return self._private


def _nothing(refused: Mapping[str, str]) -> str:
    if not refused:
        return (
            "the identity can read no subscription: give it the role Reader on the subscriptions "
            "or on a management group; is it of the right tenant?"
        )
    name, why = next(iter(refused.items()))
    return f"none of its {len(refused)} subscriptions can be read; {name}: {why}"


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all of the work at the same time and return the results in order. The first error cancels the rest."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
