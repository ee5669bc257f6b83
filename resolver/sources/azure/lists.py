"""Reads lists and single resources from the Resource Manager, for where Resource Graph does not answer.

Three lists for each subscription. Does not know what a refusal means for a sync.
"""

import asyncio
from collections.abc import AsyncGenerator

from resolver.sources.azure.client import Api, ManagementClient, RequestFailed
from resolver.sources.azure.protocol import resource_manager
from resolver.sources.azure.protocol.budget import Patience
from resolver.sources.azure.protocol.pages import WHERE, Incomplete, PageCheck, Pages, ResourcePage
from resolver.sources.azure.protocol.resource_manager import GONE, KINDS, UNREGISTERED
from zones.azure import arm
from zones.azure.encoding import UnreadableDocument
from zones.azure.endpoint import ConnectionState, ResourceId, is_served
from zones.azure.resource import Resources, subscription


async def subscriptions(client: ManagementClient, patience: Patience) -> list[str]:
    """Return the subscriptions in which the identity may read anything: ids, folded and sorted.

    Raises `RequestFailed` and `Incomplete`.
    """
    found: set[str] = set()
    try:
        async for rows in each_page(client, resource_manager.SUBSCRIPTIONS, "subscriptions", "", patience):
            found.update(resource_manager.subscriptions(rows))
    except Incomplete as error:
        raise Incomplete(f"the list of subscriptions: {error}") from None
    return sorted(found)


async def read(client: ManagementClient, name: str, pages: Pages, patience: Patience) -> list[ResourcePage]:
    """Return all pages of one subscription. Raises `RequestFailed` and `Incomplete`."""
    found: list[ResourcePage] = []
    for kind in KINDS:
        check = PageCheck()
        try:
            async for rows in each_page(client, resource_manager.list_path(name, kind), "list", name, patience):
                page = await asyncio.to_thread(pages.read, rows)
                check.rows(page.rows)
                found.append(page)
        except Incomplete as error:
            raise Incomplete(f"the list of {kind} in subscription {name}: {error}") from None
        except RequestFailed as error:
            if error.code != UNREGISTERED:
                raise
    return found


async def each_page(
    client: ManagementClient, url: str, api: Api, bucket: str, patience: Patience
) -> AsyncGenerator[bytes, None]:
    """Yield the rows of each page of a list, as JSON. Raises `RequestFailed` and `Incomplete`."""
    check = PageCheck()
    while url:
        response = await client.get(url, api=api, bucket=bucket, patience=patience)
        rows, url = resource_manager.page(response.body)
        yield rows
        check.token(url)


async def read_one(client: ManagementClient, key: ResourceId, patience: Patience) -> Resources | None:
    """Return the resource with this id, an endpoint with its network interfaces; None where it does not exist.

    Raises `RequestFailed`, `Incomplete`, and ValueError for an id that pldns does not read. An endpoint that is to be
    served but has no network interface is incomplete: Azure is creating or deleting it, and its names would be missing.
    """
    if not resource_manager.is_readable(key):
        raise ValueError(f"{key[:200]!r} is not the id of a private endpoint, network interface or virtual network")
    found = await _resource(client, key, patience)
    if found is None:
        return None
    pieces = [found]
    for endpoint in found.endpoints:
        for nic in filter(resource_manager.is_path, endpoint.nics):
            own = await _resource(client, nic, patience)
            if own:
                pieces.append(own)
            elif is_served(ConnectionState.read(endpoint.state_text), endpoint.provisioning):
                raise Incomplete(f"{endpoint.name} has no network interface yet, or none any more: there is no {nic}")
    return Resources.joined(pieces)


async def _resource(client: ManagementClient, key: ResourceId, patience: Patience) -> Resources | None:
    try:
        response = await client.get(
            resource_manager.resource_path(key), api="resource", bucket=subscription(key), patience=patience
        )
        return await asyncio.to_thread(arm.read, response.body, WHERE, form="json")
    except RequestFailed as error:
        if error.status == 404 and error.code in GONE:
            return None
        raise
    except UnreadableDocument as error:
        raise Incomplete(f"{key} cannot be read: {error}") from None
