"""The OpenAPI 3.1 document of the admin interface, made from the routes and their pydantic models."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from resolver.admin.resources.model import Parameters, ProblemDetails
from resolver.admin.resources.status import NotReady, Ready
from resolver.admin.route import Route
from resolver.version import VERSION

_REF: Final = "#/components/schemas/{model}"
_PROBLEMS: Final = {
    400: "A parameter is invalid.",
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
_OF_BODIES: Final = {408: "The body did not arrive in time.", 413: "The body is too large."}
"""Errors of routes with a body."""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI document of these routes."""
    shown: list[type[BaseModel]] = [route.returns for route in routes if route.returns]
    shown += [ProblemDetails, NotReady]
    shown += [route.body for route in routes if route.body]
    _, schemas = models_json_schema([(model, "serialization") for model in shown], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pldns admin interface", "version": VERSION, "summary": "Loopback only."},
        "paths": _paths(routes),
        "components": {"schemas": schemas["$defs"]},
    }


def _paths(routes: Sequence[Route]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            paths.setdefault(path, {})["post" if route.body else "get"] = _operation(route, path)
    return paths


def _operation(route: Route, path: str) -> dict[str, Any]:
    problems = _PROBLEMS | (_OF_ROLES if route.role else {}) | (_OF_BODIES if route.body else {})
    problems |= dict(route.problems)
    body = {}
    if route.body:
        schema = {"$ref": _REF.format(model=route.body.__name__)}
        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    return {
        "operationId": _operation_id(route, path),
        "summary": route.summary,
        "x-pldns-role": str(route.role or "none"),
        "parameters": _parameters(route),
        **body,
        "responses": {
            str(route.status): {"description": route.summary, "content": _content(route)},
            **{str(status): _problem(route, status, text) for status, text in sorted(problems.items())},
        },
    }


def _operation_id(route: Route, path: str) -> str:
    """Return the name of an operation in generated clients, such as `listZonesRecords` or `postCache`."""
    words = [word for part in path.split("/") if part != "v1" and not part.startswith("{") for word in part.split(".")]
    verb = "post" if route.body else "list" if route.listed else "get"
    return verb + "".join(word.capitalize() for word in words)


def _problem(route: Route, status: int, text: str) -> dict[str, Any]:
    name = "NotReady" if route.returns is Ready and status == 503 else "ProblemDetails"
    schema = {"$ref": _REF.format(model=name)}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _content(route: Route) -> dict[str, Any]:
    if route.returns is None:
        return {route.media: {"schema": {"type": "object"}} if route.media == "application/json" else {}}
    schema: dict[str, Any] = {"$ref": _REF.format(model=route.returns.__name__)}
    if route.listed:
        schema = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "next": {"type": ["string", "null"], "description": "`cursor` of the next page; null on the last one."},
            },
        }
    return {"application/json": {"schema": schema}}


def _parameters(route: Route) -> list[dict[str, Any]]:
    path = [
        {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    # A parameter is given or absent, but never null.
    required = [name for name, field in route.parameters.model_fields.items() if field.is_required()]
    return path + [
        {
            "name": name, "in": "query", "required": name in required,
            "description": field.description or "", "schema": _schema(route.parameters, name),
        }
        for name, field in route.parameters.model_fields.items()
    ]  # fmt: skip


def _schema(parameters: type[Parameters], name: str) -> dict[str, Any]:
    schema = parameters.model_json_schema()
    found: dict[str, Any] = dict(schema["properties"][name])
    for key in ("title", "description", "default"):
        if key != "default" or not found.get(key):
            found.pop(key, None)
    options = [option for option in found.pop("anyOf", []) if option.get("type") != "null"]
    for option in options:
        reference = option.get("$ref", "").rpartition("/")[2]
        resolved = schema["$defs"][reference] if reference else option
        found |= {key: value for key, value in resolved.items() if key not in {"title", "description"}}
    return found
