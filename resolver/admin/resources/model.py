"""What all JSON bodies of the admin interface share: the base classes, times, and problem details.

Times are RFC 3339 in UTC; durations are in seconds.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from resolver.process import wall_clock
from zones.clocks import WallTime

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A sentence of an operator."""


class Model(BaseModel):
    """A JSON object in a response. Clients must accept keys that they do not know."""

    model_config = ConfigDict(frozen=True)


class ProblemDetails(Model):
    """An error (RFC 9457)."""

    type: str = Field(description="`urn:pldns:problem:CODE`; the code stays the same for one kind of error.")
    title: str
    status: int
    detail: str | None = None


class Parameters(BaseModel):
    """Query parameters, or the JSON body of a POST. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListParameters(Parameters):
    """Query parameters that every list accepts."""

    limit: int = Field(default=1000, ge=1, le=10_000, description="Largest number of items on the page.")
    cursor: str | None = Field(default=None, description="`next` of the previous page.")


def time_text(epoch: WallTime) -> str:
    """Return a time in seconds since the epoch as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_text(when: WallTime) -> str:
    """Return a time of control's clock as text. Setting the system's clock moves it as well."""
    return time_text(wall_clock.shown(when))
