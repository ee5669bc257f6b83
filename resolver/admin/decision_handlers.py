"""Handlers for what operators decide: acknowledged findings."""

from datetime import datetime

from aiohttp import web

from resolver.admin.access.identity import IDENTITY
from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources import findings
from resolver.admin.resources.findings import AcknowledgeRequest, WithdrawRequest
from resolver.admin.responses import item_response
from resolver.admin.route import Context
from resolver.control.operator_decisions import TooManyDecisions
from resolver.process import wall_clock
from zones.clocks import WallTime


async def acknowledge(context: Context, request: web.Request, wanted: AcknowledgeRequest) -> web.Response:
    """Acknowledge a finding, or replace its acknowledgement."""
    key, now, board = request.match_info["id"], wall_clock.now(), context.estate.board
    finding = board.find(key)
    if finding is None:
        raise Refused(Code.UNKNOWN_FINDING, f"there is no finding `{key}`")
    before = board.acknowledgements.of(finding, now)
    try:
        made = context.view.decisions.acknowledge(
            finding, wanted.note, request[IDENTITY].name, _end(wanted.until, now), now
        )
    except TooManyDecisions as error:
        raise Refused(Code.LIMIT_REACHED, str(error)) from None
    except OSError as error:
        raise _unsaved(error) from None
    shown = [findings.acknowledgement(each).model_dump(include={"note", "until"}) for each in (before, made) if each]
    what = {"code": finding.code, "subject": finding.subject}
    context.audit(request, "finding.acknowledge", key, shown[0] if before else {}, {**what, **shown[-1]})
    return item_response(findings.finding(board, finding, now))


async def withdraw(context: Context, request: web.Request, _: WithdrawRequest) -> web.Response:
    """Remove the acknowledgement of a finding, which need not be current."""
    key = request.match_info["id"]
    try:
        removed = findings.acknowledgement(context.view.decisions.withdraw(key))
    except KeyError:
        raise Refused(Code.UNKNOWN_FINDING, f"no finding `{key}` is acknowledged") from None
    except OSError as error:
        raise _unsaved(error) from None
    context.audit(request, "finding.withdraw", key, removed.model_dump(include={"note", "until"}), {})
    return item_response(removed)


def _end(until: datetime | None, now: WallTime) -> WallTime | None:
    """Return the end of a decision. Raises `Refused` for an end in the past."""
    if until is None:
        return None
    end = WallTime(until.timestamp())
    if end <= now:
        raise Refused(Code.INVALID_BODY, "until: this time has passed")
    return end


def _unsaved(error: OSError) -> Refused:
    return Refused(Code.STATE_UNWRITABLE, f"the decision cannot be saved: {error.strerror or error}")
