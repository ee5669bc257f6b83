"""A source of type `azure`: one whole sync after the other, and single resources in between.

What is read from where, and what a refusal means for the whole. A sync is complete, or it is an error; refuses to judge
what it changes (`guard`) and to know who follows it.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

import aiohttp

from resolver import settings
from resolver.sources.azure import advice, budget, graph, lists
from resolver.sources.azure.budget import Budget, Patience
from resolver.sources.azure.client import Client, Clock, Failed
from resolver.sources.azure.credential import NoToken, Tokens
from resolver.sources.azure.pages import Incomplete, Page, Pages
from resolver.sources.azure.privatedns import PrivateDns
from resolver.sources.reading import ReadError, Reading, Requests
from zones.azure.clouds import CLOUDS
from zones.azure.resource import Resources, resource_id, subscription

LONGEST: Final = 900.0
"""Seconds that a sync may take."""
WAITING: Final = 300.0
"""Seconds of these that answers 429 may cost."""
_ONE_WAITING: Final = 30.0  # seconds that they may cost a single resource
_AT_ONCE: Final = 8  # subscriptions whose lists are read at the same time
_GRAPH_IS_OUT: Final = frozenset((0, 401, 403, 404, 405, 501))

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Azure:
    """One source. `http` is a session of `hosts`; a `Remote`."""

    def __init__(
        self,
        source: settings.SourceSettings,
        http: aiohttp.ClientSession,
        clock: Clock = Clock(),  # noqa: B008 - functions, which nobody changes
        chance: Callable[[], float] = random.random,
    ) -> None:
        assert source.azure is not None  # noqa: S101 - what its type means
        self._name = source.name
        self._config = source.azure
        cloud = CLOUDS[source.azure.cloud]
        self._tokens = Tokens(source.azure.credential, cloud, http)
        self._budget = Budget()
        self._client = Client(http, source.azure.management, self._tokens, self._budget, clock)
        self._private: PrivateDns | None = None
        if source.azure.private_dns != "off":
            allowed = Budget()
            asking = Client(http, source.azure.management, self._tokens, allowed, clock)
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
        """Read all of it. Raises nothing."""
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
        except (Failed, Incomplete, NoToken) as error:
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

    async def _by_graph(self, patience: Patience) -> list[Page] | None:
        """None where Resource Graph does not answer."""
        try:
            pages = await graph.read(self._client, self._scope, self._pages, patience)
        except Failed as error:
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

    async def _by_lists(self, patience: Patience) -> tuple[list[Page], dict[str, str]]:
        """The pages of all subscriptions that may be read, and why others may not, which leave the scope."""
        room = asyncio.Semaphore(_AT_ONCE)
        refused: dict[str, str] = {}

        async def one(name: str) -> list[Page]:
            async with room:
                try:
                    return await lists.read(self._client, name, self._pages, patience)
                except Failed as error:
                    if error.status not in {403, 404}:
                        raise
                    refused[name] = advice.reader(name) if error.status == 403 else f"it is gone: {error}"
                    return []

        found = await together(one(name) for name in self._scope)
        self._scope = [name for name in self._scope if name not in refused]
        return [page for pages in found for page in pages], refused

    # -- single resources

    def covers(self, key: str) -> bool | None:
        """The resource with this normalised id is in the scope: of the configuration, else of the last sync.

        None: no sync has told yet which subscriptions there are.
        """
        if resource_id(key) != key:
            return False
        scope = self._config.subscriptions or self._scope
        return subscription(key) in scope if scope else None

    async def read_one(self, key: str) -> Resources | None:
        """Read one resource by its normalised id, with an endpoint's NICs; None: there is none (404).

        Raises `ReadError` where that cannot be told.
        """
        try:
            if self.covers(key) is False:
                raise ReadError(f"{key}: its subscription is not one of this source's")
            async with asyncio.timeout(_ONE_WAITING * 2):
                return await lists.read_one(self._client, key, Patience(_ONE_WAITING))
        except TimeoutError:
            raise ReadError(f"{key}: no answer in time") from None
        except (Failed, Incomplete, NoToken, ValueError) as error:
            raise ReadError(str(error)) from None

    # -- how it is

    def interval(self) -> float:
        """Seconds until the next sync, jitter and stretching included."""
        return self._interval(self._chance())

    def _interval(self, chance: float) -> float:
        return budget.interval(float(self._config.interval), self._shortest, chance)

    def requests(self) -> Requests:
        """What its syncs cost, and reading its private DNS zones."""
        answered, per_hour = self._client.calls, self._calls * 3600 / self._interval(0.0)
        if self._private:
            answered, per_hour = answered + self._private.client.calls, per_hour + self._private.per_hour()
        return Requests(dict(answered), round(per_hour))

    @property
    def private(self) -> PrivateDns | None:
        """Its private DNS zones, as the last sync's subscriptions have them; None where they are not to be read."""
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
    """All of it at once; the first error ends the rest."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
