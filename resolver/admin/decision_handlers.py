"""Handlers for what operators decide: acknowledged findings, and pins."""

from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import structs

from resolver.admin import filters
from resolver.admin.access.identity import IDENTITY
from resolver.admin.access.problems import Code, Refused
from resolver.admin.filters import page_request
from resolver.admin.paging import SortKey, page
from resolver.admin.resources import findings, pins
from resolver.admin.resources.findings import AcknowledgeRequest, WithdrawRequest
from resolver.admin.resources.model import nearest, no_such
from resolver.admin.resources.pins import PinItem, PinParameters, PinRequest, UnpinRequest
from resolver.admin.responses import encoded, item_response, list_response, requested_name
from resolver.admin.route import Context
from resolver.control.operator_decisions import TooManyDecisions
from resolver.process import wall_clock
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text


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


async def list_pins(context: Context, request: web.Request, asked: PinParameters) -> web.Response:
    """Answer with the pins that have not ended, sorted by name and network."""
    now = wall_clock.now()
    found = [pins.pin(each) for each in context.estate.pins if not each.has_ended(now)]
    names, networks = filters.names(asked.name), filters.networks(context.estate, asked.network)

    def key(item: PinItem) -> SortKey | None:
        wanted = (names is None or from_text(item.name) in names) and (
            networks is None or item.network is None or item.network in networks
        )
        return (item.name, item.network or "", item.origin) if wanted else None

    return list_response(await page(found, key, encoded, page_request(request, asked)))


async def pin(context: Context, request: web.Request, wanted: PinRequest) -> web.Response:
    """Give a name to an endpoint."""
    estate, now = context.estate, wall_clock.now()
    name = requested_name(wanted.name, Code.INVALID_BODY)
    text = to_text(name)
    known = estate.networks.listed(estate.networks.all)
    if wanted.network is not None and wanted.network not in known:
        near = nearest(wanted.network, known)
        raise Refused(Code.UNKNOWN_NETWORK, f"network: {no_such(wanted.network, near)}", nearest=near)
    for each in estate.settings.conflicts.pins:
        if from_text(each.name) == name and each.network in {None, wanted.network} and not each.has_ended(now):
            raise Refused(
                Code.CONFIGURED, f"`conflicts.pins` pins {text} to {each.endpoint}; change it there, and reload"
            )
    endpoint = pins.claimant(estate, name, wanted.endpoint)
    made = Pin(text, endpoint.id, wanted.network, _end(wanted.until, now), wanted.reason, request[IDENTITY].name)
    if made.key != endpoint.key:
        made = structs.replace(made, endpoint=endpoint.key)
    try:
        before = context.view.decisions.pin(made, now)
    except TooManyDecisions as error:
        raise Refused(Code.LIMIT_REACHED, str(error)) from None
    except OSError as error:
        raise _unsaved(error) from None
    context.audit(request, "pin.set", text, _pin_values(before) if before else {}, _pin_values(made))
    return item_response(pins.pin(made))


async def unpin(context: Context, request: web.Request, wanted: UnpinRequest) -> web.Response:
    """Remove the pin that an operator has made."""
    text = to_text(requested_name(request.match_info["name"]))
    try:
        removed = context.view.decisions.unpin(text, wanted.network, wall_clock.now())
    except KeyError:
        where = f" in `{wanted.network[:80]}`" if wanted.network else " in all networks"
        raise Refused(Code.UNKNOWN_PIN, f"no operator has pinned {text}{where}") from None
    except OSError as error:
        raise _unsaved(error) from None
    context.audit(request, "pin.remove", text, _pin_values(removed), {})
    return item_response(pins.pin(removed))


def _pin_values(item: Pin) -> dict[str, Any]:
    return pins.pin(item).model_dump(include={"endpoint", "network", "reason", "until"})


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
