"""Responses in the form of Azure Resource Manager: a body, or an error with its code."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from resolver.http_protocol import Response
from resolver.registry.model.failure import ArmFailure

JSON: Final = "application/json"


class Reply(NamedTuple):
    """A response. `body` is JSON; None: there is no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}

    def response(self) -> web.Response:
        """Return the response for HTTP."""
        if self.body is None:
            return Response(status=self.status, headers=self.headers)
        return Response(
            body=msgspec.json.encode(self.body),
            status=self.status,
            headers=self.headers,
            content_type=JSON,
            charset="utf-8",
        )


def refusal(failure: ArmFailure, headers: Mapping[str, str] | None = None) -> Reply:
    """Return the response for a failure."""
    error = {"code": failure.code, "message": failure.message}
    if failure.target:
        error["target"] = failure.target
    return Reply(failure.status, {"error": error}, {"x-ms-failure-cause": "gateway", **(headers or {})})
