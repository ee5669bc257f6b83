"""The Resource Manager's own lists and single resources: the way to read where Resource Graph does not answer.

Three lists for each subscription. Refuses to know how a request is sent, and what a refusal means for a sync.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import quote

import msgspec

from resolver.sources.azure.budget import Patience
from resolver.sources.azure.client import Answer, Client, Failed
from resolver.sources.azure.pages import WHERE, Check, Incomplete, Page, Pages
from zones.azure import arm
from zones.azure.endpoint import State, is_served
from zones.azure.resource import Resources, resource_type, subscription

NETWORK: Final = "2024-05-01"
"""Version of Microsoft.Network."""
KINDS: Final = ("privateEndpoints", "networkInterfaces", "virtualNetworks")
_SUBSCRIPTIONS: Final = "/subscriptions?api-version=2022-12-01"
_READ: Final = frozenset(f"microsoft.network/{kind}".casefold() for kind in KINDS)
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[^/?#%\\\s\x00-\x1f]+")
GONE: Final = frozenset(("ResourceNotFound", "ResourceGroupNotFound", "NotFound"))
"""Codes of a 404 that says so; a subscription that is not found may be one that we lost sight of."""
UNREGISTERED: Final = "MissingSubscriptionRegistration"


class _Said(msgspec.Struct):
    value: msgspec.Raw
    next_link: str | None = msgspec.field(name="nextLink", default=None)


class _Subscription(msgspec.Struct, rename="camel"):
    subscription_id: str
    state: str = "Enabled"


async def subscriptions(client: Client, patience: Patience) -> list[str]:
    """Those in which the identity may read anything, folded, in order. Raises `Failed`, `Incomplete`."""
    found: list[_Subscription] = []
    try:
        async for rows in each_page(client, _SUBSCRIPTIONS, "subscriptions", "", patience):
            found += msgspec.json.decode(rows, type=list[_Subscription])
    except (msgspec.DecodeError, UnicodeError, Incomplete) as error:
        raise Incomplete(f"the list of subscriptions: {error}") from None
    return sorted({each.subscription_id.casefold() for each in found if each.state.casefold() != "deleted"})


async def read(client: Client, name: str, pages: Pages, patience: Patience) -> list[Page]:
    """All pages of one subscription. Raises `Failed`, `Incomplete`."""
    found: list[Page] = []
    for kind in KINDS:
        path = f"/subscriptions/{name}/providers/Microsoft.Network/{kind}?api-version={NETWORK}"
        check = Check()
        try:
            async for rows in each_page(client, path, "list", name, patience):
                page = await asyncio.to_thread(pages.read, rows)
                check.rows(page.rows)
                found.append(page)
        except Incomplete as error:
            raise Incomplete(f"the list of {kind} in subscription {name}: {error}") from None
        except Failed as error:
            if error.code != UNREGISTERED:  # a subscription without networks has none of these
                raise
    return found


async def each_page(client: Client, url: str, api: str, bucket: str, patience: Patience) -> AsyncGenerator[bytes, None]:
    """The rows of each page of a list, as they came."""
    check = Check()
    while url:
        answer = await client.get(url, api=api, bucket=bucket, patience=patience)
        try:
            said = msgspec.json.decode(answer.body, type=_Said)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Incomplete(f"a page cannot be read: {error}") from None
        yield bytes(said.value)
        url = said.next_link or ""
        check.token(url)


async def read_one(client: Client, key: str, patience: Patience) -> Resources | None:
    """The resource with this id and, with an endpoint, its network interfaces; None: there is none.

    Raises `Failed`, `Incomplete`; ValueError for an id that is not one of ours. An endpoint to be served that has no
    network interface is incomplete: it is being made or deleted, and would be taken without its names.
    """
    if resource_type(key) not in _READ or not _is_path(key):
        raise ValueError(f"{key[:200]!r} is not the id of a private endpoint, network interface or virtual network")
    found = await _resource(client, key, patience)
    if found is None:
        return None
    joined = [found]
    for endpoint in found.endpoints:
        for nic in filter(_is_path, endpoint.nics):
            own = await _resource(client, nic, patience)
            if own:
                joined.append(own)
            elif is_served(State.read(endpoint.state_text), endpoint.provisioning):
                raise Incomplete(f"{endpoint.name} has no network interface yet, or none any more: there is no {nic}")
    return Resources.joined(joined)


async def _resource(client: Client, key: str, patience: Patience) -> Resources | None:
    try:
        answer: Answer = await client.get(
            f"{quote(key)}?api-version={NETWORK}", api="resource", bucket=subscription(key), patience=patience
        )
        return await asyncio.to_thread(arm.read, answer.body, WHERE, form="json")
    except Failed as error:
        if error.status == 404 and error.code in GONE:
            return None
        raise
    except arm.Unreadable as error:
        raise Incomplete(f"{key} cannot be read: {error}") from None


def _is_path(key: str) -> bool:
    """An id comes from outside, and is to lead nowhere else."""
    return all(map(_SEGMENT.fullmatch, key.split("/")[1:]))
