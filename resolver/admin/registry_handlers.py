"""Handlers for the registry: its lists, and what owners and consumers do with private endpoints and connections.

Does not know what the registry does, or who may do it there (`resolver.registry`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from resolver.admin import filters
from resolver.admin.access import registry_callers
from resolver.admin.access.identity import IDENTITY
from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import Page, check_scope, decoded_cursor, encoded_cursor
from resolver.admin.resources import registry
from resolver.admin.resources.model import ListParameters, Model, Parameters
from resolver.admin.resources.registry import (
    DecisionRequest,
    DeletionRequest,
    EndpointCreation,
    NetworkCreation,
    PlanRequest,
    RegistryEndpointParameters,
    RegistryListParameters,
    RegistryParameters,
    TargetCreation,
)
from resolver.admin.responses import item_response, list_response
from resolver.admin.route import Context
from resolver.control.estate import preview as previews
from resolver.http_protocol import Response
from resolver.process import wall_clock
from resolver.registry.model.access import Caller
from resolver.registry.model.connection import Action
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.selection import Match, Selection
from resolver.registry.model.short_request import EndpointRequest, NetworkRequest, TargetRequest

if TYPE_CHECKING:  # only a configuration with a registry loads the registry
    from resolver.registry.feed import Changes
    from resolver.registry.portal import Portal

_CODES: Final[Mapping[int, Code]] = MappingProxyType(
    {
        403: Code.REGISTRY_FORBIDDEN,
        404: Code.REGISTRY_MISSING,
        409: Code.REGISTRY_CONFLICT,
        412: Code.CHANGED,
        503: Code.REGISTRY_UNAVAILABLE,
    }
)
"""By the status of Azure's error."""
MEDIA: Final = "application/octet-stream"
_RETRY: Final = MappingProxyType({"Retry-After": "5"})


async def list_endpoints(context: Context, request: web.Request, asked: RegistryEndpointParameters) -> web.Response:
    """Answer with the private endpoints in the subscriptions that the caller sees, sorted by id."""
    portal, caller = _portal(context), _caller(context, request)
    wanted = Selection(asked.subscription, asked.state, asked.vnet, asked.target, asked.name)
    with _refusals(request):
        found = await portal.endpoints(caller, wanted, _after(request, asked), asked.limit)
    return _listed(request, asked, [registry.endpoint(*each) for each in found.items], found.next)


async def get_endpoint(context: Context, request: web.Request, _: Parameters) -> web.Response:
    """Answer with one private endpoint."""
    with _refusals(request):
        found = await _portal(context).endpoint(_caller(context, request), request.match_info["name"], Match.BEGINNING)
    return item_response(registry.endpoint(found.body, found.nic))


async def list_connections(context: Context, request: web.Request, asked: RegistryParameters) -> web.Response:
    """Answer with the connections to targets in the subscriptions that the caller sees, sorted by id."""
    portal, caller = _portal(context), _caller(context, request)
    wanted = Selection(asked.subscription, asked.state, (), asked.target, asked.name)
    with _refusals(request):
        found = await portal.connections(caller, wanted, _after(request, asked), asked.limit)
    return _listed(request, asked, [registry.connection(*each) for each in found.items], found.next)


async def get_connection(context: Context, request: web.Request, _: Parameters) -> web.Response:
    """Answer with one connection."""
    with _refusals(request):
        found = await _portal(context).connection(
            _caller(context, request), request.match_info["name"], Match.BEGINNING
        )
    return item_response(registry.connection(found.body, found.message))


async def list_subnets(context: Context, request: web.Request, asked: RegistryListParameters) -> web.Response:
    """Answer with the subnets that the caller sees, sorted by id."""
    portal, caller = _portal(context), _caller(context, request)
    wanted = Selection(subscriptions=asked.subscription, names=asked.name)
    with _refusals(request):
        found = await portal.subnets(caller, wanted, _after(request, asked), asked.limit)
    return _listed(request, asked, [registry.subnet(*each) for each in found.items], found.next)


async def list_targets(context: Context, request: web.Request, asked: RegistryListParameters) -> web.Response:
    """Answer with the targets that the caller sees, sorted by id."""
    portal, caller = _portal(context), _caller(context, request)
    wanted = Selection(subscriptions=asked.subscription, names=asked.name)
    with _refusals(request):
        found = await portal.targets(caller, wanted, _after(request, asked), asked.limit)
    return _listed(request, asked, [registry.target(*each) for each in found.items], found.next)


async def create_endpoint(context: Context, request: web.Request, wanted: EndpointCreation) -> web.Response:
    """Make a private endpoint."""
    asked = _endpoint_request(wanted)
    with _refusals(request), _audited(context, request, "registry.create", wanted.name):
        made = await _portal(context).create_endpoint(_caller(context, request), asked)
    item = registry.endpoint(made.body, made.nic)
    context.audit(
        request, "registry.create", item.id, {}, {"target": item.target, "subnet": item.subnet, "state": item.state}
    )
    return item_response(item, status=201)


async def create_network(context: Context, request: web.Request, wanted: NetworkCreation) -> web.Response:
    """Make a virtual network."""
    subnets = tuple((each.name, each.prefix) for each in wanted.subnets)
    asked = NetworkRequest(
        wanted.name, tuple(wanted.prefixes), subnets, wanted.group, wanted.location, wanted.subscription
    )
    with _refusals(request), _audited(context, request, "registry.create", wanted.name):
        made = await _portal(context).create_network(_caller(context, request), asked)
    item = registry.RegistryNetworkItem(subnets=[registry.subnet(*each) for each in made])
    context.audit(request, "registry.create", wanted.name, {}, {"prefixes": wanted.prefixes})
    return item_response(item, status=201)


