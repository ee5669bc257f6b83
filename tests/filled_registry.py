"""A registry without a daemon that has a network, a storage account and what a test adds."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from resolver.host_port import HostPort
from resolver.registry.model.access import check_access
from resolver.registry.model.resource_id import ArmId
from resolver.registry.registry import Registry
from resolver.registry.service import resources
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call
from resolver.registry.service.resources import Precondition
from resolver.registry.service.types import type_of
from resolver.registry_settings import RegistrySettings
from tests import registry_shapes
from tests.registry_shapes import BOTH, CONSUMER, PROVIDER, TENANT, Client, first_resources

SETTINGS: Final = msgspec.convert(
    {
        "listen": HostPort("127.0.0.1", 8443),
        "tenant": TENANT,
        "subscriptions": [{"id": CONSUMER, "name": "consumer"}, {"id": PROVIDER, "name": "provider"}],
        "clients": registry_shapes.accepted_clients(),
    },
    RegistrySettings,
)


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Registry]:
    """Yield a registry with the group `rg` of both subscriptions, the network `hub` and the account `acct`."""
    made = Registry(str(folder), lambda: SETTINGS)
    async with made.opened():
        await write(made, first_resources())
        yield made


async def write(registry: Registry, bodies: Mapping[str, Any], client: Client = BOTH) -> None:
    """Write resources by id, as a client."""

    def work(call: Call) -> None:
        for path, body in bodies.items():
            found = ArmId.parse(path)
            check_access(call.caller, found, "write")
            resources.put(call, type_of(found), found, Body(body), Precondition())

    await registry.write(registry_shapes.caller(client), work)
