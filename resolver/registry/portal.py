"""What people do with the registry other than through Azure's API: list what they see, make resources, and decide.

The admin interface and its commands use the registry through this. Each call has a caller, and goes to the services
that the Resource Manager's API uses. Does not know HTTP.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from resolver.registry import feed
from resolver.registry.feed import Changes
from resolver.registry.leader_readings import Sharing
from resolver.registry.model.access import Caller, check_access
from resolver.registry.model.connection import Action
from resolver.registry.model.failure import ArmFailure, no_database
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.selection import Match, Selection
from resolver.registry.model.short_request import EndpointRequest, NetworkRequest, TargetRequest
from resolver.registry.registry import Registry
from resolver.registry.service import creation, lists, named, resources
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call
from resolver.registry.service.lists import ConnectionEntry, EndpointEntry, Part, SubnetEntry, TargetEntry
from resolver.registry.service.resources import Precondition
from resolver.registry.service.types import type_of
from resolver.registry.service.virtual_networks import SUBNETS
from resolver.registry.store.sqlite_file import Unavailable
from resolver.registry_settings import RegistrySettings

_STATUS: Final = {Action.APPROVE: "Approved", Action.REJECT: "Rejected"}

_T = TypeVar("_T")


class Portal:
    """The registry for people. All methods raise `ArmFailure`, which is 503 while the database cannot be used."""

    def __init__(self, registry: Registry, signed: Callable[[str], Awaitable[Caller]] | None = None) -> None:
        """`signed` returns the client whose token the header `Authorization` has. None: no client has a token."""
        self._registry = registry
        self._signed = signed

    @property
    def settings(self) -> RegistrySettings:
        """The present settings of the registry."""
        return self._registry.settings()

    @property
    def sharing(self) -> Sharing | None:
        """How several control planes share the registry; None for a registry that is alone."""
        return self._registry.shared.sharing if self._registry.shared else None

    async def client(self, token: str) -> Caller | None:
        """Return the client of the registry whose token a text is; None for other texts. Raises nothing."""
        if self._signed is None:
            return None
        try:
            return await self._signed(f"Bearer {token}")
        except (ArmFailure, Unavailable):
            return None

    async def endpoints(self, caller: Caller, wanted: Selection, after: str, size: int) -> Part[EndpointEntry]:
        """Return the next private endpoints after a key, `size` at most."""
        return await self._read(caller, lambda call: lists.endpoints(call, wanted, after, size))

    async def connections(self, caller: Caller, wanted: Selection, after: str, size: int) -> Part[ConnectionEntry]:
        """Return the next private endpoint connections after a key, `size` at most."""
        return await self._read(caller, lambda call: lists.connections(call, wanted, after, size))

    async def subnets(self, caller: Caller, wanted: Selection, after: str, size: int) -> Part[SubnetEntry]:
        """Return the next subnets after a key, `size` at most."""
        return await self._read(caller, lambda call: lists.subnets(call, wanted, after, size))

    async def targets(self, caller: Caller, wanted: Selection, after: str, size: int) -> Part[TargetEntry]:
        """Return the next targets after a key, `size` at most. Private link services are among them."""
        return await self._read(caller, lambda call: lists.targets(call, wanted, after, size))

    async def endpoint(self, caller: Caller, text: str, match: Match) -> EndpointEntry:
        """Return the private endpoint with this id, or a name that the text matches."""
        return await self._read(caller, lambda call: lists.endpoint_entry(call, named.endpoint(call, text, match)))

    async def connection(self, caller: Caller, text: str, match: Match) -> ConnectionEntry:
        """Return the connection with this id, or a name of its own or of its endpoint that the text matches."""
        return await self._read(caller, lambda call: lists.connection_entry(call, named.connection(call, text, match)))

    async def decide(self, caller: Caller, connection: str, action: Action, reason: str, etag: str) -> ConnectionEntry:
        """Approve, reject or remove the connection with an id. Return it; as it was, where it is removed now.

        `etag`: only while the connection has this ETag; empty: in any case.
        """
        return await self._write(caller, _decision(connection, action, reason, etag))

    async def plan_decision(self, caller: Caller, connection: str, action: Action) -> Changes:
        """Return the parts of the source that a decision would change. Changes nothing."""
        return await self._planned(caller, _decision(connection, action, "", ""))

    async def plan_creation(self, caller: Caller, wanted: EndpointRequest) -> Changes:
        """Return the parts of the source that a new endpoint would change. Changes nothing."""
        return await self._planned(caller, lambda call: creation.endpoint(call, wanted))

    async def plan_deletion(self, caller: Caller, endpoint: str) -> Changes:
        """Return the parts of the source that the deletion of an endpoint would change. Changes nothing."""
        return await self._planned(caller, _deletion(endpoint, ""))

    async def create_endpoint(self, caller: Caller, wanted: EndpointRequest) -> EndpointEntry:
        """Make a private endpoint."""
        return await self._write(caller, lambda call: lists.endpoint_entry(call, creation.endpoint(call, wanted)))

    async def create_network(self, caller: Caller, wanted: NetworkRequest) -> list[SubnetEntry]:
        """Make a virtual network. Return its subnets."""

        def work(call: Call) -> list[SubnetEntry]:
            row = creation.network(call, wanted)
            return [lists.subnet_entry(call, each) for each in call.tx.children(row.key, SUBNETS.casefold())]

        return await self._write(caller, work)

    async def create_target(self, caller: Caller, wanted: TargetRequest) -> TargetEntry:
        """Make a target."""
        return await self._write(caller, lambda call: lists.target_entry(creation.target(call, wanted)))

    async def delete_endpoint(self, caller: Caller, endpoint: str, etag: str) -> None:
        """Delete the private endpoint with an id. `etag` as for `decide`."""
        await self._write(caller, _deletion(endpoint, etag))

    async def _planned(self, caller: Caller, work: Callable[[Call], object]) -> Changes:
        """Return what a write would change, and undo the write."""

        def run(call: Call) -> None:
            work(call)
            found = feed.changes(call.tx, call.tx.changed)
            for key in found:
                check_access(caller, ArmId.parse(key), "read")  # a part has what its consumer sees
            raise _Undone(found)

        try:
            await self._write(caller, run)
        except _Undone as undone:
            return undone.changes
        raise AssertionError

    async def _read(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        try:
            return await self._registry.read(caller, work)
        except Unavailable:
            raise no_database() from None

    async def _write(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        try:
            return await self._registry.write(caller, work)
        except Unavailable:
            raise no_database() from None


class _Undone(Exception):  # noqa: N818 - undoes a write that was wanted only for what it changes
    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self.changes = changes


def _decision(connection: str, action: Action, reason: str, etag: str) -> Callable[[Call], ConnectionEntry]:
    def work(call: Call) -> ConnectionEntry:
        found = ArmId.parse(connection)
        kind, row, given = type_of(found), call.row(found), Precondition(etag)
        before = lists.connection_entry(call, row)
        if action is Action.REMOVE:
            check_access(call.caller, found, "delete")
            resources.delete(call, kind, found, given)
            return before
        check_access(call.caller, found, "write")
        state = {"status": _STATUS[action]} | ({"description": reason} if reason else {})
        body = Body({"properties": {"privateLinkServiceConnectionState": state}})
        resources.put(call, kind, found, body, given)
        return before._replace(body=call.row(found).json)

    return work


def _deletion(endpoint: str, etag: str) -> Callable[[Call], None]:
    def work(call: Call) -> None:
        found = ArmId.parse(endpoint)
        check_access(call.caller, found, "delete")
        resources.delete(call, type_of(found), found, Precondition(etag))

    return work
