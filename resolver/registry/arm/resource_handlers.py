"""Requests for resources: read, write, tag and delete one, and list those of a type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resolver.registry.arm import operations, paging
from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked, of_resource
from resolver.registry.model.access import check_access
from resolver.registry.model.registration import NETWORK
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service import resources, target_members
from resolver.registry.service.call import CONNECTIONS, Call
from resolver.registry.service.resources import ResourceType
from resolver.registry.service.types import type_of

_RIGHTS: Final[Mapping[str, str]] = MappingProxyType({"PUT": "write", "PATCH": "write", "DELETE": "delete"})
"""The operation that a method needs; for all other methods, `read`."""


def on_resource(asked: Asked, call: Call) -> Reply:
    """Carry out the method of a request on its resource. Raises `ArmFailure`."""
    found = asked.resource
    kind = type_of(found)
    check_access(call.caller, found, _RIGHTS.get(asked.method, "read"))
    match asked.method:
        case "GET":
            return of_resource(200, resources.get(call, kind, found))
        case "HEAD":
            return Reply(404 if call.tx.get(found.key) is None else 204)
        case "PUT":
            return _put(asked, call, kind, found)
        case "PATCH":
            return of_resource(200, resources.tag(call, kind, found, asked.body, asked.precondition))
        case "DELETE":
            return _delete(asked, call, kind, found)
    raise resources.not_allowed(found, asked.method)


def in_scope(asked: Asked, call: Call) -> Reply:
    """Return a page of the resources of a type in a subscription or a group. Raises `ArmFailure`."""
    scope = asked.scope
    check_access(call.caller, scope, "read")
    full = f"{asked.path['namespace']}/{asked.path['type']}"
    return _page(asked, call, type_of(ArmId(scope.subscription, "any").resource(full, "any")), scope)


def groups(asked: Asked, call: Call) -> Reply:
    """Return a page of the resource groups of a subscription. Raises `ArmFailure`."""
    check_access(call.caller, asked.scope, "read")
    return _page(asked, call, type_of(ArmId(asked.subscription, "any")), asked.scope)


def children(asked: Asked, call: Call) -> Reply:
    """Return a page of the children of a resource. Raises `ArmFailure`."""
    found = asked.resource
    check_access(call.caller, found, "read")
    return _page(asked, call, type_of(found.child(asked.path["child"], "any")), found)


def link_resources(asked: Asked, call: Call) -> Reply:
    """Return the sub-resources of a target. Raises `ArmFailure`."""
    check_access(call.caller, asked.resource, "read")
    return Reply(200, {"value": target_members.link_resources(call, asked.resource)})


def _page(asked: Asked, call: Call, kind: ResourceType, scope: ArmId) -> Reply:
    after, size = paging.start(asked.url)
    return Reply(200, paging.body(resources.listed(call, kind, scope, after, size), asked.url, asked.origin))


def _put(asked: Asked, call: Call, kind: ResourceType, found: ArmId) -> Reply:
    written = resources.put(call, kind, found, asked.body, asked.precondition)
    status = 201 if written.created else 200
    if not _takes_long(found):
        return of_resource(status, written.body)
    ended = operations.ended(call, found, written.body.get("location"))
    return of_resource(status, written.body, ended.headers(asked.origin, asked.version))


def _delete(asked: Asked, call: Call, kind: ResourceType, found: ArmId) -> Reply:
    if not resources.delete(call, kind, found, asked.precondition):
        return Reply(204)
    ended = operations.ended(call, found)
    headers = ended.headers(asked.origin, asked.version) | ended.result(asked.origin, asked.version)
    return Reply(202, None, headers)


def _takes_long(found: ArmId) -> bool:
    """Return whether Azure's writes of a type take long: those of the network, but not of connections."""
    return found.namespace.casefold() == NETWORK.casefold() and found.types[-1].casefold() != CONNECTIONS.casefold()
