"""The schemas of the OpenAPI document: those of pydantic, in the form that most generators of clients understand.

A value that may be null has a list of types (`["string", "null"]`), or the alternative null beside a reference. Each
kind of evidence has a schema of its own. Lists have names.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from resolver.admin.resources import evidence

Json = dict[str, Any]
REF: Final = "#/components/schemas/{model}"
_NULL: Final = {"type": "null"}


def reference(name: str) -> Json:
    """Return a reference to a schema by its name."""
    return {"$ref": REF.format(model=name)}


def list_name(model: type[BaseModel]) -> str:
    """Return the name of the schema of a page of items of a model, such as `EndpointList`."""
    return model.__name__.removesuffix("Item") + "List"


def components(
    responses: Iterable[type[BaseModel]], listed: Iterable[type[BaseModel]], bodies: Iterable[type[BaseModel]]
) -> dict[str, Json]:
    """Return all schemas by name. `listed`: the models of items of lists."""
    listed = list(listed)
    shown: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in (*responses, *listed)]
    shown += [(model, "validation") for model in bodies]
    _, found = models_json_schema(shown, ref_template=REF)
    inputs = {model.__name__ for model in bodies}
    out = {name: _plain(schema, name in inputs) for name, schema in found["$defs"].items()}
    out |= {name: _plain(schema, is_input=False) for name, schema in evidence.schemas().items()}
    return out | {list_name(model): _page(model) for model in listed}


def _page(model: type[BaseModel]) -> Json:
    return {
        "type": "object",
        "description": "A page of a list.",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference(model.__name__)},
            "next": {"type": ["string", "null"], "description": "`cursor` of the next page; null on the last one."},
        },
    }


def _plain(schema: Json, is_input: bool) -> Json:
    """Return a schema without titles. A response leaves out what is null by default, so these keys are never null."""
    if evidence.EVIDENCE.items() <= schema.items():
        return reference("Evidence") | {key: schema[key] for key in ("description",) if key in schema}
    properties = schema.get("properties", {})
    plain = _nullable({key: value for key, value in schema.items() if key != "title"})
    plain = {key: _inner(key, value, is_input) for key, value in plain.items()}
    if properties and not is_input:
        required = schema.get("required", ())
        for name, value in plain["properties"].items():
            if name not in required and "default" in value and value["default"] is None:
                plain["properties"][name] = _never_null(value)
    return plain


def _inner(key: str, value: Any, is_input: bool) -> Any:  # noqa: ANN401 - any JSON value
    if key in {"properties", "$defs"}:
        return {name: _plain(schema, is_input) for name, schema in value.items()}
    if key == "anyOf":
        return [_plain(schema, is_input) for schema in value]
    return _plain(value, is_input) if key in {"items", "additionalProperties"} and isinstance(value, dict) else value


def _nullable(schema: Json) -> Json:
    """Return a schema whose alternative null is one of its types. References keep the alternative."""
    options = schema.get("anyOf", [])
    others = [each for each in options if each != _NULL]
    if len(others) != 1 or len(options) == 1 or "$ref" in others[0]:
        return schema
    (other,) = others
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    merged = {key: value for key, value in other.items() if key != "title"} | rest
    merged["type"] = [other["type"], "null"]
    if "enum" in other:
        merged["enum"] = [*other["enum"], None]
    return merged


def _never_null(schema: Mapping[str, Any]) -> Json:
    out = {key: value for key, value in schema.items() if key != "default"}
    if isinstance(out.get("type"), list):
        (out["type"],) = (each for each in out["type"] if each != "null")
        if "enum" in out:
            out["enum"] = [each for each in out["enum"] if each is not None]
    if "anyOf" in out:
        ((out["$ref"],),) = ([each["$ref"]] for each in out.pop("anyOf") if each != _NULL)
    return out
