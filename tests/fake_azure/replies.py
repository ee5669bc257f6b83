"""Responses, errors in the Resource Manager's shape, and pages of a list.

The link to the next page names the last row that was sent, so it stays valid while rows are added and removed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from tests.fake_azure.shapes import Json

Warp = Literal["", "repeat", "lose"]


class FakeReply(NamedTuple):
    """A response: status, body, and the headers that Azure adds."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Refusal(Exception):  # noqa: N818  # a response, not a programming error
    """An error response of Azure."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})
        self.details: list[Json] = []

    def reply(self) -> FakeReply:
        """Return the refusal as Azure writes it."""
        error: Json = {"code": self.code, "message": str(self)}
        if self.details:
            error["details"] = self.details
        return FakeReply(self.status, msgspec.json.encode({"error": error}), self.headers)


def page(rows: Sequence[str], token: str, size: int, warp: Warp = "") -> tuple[Sequence[str], str]:
    """Return the rows after the one that `token` names, and the token for the next page; empty for the last page."""
    start = bisect_right(rows, _last(token)) if token else 0
    end = start + size * (2 if warp == "lose" else 1)
    following = _token(rows[end - 1]) if end < len(rows) else ""
    return rows[start : start + size], (token or _token("")) if warp == "repeat" else following


def _token(last: str) -> str:
    return urlsafe_b64encode(f"after {last}".encode()).decode().rstrip("=")


def _last(token: str) -> str:
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        text = ""
    if not text.startswith("after "):
        raise Refusal(400, "InvalidSkipToken", "The provided skip token is not valid.")
    return text.removeprefix("after ")
