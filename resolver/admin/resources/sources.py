"""Sources of endpoints as JSON: how fresh their data is, their syncs, and what is wrong with them."""

from collections.abc import Container
from itertools import islice
from math import isfinite
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from resolver.admin.resources.model import ListParameters, Model, OneOf, Parameters, Time, clock_text
from resolver.control.estate.activity import Tally
from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import Freshness, SourceStatus, SyncOutcome
from resolver.control.guard.sync_state import SyncAction, WithheldSync
from resolver.control.sync.ends import SyncEnd
from resolver.settings import OnUnsynced, SourceType
from zones.clocks import WallTime
from zones.findings.evidence import LISTED


class HeldSync(Model):
    """A sync, or a change of files, that would remove too much. It is not served until an operator accepts it."""

    since: Time = Field(description="When a sync was first held. A later one that is held too replaces it.")
    read: Time = Field(description="When this sync was read.")
    reasons: list[str]
    endpoints: int = Field(description="Number of private endpoints that it would remove, or leave without a name.")
    vnets: int = Field(description="Number of virtual networks that it would remove.")
    zone_groups: int = Field(description="Number of DNS zone groups that it would remove while their endpoints stay.")
    ids: list[str] = Field(description="Some of the resources that it would remove.")


class SyncItem(Model):
    """The syncs of a source. pldns watches files: a sync of these is a scan after a change."""

    syncing: bool = Field(description="A sync is under way.")
    next: Time | None = Field(description="When the next sync begins; null while one is under way, and for files.")
    interval: float | None = Field(description="Current time between two syncs, in seconds.")
    duration: float | None = Field(description="Duration of the last sync, in seconds.")
    failures: int = Field(description="Number of failed syncs in a row; each one lengthens the time to the next.")
    results: dict[SyncOutcome, int] = Field(
        description="Number of syncs that were `published`, `held` or `failed` since control started; empty for files."
    )
    calls_per_hour: int | None = Field(description="Requests per hour to Azure, if every sync is like the last one.")
    absent: int = Field(
        description="Number of resources that recent syncs lack and that are still served, because their removal is "
        "not confirmed."
    )
    held: HeldSync | None


class PassedOver(Model):
    """The resources of one file that pldns does not need."""

    file: str
    count: int = Field(description="Number of these resources.")
    types: dict[str, int] = Field(description="Number of resources by type, for the 32 most frequent types.")


class SourceItem(Model):
    """A source of endpoints, and the state of its data."""

    name: str
    type: SourceType
    path: str = Field(
        description="Path of the files; for a remote source, the origin that it reads, such as the Resource Manager."
    )
    on_unsynced: OnUnsynced
    synced: bool = Field(description="It has provided a complete inventory, live or saved.")
    saved: bool = Field(description="Its data still comes from the saved inventory.")
    last_success: Time | None
    age: float | None = Field(description="Seconds since `last_success`.")
    freshness: Freshness | None = Field(
        description="`stale` after three intervals without a good sync, `expired` after `expire`; null without data."
    )
    last_error: str
    parts: int = Field(description="Number of files or subscriptions.")
    unreadable: int = Field(
        description="Number of files or subscriptions that cannot be read. What has been read of them before is served."
    )
    incomplete: int = Field(description="Number of files that are a part of a list whose other pages are missing.")
    passed_over: list[PassedOver] = Field(
        description="Resources that pldns does not need, for the first 32 files that have some."
    )
    passed_over_total: int = Field(description="Number of files that have such resources.")
    endpoints: int = Field(description="Number of private endpoints in its data, served or not.")
    vnets: int = Field(description="Number of virtual networks in its data.")
    sync: SyncItem


SourceState = Literal["fresh", "stale", "expired", "unread", "held"]


class SourceParameters(ListParameters):
    """Query parameters of `/v1/sources`."""

    name: tuple[str, ...] = Field(default=(), description="Only the source of this name.")
    state: tuple[Annotated[SourceState, OneOf(get_args(SourceState))], ...] = Field(
        default=(), description="Only sources of this freshness; `unread`: without data; `held`: a sync is held."
    )


def has_state(status: SourceStatus, states: Container[SourceState], now: WallTime) -> bool:
    """Return whether a source is in one of these states. A source with a held sync is `held` and, say, `fresh`."""
    return (status.freshness(now) or "unread") in states or ("held" in states and status.sync_state.held is not None)


