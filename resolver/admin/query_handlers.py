"""The handler that streams live queries."""

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from resolver.admin.resources.queries import QueryParameters, query_filter, query_item
from resolver.admin.route import Context
from resolver.http_protocol import Response, StreamResponse

STREAMS: Final = 16
"""Most streams at a time: each one holds a connection of the listener."""
_HEADERS: Final = {
    "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
}  # fmt: skip
_QUIET: Final = 15.0
"""Seconds without a query until a comment shows that the connection is open."""


async def stream_queries(context: Context, request: web.Request, asked: QueryParameters) -> web.StreamResponse:
    """Answer with queries as server-sent events, as they are answered. The event `dropped` counts those left out."""
    networks = frozenset(context.estate.networks.names) | {"none"}
    wanted = query_filter(asked, networks)
    if request.method == "HEAD":
        return Response(content_type="text/event-stream")
    if context.streams.count >= STREAMS:
        raise web.HTTPServiceUnavailable(text=f"{STREAMS} event streams are open, which is the most")
    response = StreamResponse(headers=_HEADERS)
    with context.streams.counted(), context.view.tails.watching(wanted) as tail:
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        while True:
            try:
                async with asyncio.timeout(_QUIET):
                    dropped, queries = await tail.next()
            except TimeoutError:
                await response.write(b": no queries\n\n")
                continue
            lines = [b'event: dropped\ndata: {"count":%d}\n\n' % dropped] if dropped else []
            for query in queries:
                with contextlib.suppress(ValueError, IndexError):  # workers are not trusted
                    lines.append(b"event: query\ndata: %b\n\n" % query_item(query).model_dump_json().encode())
            await response.write(b"".join(lines))
