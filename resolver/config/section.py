"""The base of all configuration models, and the types that the models have at a location in the file."""

from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """A mapping in the file. Unknown keys are refused, and a number where text is expected becomes text."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def kind(root: type[BaseModel], location: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - types have no common type
    """Return the type at `location` in `root`: a model, `tuple[…]`, `dict[…]` or a scalar. None: there is no such key.

    Where a mapping may have several types, its `type` is an extra part of `location`, as in pydantic's errors.
    """
    found: Any = root
    for part in location:
        found = _step(found, part)
    return found


def written(root: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the location in the file: the parts of `location` that are not types."""
    found: Any = root
    steps = []
    for part in location:
        if not _choices(found):
            steps.append(part)
        found = _step(found, part)
    return tuple(steps)


def _step(found: Any, part: str | int) -> Any:  # noqa: ANN401 - as above
    if choices := _choices(found):
        return choices.get(str(part))
    if isinstance(found, type) and issubclass(found, BaseModel):
        field = fields(found).get(str(part))
        return _bare(field.annotation) if field else None
    if get_origin(found) is tuple and isinstance(part, int):
        return _bare(get_args(found)[0])
    return _bare(get_args(found)[1]) if get_origin(found) is dict else None


def _choices(found: Any) -> dict[str, type[BaseModel]]:  # noqa: ANN401 - as above
    """Return the sections of a union by their `type`; empty when `found` is not a union of sections."""
    if get_origin(found) is not UnionType or not all(map(_is_section, get_args(found))):
        return {}
    return {get_args(each.model_fields["type"].annotation)[0]: each for each in get_args(found)}


def _is_section(found: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(found, type) and issubclass(found, BaseModel)


def _bare(found: Any) -> Any:  # noqa: ANN401 - as above
    """Return the type without annotations, and without the None of an optional section."""
    while get_origin(found) is Annotated:
        found = get_args(found)[0]
    sections = [_bare(each) for each in get_args(found) if _is_section(_bare(each))]
    return sections[0] if get_origin(found) is UnionType and len(sections) == 1 else found
