"""Azure Resource Graph: two queries read the whole estate, a thousand rows at a time.

What the queries are and when their pages make up a whole; how a request is sent is the client's. The Graph leaves out
silently what the identity may not read: which subscriptions those are has to be known from elsewhere.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from resolver.sources.azure.budget import GRAPH, Patience
from resolver.sources.azure.client import Client
from resolver.sources.azure.pages import Check, Incomplete, Page, Pages, groups

PATH: Final = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
TOP: Final = 1000
"""Rows of a page, at most."""
GROUP: Final = 299
"""Subscriptions of one query: Azure asks for fewer than 300."""
ENDPOINTS: Final = """\
resources
| where type =~ 'microsoft.network/privateendpoints'
| extend peId = tolower(id)
| join kind=leftouter (
    resources
    | where type =~ 'microsoft.network/networkinterfaces' and isnotempty(properties.privateEndpoint.id)
    | project peId = tolower(tostring(properties.privateEndpoint.id)), nicId = id,
      ipConfigurations = properties.ipConfigurations
  ) on peId
| project id, name, location, subscriptionId, resourceGroup, properties, nicId, ipConfigurations
| order by id asc"""
VNETS: Final = """\
resources
| where type =~ 'microsoft.network/virtualnetworks'
| project id, name, location, subscriptionId, resourceGroup,
  addressSpace = properties.addressSpace, virtualNetworkPeerings = properties.virtualNetworkPeerings
| order by id asc"""
"""Without subnets: these name every network interface in them."""


class _Said(msgspec.Struct):
    """A page as it comes; its rows are not read yet."""

    data: msgspec.Raw
    count: int
    total: int = msgspec.field(name="totalRecords")
    truncated: str | bool = msgspec.field(name="resultTruncated", default="false")
    token: str | None = msgspec.field(name="$skipToken", default=None)


class Query:
    """One query as its pages come in. Pure."""

    def __init__(self) -> None:
        self._check = Check()
        self._total: int | None = None
        self.token: str | None = None
        """Of the page to ask for next; None after the last."""

    def take(self, body: bytes, pages: Pages) -> Page:
        """Read the next page. Raises `Incomplete`."""
        try:
            said = msgspec.json.decode(body, type=_Said)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Incomplete(f"Resource Graph: its answer cannot be read: {error}") from None
        try:
            page = pages.read(bytes(said.data))
            self._judge(said, page)
        except Incomplete as error:
            raise Incomplete(f"Resource Graph: {error}; the next sync reads all of it anew") from None
        self.token = said.token or None
        return page

    def _judge(self, said: _Said, page: Page) -> None:
        if len(page.rows) != said.count:
            raise Incomplete(f"a page of {said.count} rows has {len(page.rows)}")
        if self._total is not None and said.total != self._total:
            raise Incomplete(f"the estate changed meanwhile: {self._total} rows, then {said.total}")
        self._total = said.total
        self._check.rows(page.rows)
        if said.token:
            self._check.token(said.token)
            if not page.rows:
                raise Incomplete("an empty page that is not the last")
        elif self._check.count != said.total:
            raise Incomplete(f"{self._check.count} of {said.total} rows came")
        elif str(said.truncated).casefold() == "true":
            raise Incomplete("rows were left out, and nothing leads to them")


async def read(client: Client, scope: Iterable[str], pages: Pages, patience: Patience) -> list[Page]:
    """All pages of these subscriptions. Raises `Incomplete`, and what the client does."""
    found: list[Page] = []
    for group in groups(scope, GROUP):
        for text in (ENDPOINTS, VNETS):
            found += await _ask(client, text, group, pages, patience)
    return found


async def _ask(client: Client, text: str, group: list[str], pages: Pages, patience: Patience) -> list[Page]:
    query = Query()
    found: list[Page] = []
    while not found or query.token:
        options = {"resultFormat": "objectArray", "$top": TOP} | ({"$skipToken": query.token} if query.token else {})
        body = msgspec.json.encode({"subscriptions": group, "query": text, "options": options})
        answer = await client.post(PATH, body, api=GRAPH, bucket=GRAPH, patience=patience)
        if answer.headers.get("x-ms-tenant-subscription-limit-hit", "").casefold() == "true":
            raise Incomplete("Resource Graph: it left out subscriptions, since there are too many")
        found.append(await asyncio.to_thread(query.take, answer.body, pages))
    return found
