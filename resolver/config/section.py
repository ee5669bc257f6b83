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
    """The type that `root` has at `location` (a model, `tuple[…]`, `dict[…]` or a scalar), None if no such key."""
    found: Any = root
    for part in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = fields(found).get(str(part))
            found = field.annotation if field else None
        elif get_origin(found) is tuple and isinstance(part, int):
            found = get_args(found)[0]
        elif get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            return None
        found = _bare(found)
    return found


def _bare(found: Any) -> Any:  # noqa: ANN401 - as above
    """Without annotations, and without the None of a section that may be left out."""
    while get_origin(found) is Annotated:
        found = get_args(found)[0]
    sections = [each for each in get_args(found) if isinstance(each, type) and issubclass(each, BaseModel)]
    return sections[0] if get_origin(found) is UnionType and sections else found
