"""Reads the whole estate from Azure Resource Graph, page after page."""

import asyncio
from collections.abc import Iterable

from resolver.sources.azure.client import ManagementClient
from resolver.sources.azure.protocol import graph_query
from resolver.sources.azure.protocol.budget import GRAPH, Patience
from resolver.sources.azure.protocol.graph_query import GraphQuery
from resolver.sources.azure.protocol.pages import Incomplete, Pages, ResourcePage, groups


async def read(client: ManagementClient, scope: Iterable[str], pages: Pages, patience: Patience) -> list[ResourcePage]:
    """Return all pages of the subscriptions in `scope`. Raises `Incomplete` and what the client raises."""
    found: list[ResourcePage] = []
    for group in groups(scope, graph_query.GROUP):
        for text in (graph_query.ENDPOINTS, graph_query.VNETS):
            found += await _pages(client, GraphQuery(text, group), pages, patience)
    return found


async def _pages(client: ManagementClient, query: GraphQuery, pages: Pages, patience: Patience) -> list[ResourcePage]:
    found: list[ResourcePage] = []
    while not found or query.token:
        response = await client.post(graph_query.PATH, query.request(), api=GRAPH, bucket=GRAPH, patience=patience)
        if response.headers.get("x-ms-tenant-subscription-limit-hit", "").casefold() == "true":
            raise Incomplete("Resource Graph: it left out subscriptions, since there are too many")
        found.append(await asyncio.to_thread(query.take, response.body, pages))
    return found
