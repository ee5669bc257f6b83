"""Handlers for what a page shows first: who is asking, the overview, its stream, and the traffic of the last hour."""

import asyncio

from aiohttp import web

from resolver.admin.access import registry_callers
from resolver.admin.access.identity import IDENTITY
from resolver.admin.resources import access
from resolver.admin.resources.access import WhoAmI
from resolver.admin.resources.model import Parameters
from resolver.admin.resources.overview import traffic_history
from resolver.admin.responses import EVENT_STREAM, QUIET, item_response, stream_response
from resolver.admin.route import Context
from resolver.http_protocol import Response


async def whoami(context: Context, request: web.Request, __: Parameters) -> web.Response:
    """Answer with the identity of the request, and its role."""
    identity, registry = request[IDENTITY], context.estate.settings.registry
    roles = registry_callers.caller(identity, registry).roles if registry else None
    return item_response(
        WhoAmI(
            name=identity.name, role=identity.role.value, proven=identity.is_proven,
            session=identity.is_proven and "Authorization" not in request.headers and context.sessions.has(request),
            registry=access.registry_roles(roles),
        )
    )  # fmt: skip


async def get_overview(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer with the overview, which may be two seconds old."""
    return Response(body=context.live.present(), content_type="application/json")


async def get_traffic(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer with the traffic of the last hour."""
    return item_response(traffic_history(list(context.view.traffic_points)))


async def stream_overview(context: Context, request: web.Request, _: Parameters) -> web.StreamResponse:
    """Answer with the overview at once, and with each one after it, as server-sent events."""
    if request.method == "HEAD":
        return Response(content_type=EVENT_STREAM)
    response = stream_response()
    with context.pages.counted(), context.live.watching():
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        body = context.live.present()
        while True:
            await response.write(b"event: overview\ndata: %b\n\n" % body)
            async with asyncio.timeout(QUIET):
                body = await context.live.next()
