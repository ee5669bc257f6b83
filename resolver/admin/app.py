"""The admin HTTP server: who may ask, how errors look, and the listener.

Loopback only. A browser can be made to send requests to a loopback address under a foreign name (DNS rebinding); such
a name stands in the Host header, so only our own names are taken there (RFC 9110 §7.4).
"""

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from resolver.admin.paging import InvalidCursor
from resolver.admin.routes import ROUTES, Admin, Route, parameters, problem
from resolver.admin.view import View

_RETRY: Final = 1.0  # seconds; a control that was started anew may find the address taken for a moment
_DRAIN: Final = 0.5  # seconds for requests under way at the stop

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def serving(view: View, listen: str) -> AsyncIterator[None]:
    """Serve on `listen` (`address:port`) while the context is open.

    An address that cannot be had is logged and tried again: names are answered without an admin interface too.
    """
    runner = web.AppRunner(application(view, listen), access_log=None, shutdown_timeout=_DRAIN)
    await runner.setup()
    trying = None if await _listens(runner, listen) else asyncio.create_task(_keep_trying(runner, listen))
    try:
        yield
    finally:
        if trying:
            trying.cancel()
            await asyncio.wait([trying])
        await runner.cleanup()


async def _listens(runner: web.AppRunner, listen: str, *, again: bool = False) -> bool:
    host, port = _split(listen)
    site = web.TCPSite(runner, host, int(port or 0))
    try:
        await site.start()
    except OSError as error:
        await site.stop()
        if not again:
            reason = os.strerror(error.errno or 0).lower()
            _log.error("the admin interface cannot listen on %s: %s; trying again", listen, reason)
        return False
    _log.info("admin interface on http://%s", listen)
    return True


async def _keep_trying(runner: web.AppRunner, listen: str) -> None:
    while True:
        await asyncio.sleep(_RETRY)
        if await _listens(runner, listen, again=True):
            return


def application(view: View, listen: str) -> web.Application:
    """The application, for the listener at `listen`."""
    app = web.Application(middlewares=[_problems, _own_host(_split(listen)[0])])
    admin = Admin(view)
    for route in ROUTES:
        for path in (route.path, *route.aliases):
            if route.takes:
                app.router.add_post(path, partial(_change, admin, route, route.takes))
            else:
                app.router.add_get(path, partial(_handle, admin, route))
    return app


async def _handle(admin: Admin, route: Route, request: web.Request) -> web.Response:
    try:
        query = route.query.model_validate(dict(parameters(request)))
        return await route.handler(admin, request, query)
    except ValidationError as error:
        raise web.HTTPBadRequest(text="; ".join(_said(detail) for detail in error.errors())) from None
    except InvalidCursor as error:
        raise web.HTTPBadRequest(text=f"cursor: {error}") from None


async def _change(admin: Admin, route: Route, takes: type[BaseModel], request: web.Request) -> web.Response:
    if request.content_type != "application/json":  # a page of another origin cannot send this type without asking
        raise web.HTTPUnsupportedMediaType(text="the body must be of the type application/json")
    try:
        return await route.handler(admin, request, takes.model_validate_json(await request.read()))
    except ValidationError as error:
        raise web.HTTPBadRequest(text="; ".join(_said(detail) for detail in error.errors())) from None


def _said(detail: Any) -> str:  # noqa: ANN401 - pydantic's own
    where = ".".join(str(part) for part in detail["loc"])
    return f"{where}: " + ("no such parameter" if detail["type"] == "extra_forbidden" else detail["msg"])


@web.middleware
async def _problems(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own type is private
    """Errors as problem details (RFC 9457); nothing that is said here is to be kept or guessed at."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        plain = error.text == f"{error.status}: {error.reason}"
        response = problem(error.status, None if plain else error.text)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception:  # noqa: BLE001 - whatever it is, it is one request's
        _log.exception("%s failed", request.path)
        response = problem(500)
    response.headers["Server"] = "pldns"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _own_host(own: str) -> Any:  # noqa: ANN401 - a middleware; aiohttp's own type is private
    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - as above
        host = _split(request.headers.get("Host", ""))[0].rstrip(".").lower()
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


def _split(authority: str) -> tuple[str, str]:
    """Host and port of `HOST[:PORT]`, the brackets of IPv6 taken off; empty for anything else."""
    match = _AUTHORITY.fullmatch(authority)
    return (match[1] or match[2], match[3] or "") if match else ("", "")


_AUTHORITY: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+))(?::([0-9]*))?")
