"""The paths of the Resource Manager below `/subscriptions`, and the handler of each. Case does not matter in a path."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.registry.arm import metadata, operations, providers, questions, resource_handlers, resource_list
from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.failure import ArmFailure
from resolver.registry.service.call import Call

Handler = Callable[[Asked, Call], Reply]

_SUBSCRIPTION: Final = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP: Final = rf"{_SUBSCRIPTION}(/resourcegroups/(?P<group>[^/]+))?"
_PROVIDER: Final = r"/providers/(?P<namespace>[^/]+)"
_PLACE: Final = r"/providers/(?P<namespace>microsoft\.network)/locations/(?P<place>[^/]+)"
_RESOURCE: Final = (
    rf"(?P<id>{_SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+){_PROVIDER}/(?P<type>[^/]+)/[^/]+(/[^/]+/[^/]+)*)"
)
_WRITES: Final = frozenset(("PUT", "PATCH", "DELETE"))
_ANY: Final = frozenset(("GET", "HEAD")) | _WRITES
_ACTION: Final = "action"
"""A POST that changes something."""


class _Route(NamedTuple):
    methods: frozenset[str]
    pattern: re.Pattern[str]
    handler: Handler
    writes: frozenset[str]


def _route(methods: str | frozenset[str], pattern: str, handler: Handler) -> _Route:
    compiled = re.compile(pattern, re.IGNORECASE)
    if methods == _ACTION:
        return _Route(frozenset(("POST",)), compiled, handler, frozenset(("POST",)))
    found = frozenset((methods,)) if isinstance(methods, str) else methods
    return _Route(found, compiled, handler, _WRITES)


_ROUTES: Final = (
    _route("GET", _SUBSCRIPTION, metadata.subscription),
    _route("GET", rf"{_SUBSCRIPTION}/locations", metadata.locations),
    _route("GET", rf"{_SUBSCRIPTION}/providers", providers.every),
    _route("GET", rf"{_SUBSCRIPTION}{_PROVIDER}", providers.one),
    _route(_ACTION, rf"{_SUBSCRIPTION}{_PROVIDER}/register", providers.register),
    _route(_ACTION, rf"{_SUBSCRIPTION}{_PROVIDER}/unregister", providers.unregister),
    _route("POST", rf"{_SUBSCRIPTION}{_PROVIDER}/checknameavailability", questions.name_is_free),
    _route("GET", rf"{_SUBSCRIPTION}/resourcegroups", resource_handlers.groups),
    _route("GET", rf"{_GROUP}/resources", resource_list.everything),
    _route("GET", rf"{_SUBSCRIPTION}{_PLACE}/operations/(?P<operation>[^/]+)", operations.status),
    _route("GET", rf"{_SUBSCRIPTION}{_PLACE}/operationresults/(?P<operation>[^/]+)", operations.result),
    _route("POST", rf"{_GROUP}{_PLACE}/checkprivatelinkservicevisibility", questions.service_is_visible),
    _route("GET", rf"{_GROUP}{_PLACE}/autoapprovedprivatelinkservices", questions.approving_services),
    _route("GET", rf"{_GROUP}{_PLACE}/availableprivateendpointtypes", questions.endpoint_types),
    _route(_ANY, rf"(?P<id>{_SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+))", resource_handlers.on_resource),
    _route("GET", rf"{_GROUP}{_PROVIDER}/(?P<type>[^/]+)", resource_handlers.in_scope),
    _route(_ANY, _RESOURCE, resource_handlers.on_resource),
    _route("GET", rf"{_RESOURCE}/privatelinkresources", resource_handlers.link_resources),
    _route("GET", rf"{_RESOURCE}/(?P<child>[^/]+)", resource_handlers.children),
)


class Matched(NamedTuple):
    """The handler of a request, the parts of its path, and whether the request changes something."""

    handler: Handler
    path: dict[str, str]
    writes: bool

    @property
    def namespace(self) -> str:
        """The namespace of the resources that the path is about; empty for a subscription or a group."""
        return self.path.get("namespace") or ""

    @property
    def type(self) -> str:
        """Their type, without its children."""
        return self.path.get("type") or ""


def match(method: str, path: str) -> Matched:
    """Return the handler of a request. Empty segments of the path do not count. Raises `ArmFailure` 404 and 405."""
    path = "/" + "/".join(filter(None, path.split("/")))
    known = False
    for route in _ROUTES:
        if found := route.pattern.fullmatch(path):
            if method in route.methods:
                parts = {name: text for name, text in found.groupdict().items() if text}
                return Matched(route.handler, parts, method in route.writes)
            known = True
    if known:
        raise ArmFailure(405, "MethodNotAllowed", f"The registry does not support {method} for {path[:200]}.")
    raise ArmFailure(404, "NotFound", f"The registry has nothing at {path[:200]}.")
