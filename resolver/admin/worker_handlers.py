"""Handlers for what the workers hold: caches, upstream servers, and the names that no endpoint answered."""

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import page
from resolver.admin.resources import workers
from resolver.admin.resources.model import ListParameters
from resolver.admin.resources.workers import FlushRequest, FlushResult
from resolver.admin.responses import encoded, item_response, list_response, requested_name
from resolver.admin.route import Context
from resolver.channel.requests import FlushCache, ReadCacheStats, ReadUpstreams
from resolver.wire import codes
from zones.dns.name import to_text


async def list_fallbacks(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with names that no endpoint answered, sorted by zone, name, network and reason."""
    return list_response(
        await page(
            context.view.fallbacks(),
            lambda item: (to_text(item.zone), to_text(item.name), item.network, item.reason),
            lambda item: encoded(workers.fallback(item)), asked.limit, asked.cursor,
        )
    )  # fmt: skip


async def list_caches(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the caches of the workers that reply."""
    replies = await context.view.ask_workers(ReadCacheStats())
    found = {index: each for index, each in replies.items() if each}

    def shown(index: int) -> bytes | None:
        return encoded(workers.cache(index, found[index]))

    return list_response(await page(found, lambda index: (f"{index:05}",), shown, asked.limit, asked.cursor))


async def list_upstreams(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with what the workers that reply know of each upstream server."""
    replies = await context.view.ask_workers(ReadUpstreams())
    found = [(index, state) for index, each in replies.items() if each for state in each.servers]
    return list_response(
        await page(
            found, lambda item: (item[1].group, item[1].server, f"{item[0]:05}"),
            lambda item: encoded(workers.upstream(*item)), asked.limit, asked.cursor,
        )
    )  # fmt: skip


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