class Degradation(Model):
    """A problem with a source that has data, or with the state directory. What has been read before is still served."""

    source: str = Field(description="The source; empty for the state directory.")
    scope: str = Field(description="The file or subscription; empty for the whole source.")
    message: str


class SyncChanges(Model):
    """Numbers of resources of one kind that a sync added, changed and removed."""

    added: int
    changed: int
    removed: int


class SyncResult(Model):
    """What a sync led to."""

    outcome: SyncOutcome
    error: str = Field(description="Why it failed; empty otherwise.")
    endpoints: SyncChanges
    vnets: SyncChanges
    names: int = Field(description="Number of names whose answers changed.")


class SyncReply(SourceItem):
    """The source after an operator's command."""

    result: SyncResult | None = Field(
        description="What the sync led to; null without `wait`, and where the sync has not ended in time."
    )


class SyncRequest(Parameters):
    """What an operator wants done with a source."""

    action: SyncAction = Field(
        description="`now`: sync at once; for files, read every file again. `accept`: publish the held sync. `drop`: "
        "discard the held sync; the next sync is checked as usual. Dropped files keep their last good data until they "
        "change again."
    )
    wait: float = Field(
        default=0.0, ge=0, le=60, description="For `now`: most seconds to wait for the end of the sync."
    )

    @model_validator(mode="after")
    def _waits_for_a_sync(self) -> Self:
        if self.wait and self.action != "now":
            raise ValueError("`wait` is only for `now`")
        return self


def reply(estate: Estate, status: SourceStatus, now: WallTime, end: SyncEnd | None) -> SyncReply:
    """Return a source as JSON, with the end of a sync."""
    return SyncReply(**source(estate, status, now).model_dump(), result=_result(end) if end else None)


def _result(end: SyncEnd) -> SyncResult:
    return SyncResult(
        outcome=end.outcome, error=end.error, endpoints=_changes(end.activity.endpoints),
        vnets=_changes(end.activity.vnets), names=end.names,
    )  # fmt: skip


def _changes(tally: Tally) -> SyncChanges:
    return SyncChanges(added=tally.added, changed=tally.changed, removed=tally.removed)


def source(estate: Estate, status: SourceStatus, now: WallTime) -> SourceItem:
    """Return the state of one source as JSON."""
    last, parts = status.last_success, estate.inventory.of(status.name).values()
    return SourceItem(
        name=status.name, type=status.type, path=status.path, on_unsynced=status.on_unsynced, synced=status.synced,
        saved=status.saved, last_success=None if last is None else clock_text(last),
        age=None if last is None else round(max(now - last, 0), 3), freshness=status.freshness(now),
        last_error=status.last_error, parts=status.parts, unreadable=status.unreadable,
        incomplete=len(status.incomplete), passed_over=_passed_over(status), passed_over_total=len(status.passed_over),
        endpoints=sum(len(each.endpoints) for each in parts), vnets=sum(len(each.vnets) for each in parts),
        sync=_syncs(status),
    )  # fmt: skip


def degradations(estate: Estate) -> tuple[list[Degradation], int]:
    """Return the first 32 problems that do not make the daemon unready, and the number of all of them."""
    found = estate.health.degraded() + estate.state.degraded()
    listed = [Degradation(source=name, scope=scope, message=message) for name, scope, message in found[:LISTED]]
    return listed, len(found)


def _passed_over(status: SourceStatus) -> list[PassedOver]:
    return [
        PassedOver(file=file, count=sum(types.values()), types=dict(islice(types.items(), LISTED)))
        for file, types in islice(sorted(status.passed_over.items()), LISTED)
    ]


def _syncs(status: SourceStatus) -> SyncItem:
    return SyncItem(
        syncing=status.syncing, next=None if status.next_sync is None else clock_text(status.next_sync),
        interval=round(status.interval, 3) if isfinite(status.interval) else None,
        duration=None if status.duration is None else round(status.duration, 3),
        failures=status.failures, results=dict(status.results),
        calls_per_hour=status.requests.per_hour if status.requests else None, absent=len(status.sync_state.missing),
        held=_held(status.sync_state.held) if status.sync_state.held else None,
    )  # fmt: skip


def _held(held: WithheldSync) -> HeldSync:
    return HeldSync(
        since=clock_text(held.since), read=clock_text(held.at), reasons=list(held.reasons), endpoints=held.endpoints,
        vnets=held.vnets, zone_groups=held.zone_groups, ids=list(held.ids),
    )  # fmt: skip
