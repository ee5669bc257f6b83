"""The handler that streams live queries."""

import asyncio
import contextlib

from aiohttp import web
from msgspec import structs

from resolver.admin import filters
from resolver.admin.access.client_addresses import ShownClients
from resolver.admin.paging import slices
from resolver.admin.resources.queries import QueryParameters, query_filter, query_item
from resolver.admin.resources.query_origins import origin_of
from resolver.admin.responses import EVENT_STREAM, QUIET, stream_response
from resolver.admin.route import Context
from resolver.http_protocol import Response


async def stream_queries(context: Context, request: web.Request, asked: QueryParameters) -> web.StreamResponse:
    """Answer with queries as server-sent events, as they are answered. The event `dropped` counts those left out.

    Workers choose queries by all filters but `origin`, which needs the estate.
    """
    networks = filters.networks(context.estate, () if asked.network is None else (asked.network,))
    clients = ShownClients(request)
    wanted = structs.replace(query_filter(asked), network=next(iter(networks or ()), None))
    if wanted.client is not None:
        clients.check_filter(*wanted.client)
    if request.method == "HEAD":
        return Response(content_type=EVENT_STREAM)
    response = stream_response()
    with context.streams.counted(), context.view.tails.watching(wanted) as tail:
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        while True:
            try:
                async with asyncio.timeout(QUIET):
                    dropped, queries = await tail.next()
            except TimeoutError:
                await response.write(b": no queries\n\n")
                continue
            if dropped:
                await response.write(b'event: dropped\ndata: {"count":%d}\n\n' % dropped)
            for some in slices(queries):
                lines: list[bytes] = []
                for query in some:
                    with contextlib.suppress(ValueError, IndexError):  # workers are not trusted
                        origin = origin_of(context.estate, query)
                        if not asked.origin or origin in asked.origin:
                            item = query_item(query, origin, clients.text)
                            lines.append(b"event: query\ndata: %b\n\n" % item.model_dump_json().encode())
                if lines:
                    await response.write(b"".join(lines))
                await asyncio.sleep(0)
