"""The HTTP server of the admin interface: its listeners, which requests they accept, and how errors look.

The interface itself is on loopback only. A browser can still be made to send requests to a loopback address under a
foreign name (DNS rebinding). Such a name appears in the Host header, so only our own names are accepted there (RFC 9110
§7.4).
"""

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resolver import http_listener
from resolver.admin.access.entrances import Entrance, HealthEntrance, LoopbackEntrance, UnixEntrance
from resolver.admin.paging import InvalidCursor
from resolver.admin.resources.model import Parameters
from resolver.admin.route import Context, Route
from resolver.admin.routes import ROUTES
from resolver.admin.view import View
from resolver.admin.zone_census import ZoneCensus
from resolver.admin_settings import AdminSettings
from resolver.host_port import HostPort
from resolver.http_protocol import MALFORMED_BODY, of_exception, problem
from resolver.process.sandbox.identity import group_number

LONGEST: Final = 1 << 16
"""The most octets of a body."""

_log = logging.getLogger(__name__)


def listeners(
    view: View, settings: AdminSettings, unix: socket.socket | None = None
) -> list[AbstractAsyncContextManager[None]]:
    """Return a context for each listener, which serves while it is open. DNS is served without them too.

    `unix`: the Unix socket, which listens already.
    """
    opened: list[AbstractAsyncContextManager[None]] = []
    if unix:
        ready = f"admin interface on {settings.socket}"
        app = unix_application(view, group_number(settings.group) if settings.group else None)
        opened.append(http_listener.serving(app, unix, "the admin socket", ready))
    if at := settings.listen:
        ready = f"admin interface on http://{at}"
        opened.append(http_listener.serving(application(view, at), at, "the admin interface", ready))
    if at := settings.health:
        ready = f"health and metrics on http://{at}"
        opened.append(http_listener.serving(health_application(view), at, "the listener for health checks", ready))
    return opened


def application(view: View, listen: HostPort) -> web.Application:
    """Return the application for the listener at `listen`."""
    return _application(view, ROUTES, LoopbackEntrance(), [_problems, _own_host(listen.host)])


def unix_application(view: View, group: int | None) -> web.Application:
    """Return the application for the Unix socket. No browser reaches it, so any Host will do."""
    return _application(view, ROUTES, UnixEntrance(group), [_problems])


def health_application(view: View) -> web.Application:
    """Return the application for the listener that everyone may ask, under any name."""
    return _application(view, [route for route in ROUTES if route.health], HealthEntrance(), [_problems])


def _application(
    view: View, routes: Sequence[Route], entrance: Entrance, middlewares: Sequence[Any]
) -> web.Application:
    app = web.Application(middlewares=middlewares, client_max_size=LONGEST)
    context = Context(view, ZoneCensus(view.estate))
    for route in routes:
        for path in (route.path, *route.aliases):
            if route.body:
                app.router.add_post(path, _behind(entrance, partial(_post, context, route, route.body)))
            else:
                app.router.add_get(path, _behind(entrance, partial(_get, context, route)))
    return app


def _behind(
    entrance: Entrance, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        entrance.identify(request)
        return await handler(request)

    return handle


async def _get(context: Context, route: Route, request: web.Request) -> web.StreamResponse:
    try:
        return await route.handler(context, request, route.parameters.model_validate(_query(request)))
    except ValidationError as error:
        raise web.HTTPBadRequest(text=_mistakes(error.errors())) from None
    except InvalidCursor as error:
        raise web.HTTPBadRequest(text=f"cursor: {error}") from None


async def _post(context: Context, route: Route, body: type[Parameters], request: web.Request) -> web.StreamResponse:
    # A page of another origin cannot send this content type without a CORS preflight, which fails here.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the content type of the body must be application/json")
    try:
        async with asyncio.timeout(http_listener.BODY):
            octets = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text="the body of the request took too long", headers={"Connection": "close"}
        ) from None
    try:
        return await route.handler(context, request, body.model_validate_json(octets))
    except ValidationError as error:
        raise web.HTTPBadRequest(text=_mistakes(error.errors())) from None


def _query(request: web.Request) -> dict[str, str]:
    """Return the query parameters of a request. Raises a 400 for a parameter that is given twice."""
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name in found:
            raise web.HTTPBadRequest(text=f"{name}: given twice")
        found[name] = value
    return found


def _mistakes(errors: Sequence[ErrorDetails]) -> str:
    return "; ".join(_mistake(error) for error in errors)


def _mistake(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: " + ("no such parameter" if error["type"] == "extra_forbidden" else error["msg"])


@web.middleware
async def _problems(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own type is private
    """Turn errors into problem details (RFC 9457), and forbid caching and guessing of content types."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        response = of_exception(error)
    except MALFORMED_BODY:
        response = problem(400, "the body is not valid HTTP")
    except ConnectionError:  # the client has gone
        raise
    except Exception:  # noqa: BLE001 - an error in one request must not end the server
        _log.exception("%s failed", request.path)
        response = problem(500)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _own_host(own: str) -> Any:  # noqa: ANN401 - a middleware; aiohttp's own type is private
    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - as above
        host = _host(request.headers.get("Host", ""))
        if host not in {own, "localhost"} and not _is_loopback(host):
            raise web.HTTPMisdirectedRequest(text="the Host header names neither a loopback address nor the listener")
        response: web.StreamResponse = await handler(request)
        return response

    return check


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host(header: str) -> str:
    """Return the host of a Host header (`HOST[:PORT]`), without brackets; empty for a malformed header."""
    match = _AUTHORITY.fullmatch(header)
    return (match[1] or match[2]).rstrip(".").lower() if match else ""


_AUTHORITY: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+))(?::[0-9]*)?")
