"""What the evidence of every finding has in common: a code, a severity, and a bounded list.

Evidence holds ids, addresses, names and paths, typed for each code. The structs themselves are in
`endpoint_evidence`, `name_evidence` and `source_evidence`; `codes` lists them. The OpenAPI schema, the words of the
command line and the reference in docs/findings.md are made from the structs.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from zones.clocks import WallTime

T = TypeVar("T")

LISTED: Final = 32
"""Most items of a list in a finding."""


class Severity(StrEnum):
    """How serious a finding is. `error` makes `pldns check` and `pldns findings` exit with status 2."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. A field with a default is absent from the JSON while it has its default."""

    code: ClassVar[str]
    """The code of the finding. Codes do not change their meaning."""
    severity: ClassVar[Severity]
    """The usual severity."""
    meaning: ClassVar[str]
    """What the code means, in one line."""
    action: ClassVar[str]
    """What pldns usually does."""


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """The first items of a list, and the number of all items.

    In JSON a field `x` of this type is a list, and `x_total` is the number where the list does not hold all items.
    """

    items: tuple[T, ...] = ()
    total: int = 0


NOTHING: Final[Listed[str]] = Listed()


def listed(items: Sequence[T]) -> Listed[T]:
    """Return the first `LISTED` items, and how many there are."""
    return Listed(tuple(items[:LISTED]), len(items))


EvidenceTime = Annotated[WallTime, Meta(extra={"time": True})]
"""Seconds since the epoch; a date in JSON."""
