"""A registry on a file, asked in turn and without HTTP: for tests that make hundreds of requests, faults and restarts.

`stored` reads the file by itself, so that what it returns does not depend on the code of the registry.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from yarl import URL

from resolver.registry.arm.request import Asked
from resolver.registry.arm.routes import match
from resolver.registry.model.access import check_subscription
from resolver.registry.model.failure import ArmFailure
from resolver.registry.registry import Registry
from resolver.registry.service.call import Call
from resolver.registry.service.resources import Precondition
from resolver.registry.store.sqlite_file import Unavailable
from resolver.registry_settings import RegistrySettings
from tests.registry_shapes import BOTH, VERSION, Answer, Client, caller
from zones.azure.endpoint import Endpoint
from zones.azure.inventory import Inventory
from zones.azure.resource import Resources


class Request(NamedTuple):
    """A request of a client. `match`: the header `If-Match`."""

    method: str
    path: str
    body: Any = None
    client: Client = BOTH
    match: str = ""


class Stored(NamedTuple):
    """All rows of the file of a registry. Addresses are as the file spells them."""

    resources: Mapping[str, Any]
    """Bodies by key."""
    types: Mapping[str, str]
    addresses: Mapping[tuple[str, str], tuple[str, float | None]]
    """Holder and time of the release, by subnet and address."""
    connections: frozenset[tuple[str, str, str]]
    """Endpoint, connection and target."""
    counts: Mapping[tuple[str, str], int]
    aliases: Mapping[str, str]
    operations: frozenset[str]
    facts: Mapping[str, str]


class DirectRegistry:
    """The registry in a folder. `settings` may be replaced at any time."""

    def __init__(self, folder: Path, settings: RegistrySettings) -> None:
        self.settings = settings
        self.inventory = Inventory()
        """What the estate has of the registry, from the parts that it was sent."""
        self._folder = folder
        self._runner = asyncio.Runner()
        self._open()

    def _open(self) -> None:
        self._registry = Registry(str(self._folder), lambda: self.settings)
        self._registry.follow(self._follow)
        self._opened = self._registry.opened()
        self._runner.run(self._opened.__aenter__())

    def _follow(self, parts: Mapping[str, Resources | None]) -> None:
        for part, resources in parts.items():
            self.inventory.replace("lab", part, resources)

    def close(self) -> None:
        """End the registry; its file stays."""
        self._runner.run(self._opened.__aexit__(None, None, None))
        self._runner.close()

    def restart(self) -> None:
        """Close the registry, and open it again as a new process would."""
        self.close()
        self._runner = asyncio.Runner()
        self._open()

    def differences(self, had: Mapping[str, Resources]) -> dict[str, Resources | None]:
        """Return the parts that differ from those that the estate had, as a source that starts reads them."""
        return self._runner.run(self._registry.differences(had))

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return the endpoints of the estate by key."""
        return {str(key): each for key, each in self.inventory.endpoints.items()}

    # -- requests

    def ask(self, *requests: Request) -> list[Answer]:
        """Send requests at the same time. Return the responses in the same order."""
        return self._runner.run(self._together(requests))

    def ask_with_fault(self, request: Request, fault: Exception) -> Answer:
        """Send a request together with a write that raises after it has changed a row."""

        def failing(call: Call) -> None:
            call.tx.set_fact("half", "done")
            raise fault

        async def both() -> Answer:
            broken = self._registry.write(caller(BOTH), failing)
            found, _ = await asyncio.gather(self._answer(request), broken, return_exceptions=True)
            assert isinstance(found, Answer), found
            return found

        return self._runner.run(both())

    async def _together(self, requests: tuple[Request, ...]) -> list[Answer]:
        return await asyncio.gather(*map(self._answer, requests))

    async def _answer(self, request: Request) -> Answer:
        who = caller(request.client)
        octets = b"" if request.body is None else json.dumps(request.body).encode()
        try:
            found = match(request.method, request.path)
            asked = Asked(
                request.method, URL(f"http://lab{request.path}"), "http://lab", found.path, VERSION,
                Precondition(request.match), octets,
            )  # fmt: skip
            check_subscription(who, [each.id for each in self.settings.subscriptions], asked.subscription)
            run = self._registry.read if request.method == "GET" else self._registry.write
            reply = await run(who, lambda call: found.handler(asked, call))
        except ArmFailure as failure:
            return Answer(failure.status, {}, {"error": {"code": failure.code, "message": failure.message}})
        except Unavailable:
            return Answer(503, {}, {"error": {"code": "ServiceUnavailable", "message": "The database is gone."}})
        return Answer(reply.status, reply.headers, msgspec.to_builtins(reply.body))

    def stored(self) -> Stored:
        """Return all rows of the file."""
        return stored(self._registry.path)


def stored(path: Path) -> Stored:
    """Return all rows of a registry's file."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT key, type, body FROM resources").fetchall()
        addresses = file.execute("SELECT subnet, address, holder, released FROM addresses").fetchall()
        connections = file.execute("SELECT endpoint, connection, target FROM connections").fetchall()
        counts = file.execute("SELECT scope, type, number FROM counts").fetchall()
        return Stored(
            {key: json.loads(body) for key, _, body in rows},
            {key: kind for key, kind, _ in rows},
            {(subnet, address): (holder, released) for subnet, address, holder, released in addresses},
            frozenset(connections),
            {(scope, kind): number for scope, kind, number in counts},
            dict(file.execute("SELECT alias, service FROM aliases").fetchall()),
            frozenset(each for (each,) in file.execute("SELECT id FROM operations")),
            dict(file.execute("SELECT name, value FROM facts").fetchall()),
        )
