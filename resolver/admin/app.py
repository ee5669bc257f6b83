"""The HTTP server of the admin interface: its listeners, which requests they accept, and how errors look.

Does not know who may do what (`access`), or what a route does.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

from aiohttp import web
from msgspec import structs
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resolver import http_listener
from resolver.admin import conditional, hub_handler
from resolver.admin.access.audit import AuditLog
from resolver.admin.access.bearer import BearerTokens
from resolver.admin.access.certificate import Certificate
from resolver.admin.access.entrances import Entrance, HealthEntrance, NetworkEntrance, UnixEntrance
from resolver.admin.access.identity import IDENTITY
from resolver.admin.access.oidc import OidcTokens
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.sessions import Sessions
from resolver.admin.access.tokens import Tokens
from resolver.admin.live import Live
from resolver.admin.map_census import MapCensus
from resolver.admin.overview import overview
from resolver.admin.own_hosts import OwnHosts
from resolver.admin.paging import InvalidCursor
from resolver.admin.resources.model import UNKNOWN_VALUE, Parameters, hint, nearest, no_such
from resolver.admin.route import Context, Route
from resolver.admin.routes import ROUTES
from resolver.admin.view import View
from resolver.admin.zone_census import ZoneCensus
from resolver.admin_settings import AdminSettings
from resolver.host_port import HostPort
from resolver.http_protocol import MALFORMED_BODY, of_exception, problem
from resolver.hub_settings import HubSettings
from resolver.process import wall_clock
from resolver.process.sandbox.identity import group_number
from resolver.registry.model.access import Caller

LONGEST: Final = 1 << 16
"""The most octets of a body."""
Pages = Callable[[Context, NetworkEntrance, OwnHosts], Iterable[web.RouteDef]]
"""Returns what a listener serves besides the routes: what browsers show."""

_log = logging.getLogger(__name__)


def no_pages(_: Context, __: NetworkEntrance, ___: OwnHosts) -> Iterable[web.RouteDef]:
    """Return nothing."""
    return ()


def listeners(
    context: Context, settings: AdminSettings, unix: socket.socket | None = None, pages: Pages = no_pages
) -> list[AbstractAsyncContextManager[None]]:
    """Return a context for each listener, which serves while it is open. DNS is served without them too.

    `unix`: the Unix socket, which listens already. `pages`: what the TCP listener serves to browsers.
    """
    view = context.view
    opened: list[AbstractAsyncContextManager[None]] = []
    if unix:
        ready = f"admin interface on {settings.socket}"
        app = unix_application(context, group_number(settings.group) if settings.group else None)
        opened.append(http_listener.serving(app, unix, "the admin socket", ready))
    if at := settings.listen:
        ready = f"admin interface on {'https' if settings.tls else 'http'}://{at}"
        tls = Certificate(settings.tls).context if settings.tls else None
        app = application(context, at, pages)
        opened.append(http_listener.serving(app, at, "the admin interface", ready, tls=tls))
    if at := settings.health:
        ready = f"health and metrics on http://{at}"
        app = health_application(context)
        opened.append(http_listener.serving(app, at, "the listener for health checks", ready))
    if view.hub and (hub := view.estate.settings.hub):
        ready = f"hub on {'https' if hub.tls else 'http'}://{hub.listen}"
        tls = Certificate(hub.tls).context if hub.tls else None
        app = hub_application(context, hub)
        most = hub.followers + http_listener.CONNECTIONS
        opened.append(http_listener.serving(app, hub.listen, "the hub", ready, tls=tls, connections=most))
    return opened


def context_of(view: View) -> Context:
    """Return what all listeners share."""
    directory, state = view.estate.settings.state_directory, view.estate.state

    def failed(path: str, why: str | None) -> None:
        if why is None:
            state.written(path, wall_clock.now())
        else:
            state.failed(path, why, wall_clock.now())

    async def client(text: str) -> Caller | None:
        return await view.registry.client(text) if view.registry else None

    tokens = Tokens(directory)
    provider = OidcTokens(lambda: view.estate.settings)
    bearer = BearerTokens(lambda: view.estate.settings.admin, tokens, provider, client)
    live = Live(lambda: overview(view).model_dump_json().encode())
    return Context(view, ZoneCensus(view.estate), tokens, AuditLog(directory, failed), bearer, live, MapCensus(view))


def application(context: Context, listen: HostPort, pages: Pages = no_pages) -> web.Application:
    """Return the application for the TCP listener at `listen`. `pages`: what it serves besides the routes."""
    entrance = NetworkEntrance(lambda: context.estate.settings.admin, context.bearer, context.sessions)
    hosts = OwnHosts(listen.host, lambda: context.estate.settings.admin.hosts)
    app = _application(context, ROUTES, entrance, [_problems, hosts.check])
    app.add_routes(pages(context, entrance, hosts))
    return app


def hub_application(context: Context, hub: HubSettings) -> web.Application:
    """Return the application for spokes. Who may follow is decided as on the TCP listener of the admin interface."""

    def settings() -> AdminSettings:
        return structs.replace(context.estate.settings.admin, listen=hub.listen, tls=hub.tls)

    hosts = [OwnHosts(hub.listen.host, lambda: ()).check] if hub.listen.address.is_loopback else []
    entrance = NetworkEntrance(settings, context.bearer, Sessions())  # spokes are no browsers: nobody signs in
    return _application(context, [hub_handler.ROUTE], entrance, [_problems, *hosts])


def unix_application(context: Context, group: int | None) -> web.Application:
    """Return the application for the Unix socket. No browser reaches it, so any Host will do."""
    return _application(context, ROUTES, UnixEntrance(group), [_problems])


def health_application(context: Context) -> web.Application:
    """Return the application for the listener that everyone may ask, under any name."""
    return _application(context, [route for route in ROUTES if route.health], HealthEntrance(), [_problems])


def _application(
    context: Context, routes: Sequence[Route], entrance: Entrance, middlewares: Sequence[Any]
) -> web.Application:
    app = web.Application(middlewares=middlewares, client_max_size=LONGEST)
    for route in routes:
        for path in (route.path, *route.aliases):
            if route.body:
                app.router.add_post(path, partial(_post, context, entrance, route, route.body))
            else:
                app.router.add_get(path, partial(_get, context, entrance, route))
    return app


async def _get(context: Context, entrance: Entrance, route: Route, request: web.Request) -> web.StreamResponse:
    await _let_in(entrance, route, request)
    version = route.version(context, request) if route.version else None
    try:
        asked = route.parameters.model_validate(_query(request, route.parameters))
        response = await route.handler(context, request, asked)
    except ValidationError as error:
        raise _refused(route, error.errors()) from None
    except InvalidCursor as error:
        raise Refused(Code.INVALID_CURSOR, f"cursor: {error}") from None
    return conditional.answered(request, response, version) if route.has_tags else response


async def _post(
    context: Context, entrance: Entrance, route: Route, body: type[Parameters], request: web.Request
) -> web.StreamResponse:
    await _let_in(entrance, route, request)
    # A page of another origin cannot send this content type without a CORS preflight, which fails here.
    if request.content_type != "application/json":
        raise Refused(Code.NOT_JSON, "the content type of the body must be application/json")
    try:
        async with asyncio.timeout(http_listener.BODY):
            octets = await request.read()
    except TimeoutError:
        close = {"Connection": "close"}
        raise Refused(Code.BODY_TOO_SLOW, "the body of the request took too long", close) from None
    try:
        wanted = body.model_validate_json(octets, strict=True)  # else "1" would do for 1, and 1 for a time
    except ValidationError as error:
        raise Refused(Code.INVALID_BODY, _mistakes(error.errors())) from None
    conditional.check(request, route.version(context, request) if route.version else None)
    return await route.handler(context, request, wanted)


async def _let_in(entrance: Entrance, route: Route, request: web.Request) -> None:
    """Note who the request is from. Raises `Refused` for a role that is too low for the route."""
    if route.role is None:
        return
    identity = await entrance.identify(request)
    if not identity.role.includes(route.role):
        if identity.is_proven:
            needs = f"this needs the role `{route.role}`; {identity.name} has the role `{identity.role}`"
            raise Refused(Code.ROLE_TOO_LOW, needs)
        raise Refused(Code.TOKEN_MISSING, f"this needs the role `{route.role}`: {_WAYS_IN}")
    request[IDENTITY] = identity


_WAYS_IN: Final = (
    "use the Unix socket (`admin.socket`) as root, as the user of pldns or as a member of `admin.group`, or send a "
    "token (`pldns token new`)"
)


def _query(request: web.Request, parameters: type[Parameters]) -> dict[str, str | list[str]]:
    """Return the query parameters of a request. Raises `Refused` for one that is given twice and may not be."""
    found: dict[str, str | list[str]] = {}
    repeatable = parameters.repeatable()
    for name, value in request.query.items():
        if name in repeatable:
            found[name] = [*found.get(name, ()), value]
        elif name in found:
            raise Refused(Code.INVALID_PARAMETER, f"{name}: given twice")
        else:
            found[name] = value
    return found


def _refused(route: Route, errors: Sequence[ErrorDetails]) -> Refused:
    """Return the refusal of query parameters. What does not exist is named first, with what may be meant."""
    for error in errors:
        if error["type"] == "extra_forbidden":
            name = str(error["loc"][0])
            near = nearest(name, tuple(route.parameters.model_fields))
            return Refused(Code.UNKNOWN_PARAMETER, f"{name[:80]}: no such parameter{hint(near)}", nearest=near)
    for error in errors:
        if error["type"] == UNKNOWN_VALUE:
            said, near = error["ctx"]["said"], error["ctx"]["nearest"]
            return Refused(Code.UNKNOWN_VALUE, no_such(str(error["loc"][0]), said, near), nearest=near)
    return Refused(Code.INVALID_PARAMETER, _mistakes(errors))


def _mistakes(errors: Sequence[ErrorDetails]) -> str:
    return "; ".join(_mistake(error) for error in errors)


def _mistake(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    text = error["msg"].removeprefix("Value error, ")  # pydantic's prefix for a ValueError that our validators raise
    return f"{where}: " + ("no such parameter" if error["type"] == "extra_forbidden" else text)


@web.middleware
async def _problems(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own type is private
    """Turn errors into problem details (RFC 9457), and forbid caching and guessing of content types."""
    try:
        response: web.StreamResponse = await handler(request)
    except Refused as error:
        response = error.response()
    except web.HTTPException as error:
        response = of_exception(error)
    except MALFORMED_BODY:
        response = problem(400, "the body is not valid HTTP")
    except ConnectionError:  # the client has gone
        raise
    except Exception:  # noqa: BLE001 - an error in one request must not end the server
        _log.exception("%s failed", request.path)
        response = problem(500)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
