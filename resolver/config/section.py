"""What all parts of the configuration file share, and how keys are found in the models."""

from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """What all parts of the file share: no unknown keys; a number where text belongs is that number's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their keys in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def kind(root: type[BaseModel], location: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - types have no common type
    """The type that `root` has at `location` (a model, `tuple[…]`, `dict[…]` or a scalar), None if no such key.

    Where a mapping has several types, the one that it says is a part of the location, as pydantic has it.
    """
    found: Any = root
    for part in location:
        found = _step(found, part)
    return found


def written(root: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The location as it stands in the file, where no type is a step."""
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
    """The sections of a union by the `type` that they say; none where it is something else."""
    if get_origin(found) is not UnionType or not all(map(_is_section, get_args(found))):
        return {}
    return {get_args(each.model_fields["type"].annotation)[0]: each for each in get_args(found)}


def _is_section(found: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(found, type) and issubclass(found, BaseModel)


def _bare(found: Any) -> Any:  # noqa: ANN401 - as above
    """Without annotations, and without the None of a section that may be left out."""
    while get_origin(found) is Annotated:
        found = get_args(found)[0]
    sections = [_bare(each) for each in get_args(found) if _is_section(_bare(each))]
    return sections[0] if get_origin(found) is UnionType and len(sections) == 1 else found
