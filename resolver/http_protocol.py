"""How the HTTP connections of control parse requests, and how errors look (RFC 9457).

aiohttp itself answers a request that it cannot parse: in plain text, with a traceback in the log, and with its name and
version. Here such a request gets a 400 in the form of every other error, and no response has a header `Server`. Does
not know routes, nor limits of connections (`http_listener`).
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

MALFORMED_BODY: Final = (web.RequestPayloadError, HttpProcessingError)
"""What reading a body raises if the body is not what its headers say."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "malformed-request",
        404: "unknown-path",
        405: "method-not-allowed",
        413: "body-too-large",
        417: "expectation-failed",
        500: "internal-error",
    }
)
"""Codes of errors that no route reports itself, by status."""


class Response(web.Response):
    """A response that does not name the software of the server."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall("Server", None)


class StreamResponse(web.StreamResponse):
    """A response of unknown length that does not name the software of the server."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall("Server", None)


def type_of(code: str) -> str:
    """Return the `type` of problem details for a code, which stays the same for one kind of error."""
    return f"urn:pldns:problem:{code}"


def problem(
    status: int, detail: str | None = None, headers: Mapping[str, str] = _NONE, code: str = "",
    more: Mapping[str, Any] = _NONE,
) -> Response:  # fmt: skip
    """Return an error response with problem details. The title is the reason phrase of the status.

    `code`: of the kind of error; by default, one of the status. `more`: further members.
    """
    title = web.Response(status=status).reason or "Error"
    code = code or CODES.get(status, "")
    kind = type_of(code) if code else "about:blank"
    body = {"type": kind, "title": title, "status": status} | ({"detail": detail} if detail else {}) | dict(more)
    return Response(
        body=json.dumps(body).encode(), status=status, content_type="application/problem+json", headers=headers
    )


def of_exception(error: web.HTTPException) -> Response:
    """Return an exception of aiohttp as problem details. Its own text is the detail, aiohttp's text is none."""
    plain = error.text == f"{error.status}: {error.reason}"
    headers = {name: error.headers[name] for name in _KEPT if name in error.headers}
    return problem(error.status, None if plain else error.text, headers)


_KEPT: Final = ("Allow", "Retry-After", "Connection")


class HttpProtocol(RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: BaseRequest,  # noqa: ARG002 - as in `RequestHandler`
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's text shows octets of the request
    ) -> web.StreamResponse:
        """Return the response to a request that cannot be parsed, or that failed outside of its handler."""
        if status >= 500 and not isinstance(exc, ConnectionError):
            self.logger.error("a request failed", exc_info=exc)
        response = problem(status, "the request is not valid HTTP" if status == 400 else None)
        response.force_close()
        return response

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response."""
        if isinstance(resp, web.HTTPException):
            resp = of_exception(resp)
        return await super().finish_response(request, resp, start_time)
