"""Handlers for the sources of endpoints and their syncs."""

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.filters import chosen, page_request
from resolver.admin.paging import SortKey, page
from resolver.admin.resources import sources
from resolver.admin.resources.model import Parameters, nearest, no_such
from resolver.admin.resources.sources import SourceParameters, SyncRequest
from resolver.admin.responses import encoded, item_response, list_response
from resolver.admin.route import Context
from resolver.control.guard.sync_state import NothingHeld
from resolver.process import wall_clock


async def list_sources(context: Context, request: web.Request, asked: SourceParameters) -> web.Response:
    """Answer with the sources, sorted by name."""
    found, now = context.estate.sources, wall_clock.now()
    names = chosen("name", asked.name, found)

    def key(name: str) -> SortKey | None:
        wanted = names is None or name in names
        return (name,) if wanted and (not asked.state or sources.has_state(found[name], asked.state, now)) else None

    def shown(name: str) -> bytes | None:
        return encoded(sources.source(context.estate, found[name], wall_clock.now()))

    return list_response(await page(found, key, shown, page_request(request, asked)))


async def get_source(context: Context, request: web.Request, _: Parameters) -> web.Response:
    """Answer with one source."""
    status = context.estate.sources.get(request.match_info["name"])
    if status is None:
        raise unknown_source(context, request)
    return item_response(sources.source(context.estate, status, wall_clock.now()))


def unknown_source(context: Context, request: web.Request) -> Refused:
    """Return the refusal of a source that does not exist, with those that are nearest."""
    name = request.match_info["name"]
    near = nearest(name, context.estate.sources)
    return Refused(Code.UNKNOWN_SOURCE, no_such("source", name, near), nearest=near)


async def sync(context: Context, request: web.Request, wanted: SyncRequest) -> web.Response:
    """Sync a source now, or accept or drop its held sync."""
    name = request.match_info["name"]
    status = context.estate.sources.get(name)
    if status is None:
        raise unknown_source(context, request)
    was_held = bool(status.sync_state.held)
    end = None
    try:
        if wanted.wait:
            end = await context.view.synced(name, wanted.wait)
        else:
            context.view.sync(name, wanted.action)
    except NothingHeld:
        raise Refused(Code.NOTHING_HELD, f"source `{name}` has no held sync to {wanted.action}") from None
    after = {"held": bool(status.sync_state.held)} | ({"outcome": end.outcome, "names": end.names} if end else {})
    context.audit(request, f"sync.{wanted.action}", name, {"held": was_held}, after)
    return item_response(sources.reply(context.estate, status, wall_clock.now(), end), status=202)
