"""The estate of the registry's benchmarks: groups, networks, storage accounts and endpoints.

`fill` writes a database through the registry's own services, in one process and in large transactions. Each endpoint
has a storage account of its own, so each has its own name. Does not know HTTP.
"""

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from resolver.host_port import HostPort
from resolver.registry.model.access import Caller
from resolver.registry.model.resource_id import ArmId
from resolver.registry.registry import Registry
from resolver.registry.service import resources
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call
from resolver.registry.service.resources import Precondition
from resolver.registry.service.types import type_of
from resolver.registry_roles import RegistryRoles
from resolver.registry_settings import TENANT, RegistrySettings

SECRET: Final = "a secret of the benchmark"  # noqa: S105 - of no service
SUBSCRIPTIONS: Final = tuple(f"20000000-0000-4000-a000-{number:012}" for number in range(1, 9))
CLIENT: Final = "30000000-0000-4000-a000-000000000001"
IN_NETWORK: Final = 1_000
"""Endpoints in a virtual network: as many as Azure allows."""
_BATCH: Final = 200
"""Endpoints in a transaction of `fill`."""


def section(port: int) -> dict[str, Any]:
    """Return the section `registry` of a configuration."""
    digest = sha256(SECRET.encode()).hexdigest()
    return {
        "listen": f"127.0.0.1:{port}",
        "tenant": TENANT,
        "subscriptions": [{"id": each, "name": f"bench {each[-1]}"} for each in SUBSCRIPTIONS],
        "clients": [{"id": CLIENT, "name": "bench", "sha256": digest, "owner": list(SUBSCRIPTIONS)}],
    }


class Request(NamedTuple):
    """A resource to write."""

    path: str
    body: dict[str, Any]


def group(network: int) -> str:
    """Return the id of the resource group with a virtual network."""
    return f"/subscriptions/{SUBSCRIPTIONS[network % len(SUBSCRIPTIONS)]}/resourceGroups/rg{network}"


def network(number: int) -> Iterator[Request]:
    """Yield a resource group, and a virtual network with one subnet in it."""
    yield Request(group(number), {"location": "westeurope"})
    prefix = f"10.{number % 256}"
    subnet = {"name": "pe", "properties": {"addressPrefix": f"{prefix}.0.0/20"}}
    space = {"addressSpace": {"addressPrefixes": [f"{prefix}.0.0/16"]}, "subnets": [subnet]}
    yield Request(_network(number), {"location": "westeurope", "properties": space})


def account(number: int) -> Request:
    """Return the storage account of an endpoint."""
    path = f"{group(number // IN_NETWORK)}/providers/Microsoft.Storage/storageAccounts/contoso{number}"
    return Request(path, {"location": "westeurope", "kind": "StorageV2", "properties": {}})


def endpoint(number: int) -> Request:
    """Return an endpoint that is approved at once."""
    network = number // IN_NETWORK
    link = {"privateLinkServiceId": account(number).path, "groupIds": ["blob"]}
    return Request(
        f"{group(network)}/providers/Microsoft.Network/privateEndpoints/pe{number}",
        {
            "location": "westeurope",
            "properties": {
                "subnet": {"id": f"{_network(network)}/subnets/pe"},
                "privateLinkServiceConnections": [{"name": "one", "properties": link}],
            },
        },
    )


def name(number: int) -> str:
    """Return the name that an endpoint answers."""
    return f"contoso{number}.blob.core.windows.net"


def fill(folder: Path, endpoints: int, accounts: int = 0) -> None:
    """Make the database with this number of endpoints. `accounts`: further storage accounts that have no endpoint."""
    logging.getLogger("resolver").setLevel(logging.ERROR)  # the limits of full networks are near
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_fill(folder, endpoints, accounts))


async def _fill(folder: Path, endpoints: int, accounts: int) -> None:
    settings = msgspec.convert({**section(1), "listen": HostPort("127.0.0.1", 1)}, RegistrySettings)
    registry = Registry(str(folder), lambda: settings)
    caller = Caller(CLIENT, "bench", RegistryRoles(frozenset(SUBSCRIPTIONS)))
    last = endpoints + accounts
    async with registry.opened():
        for start in range(0, last, _BATCH):
            numbers = range(start, min(start + _BATCH, last))
            await registry.write(caller, partial(_write, numbers=numbers, endpoints=endpoints))


def _write(call: Call, numbers: range, endpoints: int) -> None:
    for number in numbers:
        wanted = [*network(number // IN_NETWORK)] if number % IN_NETWORK == 0 else []
        wanted.append(account(number))
        if number < endpoints:
            wanted.append(endpoint(number))
        for path, body in wanted:
            found = ArmId.parse(path)
            resources.put(call, type_of(found), found, Body(body), Precondition())


def _network(number: int) -> str:
    return f"{group(number)}/providers/Microsoft.Network/virtualNetworks/hub"
