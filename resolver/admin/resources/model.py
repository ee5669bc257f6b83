"""What all JSON bodies of the admin interface share: the base classes, times, and problem details.

Times are RFC 3339 in UTC; durations are in seconds.
"""

import difflib
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from resolver.process import wall_clock
from zones.clocks import WallTime

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A sentence of an operator."""


class Model(BaseModel):
    """A JSON object in a response. Clients must accept keys that they do not know."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ProblemDetails(Model):
    """An error (RFC 9457)."""

    type: str = Field(description="`urn:pldns:problem:CODE`; the code stays the same for one kind of error.")
    title: str
    status: int
    detail: str | None = None
    nearest: list[str] | None = Field(
        default=None,
        description="For an unknown parameter or value: known ones that resemble it most. Without any: all, if few.",
    )
    azure: str | None = Field(default=None, description="Of an error of the registry: Azure's code.")


class Parameters(BaseModel):
    """Query parameters, or the JSON body of a POST. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def repeatable(cls) -> frozenset[str]:
        """Return the query parameters that may be given several times, which selects any of the values."""
        return frozenset(name for name, field in cls.model_fields.items() if get_origin(field.annotation) is tuple)


class ListParameters(Parameters):
    """Query parameters that every list accepts."""

    limit: int = Field(default=1000, ge=1, le=10_000, description="Largest number of items on the page.")
    cursor: str | None = Field(
        default=None, description="`next` of the previous page, which had the same path and the same other parameters."
    )


UNKNOWN_VALUE: Final = "unknown_value"
"""The type of pydantic's error for a value that is in no closed set.

Its context has the value that was `said`, and those that are `nearest`.
"""
_NEAREST: Final = 3
_FEW: Final = 8


class OneOf:
    """Accepts one value of a closed set, in any case: an annotation of `str`, of a `StrEnum` or of a `Literal`."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = tuple(dict.fromkeys(map(str, values)))

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._known, handler(source))

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._values)}

    def _known(self, value: object) -> object:
        folded = value.casefold() if isinstance(value, str) else None
        found = next((each for each in self._values if each.casefold() == folded), None)
        if found is not None:
            return found
        near = nearest(str(value), self._values)
        said = str(value)
        text = no_such("value", said, near)
        raise PydanticCustomError(UNKNOWN_VALUE, "{text}", {"text": text, "said": said, "nearest": near})


def nearest(said: str, known: Collection[str]) -> list[str]:
    """Return the known values that resemble a text most, the nearest first. Where none does, and few are known: all."""
    folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(said[:255].casefold(), folded, _NEAREST)
    return [folded[each] for each in close] or (list(known) if len(known) <= _FEW else [])


def hint(near: Collection[str]) -> str:
    """Return the end of a sentence that names the nearest values; empty without any."""
    return f"; nearest: {', '.join(f'`{each}`' for each in near)}" if near else ""


def no_such(kind: str, said: str, near: Collection[str]) -> str:
    """Return the sentence about a value of a kind that does not exist, with those that are nearest."""
    return f"there is no {kind} `{said[:80]}`{hint(near)}"


def time_text(epoch: WallTime) -> str:
    """Return a time in seconds since the epoch as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_text(when: WallTime) -> str:
    """Return a time of control's clock as text. Setting the system's clock moves it as well."""
    return time_text(wall_clock.shown(when))
