"""What each path of the admin interface answers. One table, from which the application and its OpenAPI are made.

A GET changes nothing; what changes something is a POST. Hosts, errors and the listener are `app`'s.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, NamedTuple

from aiohttp import web
from pydantic import BaseModel

from resolver.admin import items, metrics, models, openapi
from resolver.admin.paging import Key, Page, page, slices
from resolver.admin.view import View
from resolver.channel.requests import FlushCache, ReadCacheStats
from resolver.control.guard.shrink_guard import NothingHeld
from resolver.version import VERSION
from resolver.wire import codes
from zones.claims.row import classes
from zones.dns.name import InvalidName, Name, from_text, is_under, labels, to_text
from zones.findings.finding import Finding
from zones.networks.network import EVERYBODY, Network

Handler = Callable[["Admin", web.Request, Any], Awaitable[web.Response]]


class Route(NamedTuple):
    """One path. `query`: its parameters; `returns`: the model of its answer, or of the items of a list."""

    path: str
    handler: Handler
    summary: str
    returns: type[models.Model] | None = None
    listed: bool = False
    query: type[models.Query] = models.Query
    problems: tuple[tuple[int, str], ...] = ()
    aliases: tuple[str, ...] = ()
    takes: type[BaseModel] | None = None
    """The model of the JSON that a POST brings; None: it is a GET."""
    status: int = 200
    """Of an answer that is no error."""


class Admin:
    """The handlers, over control as it is at each request."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._estate = view.estate
        self._zones: tuple[int, dict[Name, tuple[int, int]]] = (-1, {})
        """Of which serial, and each zone with how many names endpoints hold in it and the mask of who sees them."""

    # -- health

    async def livez(self, _: web.Request, __: models.Query) -> web.Response:
        """Whether control's loop turns and a worker answers."""
        if await self._view.ping():
            return _said(models.Alive())
        return problem(503, "no worker answers")

    async def readyz(self, _: web.Request, query: models.Verbose) -> web.Response:
        """Whether all data is there and applied."""
        missing = self._view.missing()
        details: dict[str, Any] = {"missing": missing} | items.degraded(self._estate)
        if query.verbose is not None:
            details |= {"sources": self._sources(), "workers": self._workers()}
        if not missing:
            return _said(models.Ready(**details), exclude_none=True)
        return _problem(models.NotReady(title="Not ready", status=503, detail="; ".join(missing), **details))

    async def metrics(self, request: web.Request, _: models.Query) -> web.Response:
        """The exposition that the scraper prefers."""
        body, content_type = metrics.expose(self._view, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    # -- the daemon

    async def status(self, _: web.Request, __: models.Query) -> web.Response:
        """The daemon in one look."""
        missing, now = self._view.missing(), time.time()
        return _said(
            models.Status(
                version=VERSION, started=items.time(self._view.started), uptime=round(now - self._view.started, 3),
                serial=self._view.serial, ready=not missing, missing=missing,
                workers=self._workers(), sources=self._sources(), counts=items.counts(self._estate),
                **items.degraded(self._estate),
            )
        )  # fmt: skip

    def _workers(self) -> list[models.Worker]:
        return [
            models.Worker(
                index=worker.index, pid=worker.pid, connected=worker.connected, synced=worker.synced,
                serial=worker.serial,
            )
            for worker in self._view.workers.values()
        ]  # fmt: skip

    def _sources(self) -> list[models.Source]:
        return [items.source(status, time.time()) for status in self._estate.sources.values()]

    # -- the estate

    async def endpoints(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """Endpoints by id."""

        def shown(key: str) -> bytes | None:
            return _json(items.endpoint(self._estate, key))

        return _listed(await page(self._estate.ledger.endpoints, lambda key: (key,), shown, query.limit, query.cursor))

    async def networks(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """Networks by name."""
        now = [EVERYBODY] if self._estate.networks.implicit else self._estate.networks.now

        def shown(network: Network) -> bytes | None:
            return _json(items.network(self._estate, network))

        return _listed(await page(now, lambda network: (network.name,), shown, query.limit, query.cursor))

    async def zones(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """Zones in canonical order."""
        held = await self._held()
        origins = held.keys() | self._estate.static.keys() | self._estate.policies.named

        def shown(origin: Name) -> bytes | None:
            return _json(items.zone(self._estate, origin, *held.get(origin, (0, 0))))

        return _listed(await page(origins, _canonical, shown, query.limit, query.cursor))

    async def records(self, request: web.Request, query: models.ListQuery) -> web.Response:
        """Names of one zone in canonical order."""
        zone = _name(request.match_info["zone"])
        file = self._estate.static.get(zone)
        if not file and zone not in self._estate.policies.named and zone not in await self._held():
            raise web.HTTPNotFound(text=f"{to_text(zone)} is no zone that is answered here")

        def key(name: Name) -> Key | None:
            inside = name.endswith(zone) and is_under(name, zone) and items.zone_of(self._estate, name) == zone
            return _canonical(name) if inside else None

        def shown(name: Name) -> bytes | None:
            return _json(items.record(self._estate, name, time.time()))

        names = dict.fromkeys([*self._estate.ledger.rows, *(file.names if file else ())])
        return _listed(await page(names, key, shown, query.limit, query.cursor))

    async def _held(self) -> dict[Name, tuple[int, int]]:
        """Zones that endpoints' names are in: counted in slices, once for each state."""
        serial, held = self._zones
        if serial == self._view.serial:
            return held
        serial, held = self._view.serial, {}
        ledger, masks = self._estate.ledger, self._estate.ledger.classes.masks
        for names in slices(list(ledger.rows)):
            for name in names:
                zone, row = items.zone_of(self._estate, name), ledger.rows.get(name)
                file = self._estate.static.get(zone) if zone else None
                if zone and row and not (file and name in file.names):
                    count, mask = held.get(zone, (0, 0))
                    for number in classes(row):
                        mask |= masks[number]
                    held[zone] = count + 1, mask
            await asyncio.sleep(0)
        self._zones = serial, held
        return held

    async def claims(self, _: web.Request, query: models.ClaimQuery) -> web.Response:
        """All claims on one name."""
        return _said(items.claims(self._estate, _name(query.name), time.time()))

    async def sources(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """Sources by name."""
        found = self._estate.sources

        def shown(name: str) -> bytes | None:
            return _json(items.source(found[name], time.time()))

        return _listed(await page(found, lambda name: (name,), shown, query.limit, query.cursor))

    async def sync(self, request: web.Request, wanted: models.Sync) -> web.Response:
        """Do what an operator says of a remote source."""
        name = request.match_info["name"]
        status = self._estate.sources.get(name)
        if status is None:
            raise web.HTTPNotFound(text=f"there is no source `{name}`")
        if not status.remote:
            raise web.HTTPConflict(
                text=f"source `{name}` is of the type `{status.type}`: it is watched, and has no syncs"
            )
        try:
            self._view.sync(name, wanted.action)
        except NothingHeld:
            raise web.HTTPConflict(text=f"no sync of source `{name}` is held: nothing to {wanted.action}") from None
        return _said(items.source(status, time.time()), status=202)

    async def findings(self, _: web.Request, query: models.FindingQuery) -> web.Response:
        """Findings, the gravest first."""
        board, now = self._estate.board, time.time()

        def key(fact: Finding) -> Key | None:
            wanted = query.code in {None, fact.code} and query.severity in {None, fact.severity}
            return items.gravest_first(fact) if wanted else None

        def shown(fact: Finding) -> bytes | None:
            return _json(items.finding(board, fact, now))

        return _listed(await page(board, key, shown, query.limit, query.cursor))

    async def fallbacks(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """Names that fell back to an upstream, by zone, name and network."""
        return _listed(
            await page(
                self._view.fallbacks(),
                lambda item: (to_text(item.zone), to_text(item.name), item.network),
                lambda item: _json(items.fallback(item)), query.limit, query.cursor,
            )
        )  # fmt: skip

    async def cache(self, _: web.Request, query: models.ListQuery) -> web.Response:
        """The caches of the workers."""
        told = await self._view.ask_workers(ReadCacheStats())
        found = {index: each for index, each in told.items() if each}

        def shown(index: int) -> bytes | None:
            return _json(items.cache(index, found[index]))

        return _listed(await page(found, lambda index: (f"{index:05}",), shown, query.limit, query.cursor))

    async def flush(self, _: web.Request, wanted: models.Flush) -> web.Response:
        """Forget what upstreams said, in all workers."""
        try:
            rtype = None if wanted.type is None else codes.type_number(wanted.type)
        except ValueError:
            raise web.HTTPBadRequest(text=f"type: {wanted.type} is no type of records") from None
        told = await self._view.ask_workers(FlushCache(_name(wanted.name), wanted.subtree, rtype))
        return _said(
            models.Flushed(
                flushed=sum(each.replies for each in told.values() if each),
                silent=sorted(index for index, each in told.items() if each is None),
            )
        )

    async def openapi(self, _: web.Request, __: models.Query) -> web.Response:
        """This interface, described."""
        return web.json_response(openapi.document(ROUTES))


ROUTES: Final = (
    Route(
        "/livez", Admin.livez, "Control's loop turns and a worker answers.", models.Alive,
        problems=((503, "No worker answers."),), aliases=("/health",),
    ),
    Route(
        "/readyz", Admin.readyz, "All sources have given data, and every worker has applied it.", models.Ready,
        query=models.Verbose, problems=((503, "Something is missing."),), aliases=("/ready",),
    ),
    Route("/metrics", Admin.metrics, "Metrics in the Prometheus or OpenMetrics text format."),
    Route("/v1/status", Admin.status, "The daemon in one look.", models.Status),
    Route(
        "/v1/endpoints", Admin.endpoints, "Private endpoints by id, served or not.", models.Endpoint,
        listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/networks", Admin.networks, "Networks by name: whose clients, what they see, and where that comes from.",
        models.Network, listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/zones", Admin.zones, "Zones that are answered, in canonical order.", models.Zone,
        listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/zones/{zone}/records", Admin.records, "Names of one zone in canonical order, with their answers.",
        models.Record, listed=True, query=models.ListQuery, problems=((404, "No such zone."),),
    ),
    Route(
        "/v1/claims", Admin.claims, "Every claim on a name, and what was made of them.", models.Claims,
        query=models.ClaimQuery,
    ),
    Route(
        "/v1/findings", Admin.findings, "Findings, the gravest first.", models.Finding,
        listed=True, query=models.FindingQuery,
    ),
    Route(
        "/v1/sources", Admin.sources, "Where endpoints come from, and how that is.", models.Source,
        listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/sources/{name}/sync", Admin.sync, "Sync now; accept or drop the sync that is held.", models.Source,
        takes=models.Sync, status=202,
        problems=(
            (404, "No such source."), (409, "No sync is held, or the source has none."), (415, "The body is not JSON."),
        ),
    ),
    Route(
        "/v1/fallbacks", Admin.fallbacks, "Names inside private zones that an upstream was asked for.",
        models.Fallback, listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/cache", Admin.cache, "What each worker has of upstream answers.", models.Cache,
        listed=True, query=models.ListQuery,
    ),
    Route(
        "/v1/cache", Admin.flush, "Forget what upstreams said of a name.", models.Flushed, takes=models.Flush,
        problems=((415, "The body is not JSON."),),
    ),
    Route("/v1/openapi.json", Admin.openapi, "This interface as OpenAPI 3.1."),
)  # fmt: skip


def problem(status: int, detail: str | None = None) -> web.Response:
    """An error as RFC 9457 has it."""
    title = web.Response(status=status).reason or "Error"
    return _problem(models.Problem(title=title, status=status, detail=detail))


def _problem(body: models.Problem) -> web.Response:
    return web.Response(
        body=body.model_dump_json(exclude_none=True).encode(), status=body.status,
        content_type="application/problem+json",
    )  # fmt: skip


def _said(body: models.Model, *, exclude_none: bool = False, status: int = 200) -> web.Response:
    text = body.model_dump_json(exclude_none=exclude_none)
    return web.Response(body=text.encode(), status=status, content_type="application/json")


def _listed(found: Page) -> web.Response:
    return web.Response(body=found.encode(), content_type="application/json")


def _json(item: models.Model | None) -> bytes | None:
    return None if item is None else item.model_dump_json().encode()


def _name(text: str) -> Name:
    try:
        return from_text(text)
    except InvalidName as error:
        raise web.HTTPBadRequest(text=f"no domain name: {error}") from None


def _canonical(name: Name) -> Key:
    """RFC 4034 §6.1, as a cursor can hold it."""
    return tuple(label.decode("latin-1") for label in reversed(labels(name)))


def parameters(request: web.Request) -> Iterator[tuple[str, str]]:
    """The query's parameters. Raises a 400 for one that stands twice."""
    seen: set[str] = set()
    for name, value in request.query.items():
        if name in seen:
            raise web.HTTPBadRequest(text=f"{name}: stands twice")
        seen.add(name)
        yield name, value
