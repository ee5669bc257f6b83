"""Versions of the resources that requests can change: a text for each state, the same for the same state.

A client that sends the tag made of a version (`If-Match`) changes only what it has seen.
"""

from aiohttp import web

from resolver.admin.route import Context
from resolver.admin.status_handlers import effective_configuration
from resolver.process import wall_clock
from zones.findings.acknowledgement import content_of


def configuration(context: Context, _: web.Request) -> str:
    """Return the version of the configuration in effect, zone files included."""
    return effective_configuration(context).model_dump_json()


def source(context: Context, request: web.Request) -> str:
    """Return the version of a source: of its data, and of its held sync."""
    status = context.estate.sources.get(request.match_info["name"])
    if status is None:
        return ""
    held = status.sync_state.held
    shown = (held.since, held.at, held.reasons, held.ids) if held else ()
    return repr((status.name, status.synced, status.last_success, status.parts, status.unreadable, shown))


def finding(context: Context, request: web.Request) -> str:
    """Return the version of a finding: of what it says, and of its acknowledgement."""
    key, board = request.match_info["id"], context.estate.board
    found, given = board.find(key), board.acknowledgements.given.get(key)
    ended = given is not None and given.has_ended(wall_clock.now())
    return repr((key, found and content_of(found), given, ended))


def pins(context: Context, _: web.Request) -> str:
    """Return the version of all pins."""
    now = wall_clock.now()
    return repr([each for each in context.estate.pins if not each.has_ended(now)])


def tokens(context: Context, _: web.Request) -> str:
    """Return the version of all tokens."""
    made = [(each.name, each.role, each.created, each.expires) for each in context.tokens.made.values()]
    return repr((made, [(each.name, each.role) for each in context.estate.settings.admin.tokens]))


def log_level(context: Context, _: web.Request) -> str:
    """Return the version of the log level."""
    return repr((context.view.log_level.level, context.view.log_level.configured))
