"""Resource Graph: one query, a page of its rows, `$skipToken` for the rest.

Only requested and readable subscriptions count. The others are left out silently, as in Azure.
"""

from collections import OrderedDict
from typing import Final, Literal

import msgspec

from tests.fake_azure import kql
from tests.fake_azure.arm import Access
from tests.fake_azure.estate import FakeEstate
from tests.fake_azure.kql import KqlQuery
from tests.fake_azure.replies import FakeReply, Refusal, Warp, page
from tests.fake_azure.shapes import Json

PATH: Final = "/providers/microsoft.resourcegraph/resources"
MOST: Final = 1000
"""Rows per page."""
BETWEEN: Final = "\n"
"""Separates the id of an endpoint from that of its NIC in a row's key. Sorts before any character of an id."""


class _Options(msgspec.Struct, rename={"top": "$top", "token": "$skipToken", "format": "resultFormat"}):
    top: int = 100
    token: str = ""
    format: Literal["objectArray"] = "objectArray"


class _Body(msgspec.Struct):
    query: str
    subscriptions: list[str] | None = None
    options: _Options | None = None


class Graph:
    """Answers queries from the estate."""

    def __init__(self, estate: FakeEstate, access: Access, most: int = MOST) -> None:
        self._estate = estate
        self._most = most
        self._access = access
        self._parsed: dict[str, KqlQuery] = {}
        self._keys: OrderedDict[tuple[str, tuple[str, ...], int], list[str]] = OrderedDict()
        self._asked = 0

    def answer(self, body: bytes, warp: Warp = "") -> FakeReply:
        """Return the requested page."""
        try:
            asked = msgspec.json.decode(body, type=_Body)
        except msgspec.DecodeError as error:
            raise Refusal(400, "InvalidRequestContent", f"The request content was invalid: {error}") from None
        options = asked.options or _Options()
        if not 1 <= options.top <= MOST:
            raise Refusal(400, "BadRequest", f"The value of $top must be between 1 and {MOST}.")
        options.top = min(options.top, self._most)  # a page may always be smaller than requested
        query = self._parsed.setdefault(asked.query, kql.parse(asked.query))
        keys = self._rows(asked.query, query, tuple(self._scope(asked.subscriptions)))
        if not query.ordered:  # the order is undefined then: it differs for each request
            self._asked += 1
            keys = keys[self._asked % len(keys) :] + keys[: self._asked % len(keys)] if keys else keys
        if "id" in query.columns:
            chosen, following = page(keys, options.token, options.top, warp) if query.ordered else _at(keys, options)
        else:
            chosen, following = keys[: options.top], ""
        truncated = len(keys) > len(chosen) and "id" not in query.columns
        reply: Json = {
            "totalRecords": len(keys),
            "count": len(chosen),
            "data": [self._row(query, key) for key in chosen],
            "facets": [],
            "resultTruncated": "true" if truncated else "false",
        }
        if following:
            reply["$skipToken"] = following
        return FakeReply(200, msgspec.json.encode(reply))

    def _scope(self, asked: list[str] | None) -> list[str]:
        known = self._estate.subscriptions
        wanted = sorted(known) if not asked else sorted({own.casefold() for own in asked})
        readable = [own for own in wanted if own in known and not self._access(own)]
        if not readable and asked:
            refusal = kql.invalid("")
            given = ", ".join(asked)
            refusal.details = [
                {
                    "code": "NoValidSubscriptionsInQueryRequest",
                    "message": "There must be at least one subscription that is eligible to contain resources. "
                    f"Given: '{given}'.",
                }
            ]
            raise refusal
        return readable

    def _rows(self, text: str, query: KqlQuery, scope: tuple[str, ...]) -> list[str]:
        """Return the keys of all rows: an id and the NIC that is joined to it. Cached until the estate changes."""
        known = (text, scope, self._estate.version)
        if known not in self._keys:
            self._keys[known] = sorted(
                key
                for own in scope
                for type_ in query.types
                for key in self._of(query, type_, f"/subscriptions/{own}/")
            )
            while len(self._keys) > 8:
                self._keys.popitem(last=False)
        return self._keys[known]

    def _of(self, query: KqlQuery, type_: str, under: str) -> list[str]:
        found = self._estate.ids(type_, under)
        if query.owned:
            found = [key for key in found if self._estate.owner(key)]
        if not query.join:
            return found
        alone = [""] if query.join == "leftouter" else []
        return [f"{key}{BETWEEN}{nic}" for key in found for nic in self._readable(self._estate.nics(key)) or alone]

    def _readable(self, ids: list[str]) -> list[str]:
        return [own for own in ids if not self._access(own.split("/")[2])]

    def _row(self, query: KqlQuery, key: str) -> kql.Row:
        own, _, nic = key.partition(BETWEEN)
        return query.row(self._estate.resource(own), self._estate.resource(nic) if nic else None)


def _at(keys: list[str], options: _Options) -> tuple[list[str], str]:
    """Return rows by position, the only way without an order."""
    start = int(options.token or 0)
    end = start + options.top
    return keys[start:end], str(end) if end < len(keys) else ""