async def create_target(context: Context, request: web.Request, wanted: TargetCreation) -> web.Response:
    """Make a target."""
    with _refusals(request), _audited(context, request, "registry.create", wanted.name):
        made = await _portal(context).create_target(_caller(context, request), TargetRequest(**dict(wanted)))
    item = registry.target(made.body, made.sub_resources)
    context.audit(request, "registry.create", item.id, {}, {"type": item.type})
    return item_response(item, status=201)


async def delete_endpoint(context: Context, request: web.Request, wanted: DeletionRequest) -> web.Response:
    """Delete a private endpoint in any state."""
    portal, caller = _portal(context), _caller(context, request)
    with _refusals(request):
        before = await portal.endpoint(caller, request.match_info["name"], Match.WHOLE)
        item = registry.endpoint(before.body, before.nic)
        with _audited(context, request, "registry.delete", item.id):
            await portal.delete_endpoint(caller, item.id, wanted.etag)
    context.audit(request, "registry.delete", item.id, {"state": item.state, "target": item.target}, {})
    return item_response(item)


async def approve(context: Context, request: web.Request, wanted: DecisionRequest) -> web.Response:
    """Approve a connection in any state."""
    return await _decide(context, request, Action.APPROVE, wanted)


async def reject(context: Context, request: web.Request, wanted: DecisionRequest) -> web.Response:
    """Reject a connection in any state."""
    return await _decide(context, request, Action.REJECT, wanted)


async def remove(context: Context, request: web.Request, wanted: DecisionRequest) -> web.Response:
    """Remove a connection."""
    return await _decide(context, request, Action.REMOVE, wanted)


async def _decide(context: Context, request: web.Request, action: Action, wanted: DecisionRequest) -> web.Response:
    portal, caller = _portal(context), _caller(context, request)
    with _refusals(request):
        before = await portal.connection(caller, request.match_info["name"], Match.WHOLE)
        key = before.body["id"]
        with _audited(context, request, f"registry.{action}", key):
            after = await portal.decide(caller, key, action, wanted.reason, wanted.etag)
    state = {} if action is Action.REMOVE else {"state": after.state, "reason": wanted.reason}
    context.audit(request, f"registry.{action}", key, {"state": before.state}, state)
    return item_response(registry.connection(after.body, after.message))


async def plan(context: Context, request: web.Request, wanted: PlanRequest) -> web.Response:
    """Answer with the parts of the source that a change would replace, in the form of this version of pldns."""
    return Response(body=msgspec.msgpack.encode(await _planned(context, request, wanted)), content_type=MEDIA)


async def preview(context: Context, request: web.Request, wanted: PlanRequest) -> web.Response:
    """Answer with what a change would do to endpoints, names and findings."""
    parts = await _planned(context, request, wanted)
    estate, now = context.estate, wall_clock.now()
    source = next((each.name for each in estate.settings.sources if each.type == "registry"), "")
    return item_response(registry.registry_preview(previews.preview(estate, source, parts, now), parts, now))


async def _planned(context: Context, request: web.Request, wanted: PlanRequest) -> "Changes":
    """Return the parts of the source that a change would replace."""
    portal, caller = _portal(context), _caller(context, request)
    with _refusals(request):
        if wanted.action == "create":
            if wanted.endpoint is None:
                raise Refused(Code.INVALID_BODY, "endpoint: is missing")
            return await portal.plan_creation(caller, _endpoint_request(wanted.endpoint))
        if wanted.action == "delete":
            found = await portal.endpoint(caller, wanted.name, Match.WHOLE)
            return await portal.plan_deletion(caller, found.body["id"])
        connection = await portal.connection(caller, wanted.name, Match.WHOLE)
        return await portal.plan_decision(caller, connection.body["id"], Action(wanted.action))


def _endpoint_request(wanted: EndpointCreation) -> EndpointRequest:
    return EndpointRequest(**{**dict(wanted), "addresses": tuple(wanted.addresses)})


def _portal(context: Context) -> "Portal":
    found = context.view.registry
    if found is None:
        raise Refused(
            Code.NO_REGISTRY,
            "there is no registry: the configuration has no section `registry`, or it is new and needs a restart",
        )
    return found


def _caller(context: Context, request: web.Request) -> Caller:
    return registry_callers.caller(request[IDENTITY], _portal(context).settings)


@contextmanager
def _refusals(request: web.Request) -> Iterator[None]:
    """Turn failures of the registry into errors of this interface, with Azure's code and sentence."""
    try:
        yield
    except ArmFailure as failure:
        if failure.status == 403 and not request[IDENTITY].is_proven:
            raise Refused(Code.TOKEN_MISSING, f"this needs a token: {failure.message}") from None
        headers = _RETRY if failure.status == 503 else {}
        code = _CODES.get(failure.status, Code.REGISTRY_INVALID)
        raise Refused(code, failure.message, headers, azure=failure.code) from None


@contextmanager
def _audited(context: Context, request: web.Request, action: str, target: str) -> Iterator[None]:
    """Record that the registry refuses a change, where it does."""
    try:
        yield
    except ArmFailure as failure:
        context.audit(request, action, target, {}, {"status": failure.status, "refused": failure.code})
        raise


def _after(request: web.Request, asked: ListParameters) -> str:
    """Return the key after which a page begins. Raises `InvalidCursor`."""
    if asked.cursor is None:
        return ""
    after, scope = decoded_cursor(asked.cursor, tuple[str, str])
    check_scope(scope, filters.page_request(request, asked).scope)
    return after


def _listed(request: web.Request, asked: ListParameters, items: Sequence[Model], after: str) -> web.Response:
    scope = filters.page_request(request, asked).scope
    return list_response(
        Page([each.model_dump_json().encode() for each in items], encoded_cursor((after, scope)) if after else None)
    )
