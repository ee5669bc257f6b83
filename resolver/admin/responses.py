"""Responses of the admin interface: JSON objects, pages of lists, and problem details with more keys (RFC 9457)."""

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import Page
from resolver.admin.resources.model import Model, ProblemDetails
from resolver.http_protocol import Response
from zones.dns.name import InvalidName, Name, from_text


def item_response(body: Model, *, exclude_none: bool = False, status: int = 200) -> web.Response:
    """Return a response with one JSON object."""
    text = body.model_dump_json(exclude_none=exclude_none)
    return Response(body=text.encode(), status=status, content_type="application/json")


def list_response(page: Page) -> web.Response:
    """Return a response with one page of a list."""
    return Response(body=page.encode(), content_type="application/json")


def problem_response(body: ProblemDetails) -> web.Response:
    """Return an error response with these problem details."""
    return Response(
        body=body.model_dump_json(exclude_none=True).encode(), status=body.status,
        content_type="application/problem+json",
    )  # fmt: skip


def encoded(item: Model | None) -> bytes | None:
    """Return an item of a list as JSON; None for an item that no longer exists."""
    return None if item is None else item.model_dump_json().encode()


def requested_name(text: str, code: Code = Code.INVALID_PARAMETER) -> Name:
    """Parse a domain name of a request. Raises `Refused` with this code for text that is no domain name."""
    try:
        return from_text(text)
    except InvalidName as error:
        raise Refused(code, f"no domain name: {error}") from None
