"""The class of all commands. It converts arguments itself, so that a command starts without pydantic.

Typer builds a pydantic validator for each parameter, and importing pydantic alone takes as long as the rest of
`pldns status`. A parameter of a type that is not known here is left to typer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, get_args

from typer import BadParameter, Typer
from typer._coercion import RuntimeParam
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from resolver.cli import output
from resolver.cli.options import Output

_NUMBERS: Final[dict[type, str]] = {int: "a whole number", float: "a number"}

Parameter = TyperArgument | TyperOption
Convert = Callable[[Any], Any]
"""Converts one value. Raises ValueError with the reason."""


class Command(TyperCommand):
    """A command whose arguments are converted without pydantic."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - those of `TyperCommand`
        super().__init__(*arguments, **settings)
        _convert(self.params)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as in typer
        """Run the command. Its option `--output` also holds for `output.data`."""
        output.use(ctx.params.get("output") or Output.JSON)
        return super().invoke(ctx)

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - as in typer
        """Return the option `--help`, whose value is converted directly too."""
        option = super().get_help_option(ctx)
        _convert([option])
        return option


class Group(TyperGroup):
    """A group of commands whose own options are converted without pydantic."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - those of `TyperGroup`
        super().__init__(*arguments, **settings)
        _convert(self.params)

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - as in typer
        """Return the option `--help`, whose value is converted directly too."""
        option = super().get_help_option(ctx)
        _convert([option])
        return option


class Commands(Typer):
    """A `Group` with commands of class `Command`."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - those of `Typer`
        super().__init__(cls=Group, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - those of `Typer.command`
        """Return the decorator that adds a command."""
        return super().command(name, cls=Command, **settings)


@dataclass(frozen=True)
class _Converted(RuntimeParam):
    convert: Convert

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - as in typer
        try:
            if isinstance(value, list | tuple):
                return [self.convert(each) for each in value]
            return self.convert(value)
        except ValueError as error:
            raise BadParameter(str(error), ctx=ctx, param=param) from None


def _convert(parameters: Iterable[object]) -> None:
    """Have typer convert the values of these parameters directly."""
    for parameter in parameters:
        if isinstance(parameter, Parameter):
            described = parameter.type_descriptor
            if convert := _conversion(described.annotation, parameter):
                # Typer has no public way to replace a conversion. A test tries each type.
                parameter._runtime_param = _Converted(described.parameter_info, described.annotation, convert)  # noqa: SLF001


def _conversion(annotation: Any, parameter: Parameter) -> Convert | None:  # noqa: ANN401 - any annotation
    """Return how values of a type are converted; None for a type that typer converts."""
    kind = get_args(annotation)[0] if parameter.type_descriptor.is_list else annotation
    if kind in {str, bool, Path}:
        return kind if kind is Path else _unchanged
    if kind in _NUMBERS:
        least, most = parameter.type_descriptor.parameter_info.min, parameter.type_descriptor.parameter_info.max
        return lambda value: _number(kind, value, least, most)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return lambda value: _choice(kind, value)
    return None


def _unchanged(value: Any) -> Any:  # noqa: ANN401 - any value
    return value


def _number(kind: type, value: Any, least: float | None, most: float | None) -> Any:  # noqa: ANN401 - of `kind`
    try:
        number = kind(value)
    except ValueError:
        raise ValueError(f"`{value}` is not {_NUMBERS[kind]}") from None
    if not (least is None or number >= least) or not (most is None or number <= most):
        raise ValueError(f"{value} is not {_range(least, most)}")
    return number


def _range(least: float | None, most: float | None) -> str:
    if most is None:
        return f"{least:g} or more"
    return f"{most:g} or less" if least is None else f"from {least:g} to {most:g}"


def _choice(kind: type[StrEnum], value: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        values = [each.value for each in kind]
        near = get_close_matches(value, values, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ValueError(f"`{value}` is not one of {', '.join(values)}{hint}") from None
