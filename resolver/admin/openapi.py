"""The OpenAPI 3.1 document of the admin interface, made from the routes and their pydantic models."""

import re
from collections.abc import Sequence
from typing import Final

from resolver.admin import schemas
from resolver.admin.resources.configuration import ConfigurationRefused
from resolver.admin.resources.model import Model, Parameters, ProblemDetails
from resolver.admin.resources.status import NotReady, Ready
from resolver.admin.route import Route
from resolver.admin.schemas import Json, list_name, reference
from resolver.version import VERSION

_PROBLEMS: Final = {
    400: "A parameter is unknown or invalid.",
    405: "The path has no such method.",
    421: "The Host header does not name this interface.",
    500: "pldns has a mistake; its log has more.",
}
"""Errors of every route, by status."""
_OF_ROLES: Final = {
    401: "The request proves no identity, or its token is wrong, revoked or expired.",
    403: "The identity may not do this.",
}
"""Errors of routes that need a role."""
_OF_BODIES: Final = {
    408: "The body did not arrive in time.",
    412: "The resource is not in the state that If-Match names.",
    413: "The body is too large.",
    415: "The body is not JSON.",
}
"""Errors of routes with a body."""
_OWN_MODELS: Final[dict[int, type[Model]]] = {422: ConfigurationRefused}
"""The models of errors that have more keys than others."""
_OF_TAGS: Final = ("If-None-Match", "The tags of known responses: 304 where one of these is the present one.")
_OF_CHANGES: Final = ("If-Match", "The tag of the resource: 412 where the resource has changed.")
_UNMODELLED: Final = {
    "application/json": {"type": "object"}, "application/octet-stream": {"type": "string", "format": "binary"},
}  # fmt: skip
"""Schemas of responses without a model, by media type; text where there is none."""
_METHODS: Final = {"Allow": "The methods of the path."}
_SCHEMES: Final = {"WWW-Authenticate": "The scheme of tokens (RFC 6750)."}
_HEADERS: Final = {405: _METHODS, 401: _SCHEMES}
"""Headers of errors by status, with their meaning."""
_ABOUT: Final = """\
The admin interface of pldns. A GET or HEAD request changes nothing. Over TCP, a change needs a token; the Unix socket \
and loopback addresses may need none. docs/access.md has the rules, docs/admin-api.md the conventions."""


def document(routes: Sequence[Route]) -> Json:
    """Return the OpenAPI document of these routes."""
    returned = {route.returns for route in routes if route.returns and not route.listed}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pldns admin interface",
            "version": VERSION,
            "summary": "State, findings, history and changes of a running pldns.",
            "description": _ABOUT,
        },
        "servers": [{"url": "/", "description": "The listener that this document came from."}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(route.path) for route in routes)],
        "paths": _paths(routes),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`pldns token new`"}},
            "schemas": schemas.components(
                sorted(returned | {ProblemDetails, NotReady, ConfigurationRefused}, key=lambda model: model.__name__),
                dict.fromkeys(route.returns for route in routes if route.returns and route.listed),
                dict.fromkeys(route.body for route in routes if route.body),
            ),
        },
    }


def _paths(routes: Sequence[Route]) -> Json:
    paths: Json = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            paths.setdefault(path, {})["post" if route.body else "get"] = _operation(route, path)
    return paths


def _tag(path: str) -> str:
    """Return the tag of a path: its resource, such as `zones`; `health` for paths without a version."""
    _, first, *rest = path.split("/")
    return rest[0].partition(".")[0] if first == "v1" else "health"


def _operation(route: Route, path: str) -> Json:
    problems = _PROBLEMS | (_OF_ROLES if route.role else {}) | (_OF_BODIES if route.body else {})
    problems |= dict(route.problems)
    body = {}
    if route.body:
        content = {"application/json": {"schema": reference(route.body.__name__)}}
        body = {"requestBody": {"required": True, "content": content}}
    return {
        "operationId": _operation_id(route, path),
        "tags": [_tag(route.path)],
        "summary": route.summary,
        "x-pldns-role": str(route.role or "none"),
        "security": [{}, {"token": []}] if route.role else [],
        "parameters": _parameters(route),
        **body,
        "responses": {
            str(route.status): {"description": route.summary, **_tag_header(route), "content": _content(route)},
            **(
                {"304": {"description": "The client has this response.", **_tag_header(route)}}
                if route.has_tags
                else {}
            ),
            **{str(status): _problem(route, status, text) for status, text in sorted(problems.items())},
        },
    }


def _tag_header(route: Route) -> Json:
    if not route.has_tags:
        return {}
    return {"headers": {"ETag": {"description": "RFC 9110 §8.8.3", "schema": {"type": "string"}, "required": True}}}


def _operation_id(route: Route, path: str) -> str:
    """Return the name of an operation in generated clients, such as `listZonesRecords` or `postCache`."""
    parts = [part for part in path.split("/") if part != "v1" and not part.startswith("{")]
    words = [word for part in parts for word in re.split(r"[.-]", part)]
    verb = "post" if route.body else "list" if route.listed else "get"
    return verb + "".join(word.capitalize() for word in words)


def _problem(route: Route, status: int, text: str) -> Json:
    model = NotReady if route.returns is Ready and status == 503 else _OWN_MODELS.get(status, ProblemDetails)
    headers = {
        name: {"description": about, "schema": {"type": "string"}, "required": True}
        for name, about in _HEADERS.get(status, {}).items()
    }
    return {
        "description": text,
        **({"headers": headers} if headers else {}),
        "content": {"application/problem+json": {"schema": reference(model.__name__)}},
    }


def _content(route: Route) -> Json:
    if route.returns is None:
        return {media: {"schema": _UNMODELLED.get(media, {"type": "string"})} for media in route.media}
    name = list_name(route.returns) if route.listed else route.returns.__name__
    return {media: {"schema": reference(name)} for media in route.media}


def _parameters(route: Route) -> list[Json]:
    path = [
        {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    headers = [
        {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}
        for name, about in (
            *route.headers,
            *([_OF_TAGS] if route.has_tags else []),
            *([_OF_CHANGES] if route.body else []),
        )
    ]
    # A parameter is given or absent, but never null.
    required = [name for name, field in route.parameters.model_fields.items() if field.is_required()]
    return path + headers + [
        {
            "name": name, "in": "query", "required": name in required,
            "description": field.description or "", "schema": _schema(route.parameters, name),
        }
        for name, field in route.parameters.model_fields.items()
    ]  # fmt: skip


def _schema(parameters: type[Parameters], name: str) -> Json:
    schema = parameters.model_json_schema()
    found: Json = dict(schema["properties"][name])
    for key in ("title", "description", "default"):
        if key != "default" or not found.get(key):
            found.pop(key, None)
    options = [option for option in found.pop("anyOf", []) if option.get("type") != "null"]
    for option in options:
        reference = option.get("$ref", "").rpartition("/")[2]
        resolved = schema["$defs"][reference] if reference else option
        found |= {key: value for key, value in resolved.items() if key not in {"title", "description"}}
    return found
