"""Evidence of findings as JSON, and its JSON schema, both made from the evidence types."""

from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from resolver.admin.resources.model import clock_text
from zones.findings.codes import TYPES
from zones.findings.evidence import Listed
from zones.findings.fields import fields

Json = dict[str, Any]
EVIDENCE: Final[Json] = {"$comment": "Evidence"}
"""Stands for a reference to the schema `Evidence`, which pydantic does not know."""


def encoded(evidence: msgspec.Struct) -> Json:
    """Return evidence as JSON. A field that has its default is left out; a time becomes a date."""
    out: Json = {}
    for field in fields(type(evidence)):
        value = getattr(evidence, field.name)
        if value != field.default:
            out[field.name] = clock_text(value) if field.is_time else _encoded(value)
            if isinstance(value, Listed) and value.total > len(value.items):
                out[f"{field.name}_total"] = value.total
    return out


def _encoded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Listed):
        return [_encoded(each) for each in value.items]
    if isinstance(value, tuple):
        return [_encoded(each) for each in value]
    return encoded(value) if isinstance(value, msgspec.Struct) else value


def schemas() -> dict[str, Json]:
    """Return the JSON schemas by name: one for each evidence type, and `Evidence` for any of them."""
    each = {f"{kind.__name__}Evidence": schema_of(kind) for kind in TYPES}
    options = [{"$ref": f"#/components/schemas/{name}"} for name in each]
    return each | {"Evidence": {"description": "What was found. The keys depend on the code.", "anyOf": options}}


def schema_of(kind: type[msgspec.Struct]) -> Json:
    """Return the JSON schema of one evidence type, or of a struct in it."""
    properties: Json = {}
    for field in fields(kind):
        shape = {"type": "string", "format": "date-time"} if field.is_time else _of_type(field.type)
        properties[field.name] = shape | {"description": field.description}
        if get_origin(field.type) is Listed:
            total = {"type": "integer", "description": f"Number of all items, if `{field.name}` has fewer."}
            properties[f"{field.name}_total"] = total
    required = [field.name for field in fields(kind) if field.default is msgspec.NODEFAULT]
    return {"type": "object", "description": kind.__doc__, "properties": properties, "required": required}


_SCALARS = {str: "string", int: "integer", float: "number"}


def _of_type(kind: Any) -> Json:  # noqa: ANN401 - any type
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [str(each) for each in kind]}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of_type(arguments[0])
    if origin in {Listed, tuple}:
        return {"type": "array", "items": _of_type(arguments[0])}
    if origin is UnionType:
        return {"anyOf": [{"type": "null"} if each is NoneType else _of_type(each) for each in arguments]}
    return schema_of(kind)
