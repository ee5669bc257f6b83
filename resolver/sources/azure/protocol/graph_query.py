"""Resource Graph queries: their text, the body of a request, and how the pages of a response fit together.

Pure. Two queries read the whole estate, 1,000 rows per page. Resource Graph leaves out, without a word, what the
identity may not read: which subscriptions those are is found elsewhere. Does not know how a request is sent.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from resolver.sources.azure.protocol.pages import Incomplete, PageCheck, Pages, ResourcePage

PATH: Final = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
TOP: Final = 1000
"""Rows per page, at most."""
GROUP: Final = 299
"""Subscriptions per query: Azure asks for fewer than 300."""
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
  addressSpace = properties.addressSpace, virtualNetworkPeerings = properties.virtualNetworkPeerings,
  privateEndpointVNetPolicies = properties.privateEndpointVNetPolicies
| order by id asc"""
"""Without subnets: a subnet lists every network interface in it."""


class _Response(msgspec.Struct):
    """One page. Its rows are parsed later."""

    data: msgspec.Raw
    count: int
    total: int = msgspec.field(name="totalRecords")
    truncated: str | bool = msgspec.field(name="resultTruncated", default="false")
    token: str | None = msgspec.field(name="$skipToken", default=None)


class GraphQuery:
    """One query of some subscriptions, and its pages as they come in."""

    def __init__(self, text: str, subscriptions: Sequence[str]) -> None:
        self._text = text
        self._subscriptions = subscriptions
        self._check = PageCheck()
        self._total: int | None = None
        self.token: str | None = None
        """Names the page to request next; None after the last page."""

    def request(self) -> bytes:
        """Return the body of the request for the next page."""
        options: dict[str, object] = {"resultFormat": "objectArray", "$top": TOP}
        if self.token:
            options["$skipToken"] = self.token
        return msgspec.json.encode({"subscriptions": self._subscriptions, "query": self._text, "options": options})

    def take(self, body: bytes, pages: Pages) -> ResourcePage:
        """Parse the response with the next page. Raises `Incomplete`."""
        try:
            response = msgspec.json.decode(body, type=_Response)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Incomplete(f"Resource Graph: its answer cannot be read: {error}") from None
        try:
            page = pages.read(bytes(response.data))
            self._check_page(response, page)
        except Incomplete as error:
            raise Incomplete(f"Resource Graph: {error}; the next sync reads all of it again") from None
        self.token = response.token or None
        return page

    def _check_page(self, response: _Response, page: ResourcePage) -> None:
        if len(page.rows) != response.count:
            raise Incomplete(f"a page of {response.count} rows has {len(page.rows)}")
        if self._total is not None and response.total != self._total:
            raise Incomplete(f"the estate changed meanwhile: {self._total} rows, then {response.total}")
        self._total = response.total
        self._check.rows(page.rows)
        if response.token:
            self._check.token(response.token)
            if not page.rows:
                raise Incomplete("an empty page that is not the last")
        elif self._check.count != response.total:
            raise Incomplete(f"{self._check.count} of {response.total} rows came")
        elif str(response.truncated).casefold() == "true":
            raise Incomplete("rows were left out, and no token leads to them")
