"""The fields of evidence types, as JSON, its schema, the command line and the docs show them."""

from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec
from msgspec import structs

from zones.findings.codes import TYPES


class Field(NamedTuple):
    """One field of an evidence type, or of a struct in it."""

    name: str
    type: Any
    """The type without its annotations."""
    description: str
    label: str
    """The words of the command line for the field."""
    is_time: bool
    """The value is in seconds since the epoch."""
    default: Any
    """`msgspec.NODEFAULT` for a field that is always present."""


@cache
def fields(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of an evidence type, or of a struct in it."""
    return tuple(_field(each) for each in structs.fields(kind))


def _field(field: structs.FieldInfo) -> Field:
    bare, *metas = get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
    return Field(
        field.name,
        bare,
        next(meta.description for meta in metas if meta.description),
        next((meta.title for meta in metas if meta.title), field.name.replace("_", " ")),
        any(meta.extra for meta in metas),
        field.default,
    )


@cache
def labels(code: str) -> dict[str, str]:
    """Return the label of each field of the evidence of a code. Fields of structs in it have none."""
    return {field.name: field.label for kind in TYPES if kind.code == code for field in fields(kind)}
