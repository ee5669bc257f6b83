"""Entries of the history as JSON, and the moments that a request names."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

import msgspec
from pydantic import AfterValidator, Field, model_validator

from resolver.admin.resources.findings import FindingCode, FindingSeverity
from resolver.admin.resources.model import ListParameters, Model, OneOf, Parameters, Time, time_text
from resolver.control.history.entry import Entry, Kind
from resolver.process import wall_clock
from zones.clocks import WallTime

_AGO: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _moment(text: str) -> str:
    moment(text)
    return text


def moment(text: str) -> WallTime:
    """Return the time that a text names, by the system's clock: RFC 3339, or a duration before now such as `2h`.

    A time without an offset is in UTC. Raises ValueError.
    """
    now = wall_clock.shown(wall_clock.now())
    if text == "now":
        return now
    if match := _AGO.fullmatch(text):
        return WallTime(now - int(match[1]) * _SECONDS[match[2]])
    try:
        found = datetime.fromisoformat(text)
        return WallTime(found.timestamp() if found.tzinfo else found.replace(tzinfo=_UTC).timestamp())
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is not a time such as 2026-11-28T14:00:00Z, or a duration such as 30m") from None


_UTC: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00").tzinfo
Moment = Annotated[str, AfterValidator(_moment)]


class HistoryEntry(Model):
    """One change."""

    id: int = Field(description="Grows with time.")
    at: Time
    kind: Kind = Field(description="What changed: the answers for a name, a finding, or the state of a source.")
    change: Literal["added", "changed", "removed"] = Field(
        description="A finding that opened is `added`, and one that closed is `removed`."
    )
    subject: str = Field(description="The private name, the subject of the finding, or the name of the source.")
    before: dict[str, Any] = Field(description="The state before; empty for something new.")
    after: dict[str, Any] = Field(description="The state after; empty for something that is gone.")


class EntryFilters(ListParameters):
    """Query parameters that select entries."""

    name: tuple[str, ...] = Field(default=(), description="Only this subject. A public FQDN selects its private names.")
    kind: tuple[Annotated[Kind, OneOf(Kind)], ...] = Field(default=(), description="Only entries of this kind.")
    zone: tuple[str, ...] = Field(default=(), description="Only names in this zone, and findings about these.")
    code: tuple[FindingCode, ...] = Field(default=(), description="Only findings with this code.")
    severity: tuple[FindingSeverity, ...] = Field(default=(), description="Only findings of this severity.")


class HistoryParameters(EntryFilters):
    """Query parameters of `/v1/history`."""

    since: Moment | None = Field(default=None, description="RFC 3339, or a duration before now such as `2h`.")
    until: Moment | None = Field(default=None, description="As `since`.")


class DifferenceParameters(EntryFilters):
    """Query parameters of `/v1/diff`."""

    since: Moment = Field(description="RFC 3339, or a duration before now such as `2h`.")
    until: Moment = Field(default="now", description="As `since`.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if moment(self.since) > moment(self.until):
            raise ValueError("`since` is later than `until`")
        return self


class EventParameters(Parameters):
    """Query parameters of `/v1/events`."""

    after: int | None = Field(
        default=None, ge=0, description="Begin after the entry with this id; as the header `Last-Event-ID`."
    )
    kind: tuple[Annotated[Kind, OneOf(Kind)], ...] = Field(default=(), description="Only events of this kind.")


def entry(found: Entry) -> HistoryEntry:
    """Return an entry as JSON."""
    return HistoryEntry(
        id=found.id, at=time_text(found.at), kind=found.kind, change=found.change, subject=found.subject,
        before=_state(found.before), after=_state(found.after),
    )  # fmt: skip


def _state(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any]) if text else {}
