"""The list of all resources of a subscription or a group (`az resource list`), without their properties."""

import re
from typing import Final

from resolver.registry.arm import paging
from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import check_access
from resolver.registry.model.failure import bad_request
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.call import Call
from resolver.registry.service.resources import Page

_SHOWN: Final = frozenset(("id", "name", "type", "kind", "location", "tags", "sku", "identity", "zones", "plan"))
_CLAUSE: Final = re.compile(r"\s*(resourceGroup|resourceType)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def everything(asked: Asked, call: Call) -> Reply:
    """Return a page of the resources in a subscription or a group. Raises `ArmFailure`."""
    filters = _filters(next((each for name, each in asked.url.query.items() if name.casefold() == "$filter"), ""))
    scope = ArmId(asked.scope.subscription, asked.scope.group or filters.get("resourcegroup", ""))
    check_access(call.caller, scope, "read")
    if scope.group:
        call.row(scope)
    after, size = paging.start(asked.url)
    if kind := filters.get("resourcetype"):
        rows = call.tx.listed(kind, asked.subscription, scope.group.casefold(), after, size + 1)
    else:
        rows = call.tx.resources_in(scope.key, after, size + 1)
    bodies = [row.json for row in rows[:size]]
    items = [{name: value for name, value in body.items() if name in _SHOWN} for body in bodies]
    page = Page(items, rows[size - 1].key if len(rows) > size else "")
    return Reply(200, paging.body(page, asked.url, asked.origin))


def _filters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else ():
        matched = _CLAUSE.fullmatch(clause)
        if not matched:
            raise bad_request(
                "InvalidFilterInQueryString",
                f"The filter {clause[:100]!r} is not supported. The registry filters by resourceGroup eq 'NAME' and "
                "resourceType eq 'TYPE', joined by `and`.",
                "$filter",
            )
        found[matched[1].casefold()] = matched[2].casefold()
    return found
