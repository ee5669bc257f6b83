"""Responses of the admin interface: JSON objects, pages of lists, and problem details with more keys (RFC 9457)."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import Page
from resolver.admin.resources.model import Model, ProblemDetails
from resolver.http_protocol import Response, StreamResponse
from zones.dns.name import InvalidName, Name, from_text

EVENT_STREAM: Final = "text/event-stream"
QUIET: Final = 15.0
"""Seconds without an event until a comment shows that the connection of an event stream is open."""


def stream_response() -> StreamResponse:
    """Return a response that carries server-sent events."""
    return StreamResponse(
        headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    )


def item_response(body: Model, *, exclude_none: bool = False, status: int = 200) -> web.Response:
    """Return a response with one JSON object. `exclude_none`: without the keys of the object itself that are null."""
    text = body.model_dump_json(exclude=_nulls(body) if exclude_none else None)
    return Response(body=text.encode(), status=status, content_type="application/json")


def list_response(page: Page, **more: Sequence[bytes]) -> web.Response:
    """Return a response with one page of a list. `more`: further lists of items as JSON."""
    return Response(body=page.encode(more), content_type="application/json")


def problem_response(body: ProblemDetails) -> web.Response:
    """Return an error response with these problem details."""
    return Response(
        body=body.model_dump_json(exclude=_nulls(body)).encode(), status=body.status,
        content_type="application/problem+json",
    )  # fmt: skip


def _nulls(body: Model) -> set[str]:
    """Return the keys of an object that are null. Objects in it keep theirs, as their models require."""
    return {name for name in type(body).model_fields if getattr(body, name) is None}


def encoded(item: Model | None) -> bytes | None:
    """Return an item of a list as JSON; None for an item that no longer exists."""
    return None if item is None else item.model_dump_json().encode()


def requested_name(text: str, code: Code = Code.INVALID_PARAMETER) -> Name:
    """Parse a domain name of a request. Raises `Refused` with this code for text that is no domain name."""
    try:
        return from_text(text)
    except InvalidName as error:
        raise Refused(code, f"no domain name: {error}") from None
