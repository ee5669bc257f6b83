"""Handlers for the history: its entries, what differs between two times, and the stream of new entries."""

import asyncio
from typing import Annotated, Final

import msgspec
from aiohttp import web

from resolver.admin import filters
from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import Page, check_scope, decoded_cursor, encoded_cursor, page
from resolver.admin.resources import history
from resolver.admin.resources.history import (
    DifferenceParameters,
    EntryFilters,
    EventParameters,
    HistoryParameters,
    moment,
)
from resolver.admin.responses import EVENT_STREAM, QUIET, encoded, list_response, stream_response
from resolver.admin.route import Context
from resolver.control.history.entry import Entry
from resolver.control.history.journal import Search
from resolver.control.history.recorder import HistoryUnavailable
from resolver.http_protocol import Response
from zones.dns.name import InvalidName, from_text, to_text

_NEWEST: Final = (1 << 63) - 1
_BATCH: Final = 500
"""Entries read at a time."""


async def list_history(context: Context, request: web.Request, asked: HistoryParameters) -> web.Response:
    """Answer with entries, the newest first."""
    scope = filters.page_request(request, asked).scope
    wanted = (await _search(context, asked))._replace(
        before=_NEWEST if asked.cursor is None else _id(asked.cursor, scope), limit=asked.limit + 1,
        since=moment(asked.since) if asked.since else None, until=moment(asked.until) if asked.until else None,
    )  # fmt: skip
    try:
        found = await context.view.history.search(wanted)
    except HistoryUnavailable as error:
        raise Refused(Code.NO_HISTORY, str(error)) from None
    items = [history.entry(each).model_dump_json().encode() for each in found[: asked.limit]]
    more = len(found) > asked.limit
    return list_response(Page(items, encoded_cursor((found[asked.limit - 1].id, scope)) if more else None))


async def list_differences(context: Context, request: web.Request, asked: DifferenceParameters) -> web.Response:
    """Answer with one entry for each thing that differs between two times, by kind and subject."""
    wanted = (await _search(context, asked))._replace(since=moment(asked.since), until=moment(asked.until))
    try:
        found = await context.view.history.differences(wanted)
    except HistoryUnavailable as error:
        raise Refused(Code.NO_HISTORY, str(error)) from None

    def shown(each: Entry) -> bytes | None:
        return encoded(history.entry(each))

    return list_response(
        await page(found, lambda each: (each.kind, each.subject, each.key), shown, filters.page_request(request, asked))
    )


async def _search(context: Context, asked: EntryFilters) -> Search:
    zones = await filters.zones(context, asked.zone) or ()
    return Search(
        names=tuple(dict.fromkeys(text for name in asked.name for text in _subjects(name))), kinds=asked.kind,
        zones=tuple(map(to_text, zones)), codes=asked.code, severities=asked.severity,
    )  # fmt: skip


async def stream_events(context: Context, request: web.Request, asked: EventParameters) -> web.StreamResponse:
    """Answer with new entries as server-sent events, without an end.

    A client that reconnects with the id of its last event misses nothing, as long as the history has the entries. It
    gets the event `lost` where it has not.
    """
    if request.method == "HEAD":
        return Response(content_type=EVENT_STREAM)
    recorder = context.view.history
    last = asked.after if asked.after is not None else _last_event(request)
    response = stream_response()
    with context.streams.counted():
        try:
            oldest, newest = await recorder.ids()
        except HistoryUnavailable as error:
            raise Refused(Code.NO_HISTORY, str(error)) from None
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        if last is not None and (last > newest or last + 1 < oldest):
            await response.write(b'event: lost\ndata: {"oldest":%d,"newest":%d}\n\n' % (oldest, newest))
            last = newest if last > newest else oldest - 1
        place = newest if last is None else last
        while True:
            news = recorder.next_news()
            try:
                found = await recorder.search(Search(after=place, kinds=asked.kind, limit=_BATCH))
            except HistoryUnavailable:
                found = []
            for each in found:
                place = each.id
                await response.write(
                    b"id: %d\nevent: %b\ndata: %b\n\n"
                    % (each.id, each.kind.encode(), history.entry(each).model_dump_json().encode())
                )
            if not found:
                await _wait(news, response)


async def _wait(news: asyncio.Event, response: web.StreamResponse) -> None:
    """Wait for new entries, and send a comment where there are none for long."""
    while not news.is_set():
        try:
            async with asyncio.timeout(QUIET):
                await news.wait()
        except TimeoutError:
            await response.write(b": no events\n\n")


def _subjects(name: str) -> tuple[str, ...]:
    """Return the forms that a subject may have in the history: as it is, and as a domain name."""
    try:
        return name, to_text(from_text(name))
    except InvalidName:
        return (name,)


def _id(cursor: str, scope: str) -> int:
    found = decoded_cursor(cursor, tuple[Annotated[int, msgspec.Meta(ge=0, le=_NEWEST)], str])
    check_scope(found[1], scope)
    return found[0]


def _last_event(request: web.Request) -> int | None:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(Code.INVALID_PARAMETER, "Last-Event-ID: not the id of an event")
    return int(text)
