"""Handlers for changes of the running daemon itself that a restart undoes: draining, and the log level."""

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources import running
from resolver.admin.resources.model import Parameters, time_text
from resolver.admin.resources.running import DrainItem, DrainRequest, LogLevelItem, LogLevelRequest
from resolver.admin.responses import item_response
from resolver.admin.route import Context
from resolver.process import wall_clock
from zones.clocks import WallTime


async def drain(context: Context, request: web.Request, wanted: DrainRequest) -> web.Response:
    """Begin or end to report that the daemon is not ready. Queries are answered as before."""
    view = context.view
    before, view.draining = view.draining, wanted.draining
    context.audit(request, "drain", "pldns", {"draining": before}, {"draining": view.draining})
    return item_response(DrainItem(draining=view.draining))


async def get_log_level(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer with the log level in effect."""
    return item_response(running.log_level(context.view.log_level))


async def set_log_level(context: Context, request: web.Request, wanted: LogLevelRequest) -> web.Response:
    """Have all processes log at a level for some time."""
    present = context.view.log_level
    before = present.level
    try:
        present.request(wanted.level, wanted.seconds)
    except OSError:
        raise Refused(Code.NO_SUPERVISOR, "the supervisor does not answer") from None
    context.audit(request, "log-level", "pldns", {"level": before}, wanted.model_dump())
    until = None
    if wanted.level != present.configured:
        until = time_text(WallTime(wall_clock.shown(wall_clock.now()) + wanted.seconds))
    return item_response(LogLevelItem(level=wanted.level, configured=present.configured, until=until), status=202)
