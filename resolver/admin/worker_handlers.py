"""Handlers for what the workers hold: caches, upstream servers, and the names that no endpoint answered."""

from aiohttp import web

from resolver.admin import filters
from resolver.admin.access.client_addresses import ShownClients
from resolver.admin.access.problems import Code, Refused
from resolver.admin.filters import page_request
from resolver.admin.paging import SortKey, page
from resolver.admin.resources import workers
from resolver.admin.resources.model import ListParameters
from resolver.admin.resources.workers import FallbackParameters, FlushRequest, FlushResult, UpstreamParameters
from resolver.admin.responses import encoded, item_response, list_response, requested_name
from resolver.admin.route import Context
from resolver.channel.frames import Fallback
from resolver.channel.requests import FlushCache, ReadCacheStats, ReadUpstreams, UpstreamState
from resolver.process import wall_clock
from resolver.wire import codes
from zones.dns.name import to_text


async def list_fallbacks(context: Context, request: web.Request, asked: FallbackParameters) -> web.Response:
    """Answer with names that no endpoint answered, sorted by zone, name, network and reason."""
    zones, names = await filters.zones(context, asked.zone), filters.names(asked.name)
    networks = filters.networks(context.estate, asked.network)

    def key(item: Fallback) -> SortKey | None:
        wanted = (
            (zones is None or item.zone in zones)
            and (names is None or item.name in names)
            and (networks is None or item.network in networks)
            and (not asked.reason or item.reason in asked.reason)
        )
        return (to_text(item.zone), to_text(item.name), item.network, item.reason) if wanted else None

    clients = ShownClients(request)

    def shown(item: Fallback) -> bytes | None:
        return encoded(workers.fallback(item, clients.text))

    return list_response(await page(context.view.fallbacks(), key, shown, page_request(request, asked)))


async def list_caches(context: Context, request: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the caches of the workers that reply."""
    replies = await context.view.ask_workers(ReadCacheStats())
    found = {index: each for index, each in replies.items() if each}

    def shown(index: int) -> bytes | None:
        return encoded(workers.cache(index, found[index]))

    return list_response(await page(found, lambda index: (f"{index:05}",), shown, page_request(request, asked)))


async def list_upstreams(context: Context, request: web.Request, asked: UpstreamParameters) -> web.Response:
    """Answer with what the workers that reply know of each upstream server."""
    replies, now = await context.view.ask_workers(ReadUpstreams()), wall_clock.now()
    found = [(index, state) for index, each in replies.items() if each for state in each.servers]
    names = filters.chosen("name", asked.name, {name for _, each in found for name in (each.group, each.server)})

    def key(item: tuple[int, UpstreamState]) -> SortKey | None:
        index, state = item
        wanted = (names is None or state.group in names or state.server in names) and (
            not asked.state or ("up" if state.up else "down") in asked.state
        )
        return (state.group, state.server, f"{index:05}") if wanted else None

    return list_response(
        await page(found, key, lambda item: encoded(workers.upstream(*item, now)), page_request(request, asked))
    )


async def flush(context: Context, request: web.Request, wanted: FlushRequest) -> web.Response:
    """Remove upstream replies from the caches of all workers."""
    try:
        rtype = None if wanted.type is None else codes.type_number(wanted.type)
    except ValueError:
        raise Refused(Code.INVALID_BODY, f"type: {wanted.type} is not a record type") from None
    name = requested_name(wanted.name, Code.INVALID_BODY)
    replies = await context.view.ask_workers(FlushCache(name, wanted.subtree, rtype))
    result = FlushResult(
        flushed=sum(each.replies for each in replies.values() if each),
        silent=sorted(index for index, each in replies.items() if each is None),
    )
    scope = {"subtree": wanted.subtree, "type": wanted.type}
    context.audit(request, "cache.flush", to_text(name), scope, result.model_dump())
    return item_response(result)
