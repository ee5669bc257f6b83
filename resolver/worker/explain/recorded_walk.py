"""A walk that records its steps. Every decision is made by `worker.answer.walk`; this file only watches. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from resolver.channel.trace import CacheState, Route, Row, ServerState, Step, UpstreamUse
from resolver.forward.cache import Key, UpstreamFailure
from resolver.wire.query import Query
from resolver.wire.relay import Message
from resolver.worker.answer import walk
from resolver.worker.answer.response import Draft
from resolver.worker.answer.walk import Basis, Fetched, Walk
from zones.clocks import SteadyTime
from zones.dns.name import Name, is_wildcard
from zones.dns.record import RRset
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Alias, DataOrigin, Failure, FailureReason, NoData, Outcome, Outside, Referral
from zones.table.table import Table

Servers: TypeAlias = Callable[[str], Iterable[ServerState]]
"""Returns the servers of a group in the order in which the next question would ask them."""


@dataclass(slots=True)
class _Open:
    """A step while it is recorded. The fields are those of `Step`."""

    name: Name
    row: Row = Row.UPSTREAM
    zone: Name | None = None
    wildcard: bool = False
    zones: tuple[Name, ...] = ()
    private: Name | None = None
    stars: tuple[Name, ...] = ()
    reason: str = ""
    records: tuple[RRset, ...] = ()
    target: Name | None = None
    stripped: bool = False
    route: Route = Route.DEFAULT
    suffix: Name | None = None
    upstream: UpstreamUse | None = None

    def closed(self) -> Step:
        return Step(
            self.name, self.row, self.zone, self.wildcard, self.zones, self.private, self.stars, self.reason,
            self.records, self.target, self.stripped, self.upstream,
        )  # fmt: skip


@dataclass(slots=True)
class Recorder:
    """The steps of the last walk. `servers` describes the servers of a group."""

    servers: Servers
    open: list[_Open] = field(default_factory=list)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the last walk."""
        return tuple(step.closed() for step in self.open)

    def walk(self, basis: Basis, query: Query, network: NetworkIndex, now: SteadyTime, fetched: Fetched) -> Walk:
        """Return a walk that is recorded here. It replaces the steps of an earlier walk."""
        self.open = []
        return _RecordedWalk(self, basis, query, network, now, fetched)


class _RecordedWalk(Walk):
    def __init__(
        self,
        recorder: Recorder,
        basis: Basis,
        query: Query,
        network: NetworkIndex,
        now: SteadyTime,
        fetched: Fetched,
    ) -> None:
        super().__init__(basis, query, network, now, fetched)
        self._recorder = recorder
        self._now_open = _Open(query.name)

    def draft(self) -> Draft:
        """See `Walk.draft`."""
        found = super().draft()
        if found.hops > walk.MAX_HOPS:
            last = self._recorder.open[-1]
            self._recorder.open.append(_Open(last.target or last.name, Row.ALIASES))
        return found

    def _step(self, name: Name) -> Name | None:
        step = self._now_open = _Open(name)
        self._recorder.open.append(step)
        if self._is_dropped(name):
            step.row = Row.DROPPED
        else:
            self._looked_up(step, self._table.lookup(name, self._query.qtype, self._network))
        before = len(self._draft.answer)
        try:
            step.target = super()._step(name)
        finally:
            step.records = tuple(self._draft.answer[before:])
        return step.target

    def _looked_up(self, step: _Open, outcome: Outcome) -> None:
        step.row = row_of(outcome, step.name, self._table, self._network)
        step.zone = outcome.cut if isinstance(outcome, Referral) else outcome.zone
        step.wildcard = getattr(outcome, "wildcard", False)
        step.zones = tuple(self._table.zones_over(step.name, self._network))
        owned = self._table.endpoints.owned_name(step.name, self._network)
        step.private = owned.private if owned else None
        step.stars = tuple(dict.fromkeys(name for name in outcome.deps if is_wildcard(name)))
        step.reason = outcome.why if isinstance(outcome, Failure) else ""

    def _is_kept_here(self, name: Name, outcome: Outside | Referral) -> bool:
        kept = super()._is_kept_here(name, outcome)
        if kept:
            step = self._now_open
            step.zone = self._private_suffix(name)
            step.row = Row.PRIVATE_ONLY if step.zone else Row.LOCAL_REVERSE
            step.zone = step.zone or self._local_apex(name, outcome)
        return kept

    def _forward(self, name: Name, group: str, outcome: Outside | Referral) -> Name | None:
        step = self._now_open
        covering = self._upstreams.covering_suffix(name)
        if isinstance(outcome, Outside) and outcome.group:
            step.route = Route.POLICY
        elif covering:
            step.route, step.suffix = Route.SUFFIX, covering[0]
        return super()._forward(name, group, outcome)

    def _reply(self, key: Key) -> walk.UpstreamReply | None:
        reply = super()._reply(key)
        self._now_open.upstream = self._used(key, reply)
        return reply

    def _used(self, key: Key, reply: walk.UpstreamReply | None) -> UpstreamUse:
        now, step = self._now, self._now_open
        state, rcode, failure, age, left = CacheState.MISS, None, "", 0.0, 0.0
        held = self._cache.stale(key, now)
        if held is not None and (reply is None or reply.stale):
            state = CacheState.EXPIRED if reply is None else CacheState.STALE
            rcode, age, left = held.message.rcode, now - held.stored, held.expires - now
        elif reply is not None and isinstance(reply.message, Message):
            state, rcode, age, left = CacheState.HIT, reply.message.rcode, now - reply.stored, reply.expires - now
        elif reply is not None and isinstance(reply.message, UpstreamFailure):
            found = self._cache.failed(key)
            state, failure, left = CacheState.FAILED, reply.message.text, found[1] - now if found else 0.0
        return UpstreamUse(
            key.group, key.name, key.type, step.route, step.suffix or b"", state, key in self._fetched, rcode, failure,
            age, left, tuple(self._recorder.servers(key.group)),
        )  # fmt: skip

    def _screened(self, group: str, rrsets: tuple[RRset, ...]) -> tuple[RRset, ...]:
        left = super()._screened(group, rrsets)
        self._now_open.stripped |= left != rrsets
        return left


_OF_ENDPOINTS: Final = {Alias: Row.ALIAS, NoData: Row.OTHER_TYPES}


def row_of(outcome: Outcome, name: Name, table: Table, network: NetworkIndex) -> Row:
    """Return the row of docs/answers.md that an outcome of the table belongs to."""
    if isinstance(outcome, Failure):
        return _of_failure(outcome, name, table, network)
    if isinstance(outcome, Outside):
        return Row.MISS_POLICY if outcome.zone is not None else Row.UPSTREAM
    origin = getattr(outcome, "origin", DataOrigin.STATIC)
    if origin is DataOrigin.PTR:
        return Row.POINTER
    if origin is DataOrigin.POLICY:
        return Row.MISS_POLICY
    if origin is DataOrigin.STATIC:
        zone = table.static.get(outcome.zone)
        return Row.ZONE_FILE if zone is not None and name in zone.names else Row.REST_OF_ZONE_FILE
    owned = table.endpoints.owned_name(name, network)
    if owned is None and not getattr(outcome, "wildcard", False):
        return Row.MISS_POLICY  # the apex of a private zone, or a name that exists because a name below it does
    usual = Row.ADDRESS if owned is None or owned.private == name else Row.ALIAS
    return _OF_ENDPOINTS.get(type(outcome), usual)


def _of_failure(outcome: Failure, name: Name, table: Table, network: NetworkIndex) -> Row:
    if outcome.why is FailureReason.UNSYNCED:
        return Row.NOT_READY
    if outcome.why is FailureReason.MISS:
        return Row.MISS_POLICY
    owned = table.endpoints.owned_name(name, network)
    return Row.ALIAS if owned is not None and owned.private != name else Row.ADDRESS
