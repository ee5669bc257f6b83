"""Worker processes as JSON: their state, their caches, and the names that no endpoint answered."""

from collections.abc import Callable
from typing import Annotated, Literal, get_args

from pydantic import Field

from resolver.admin.resources.model import ListParameters, Model, OneOf, Parameters, Time, clock_text, time_text
from resolver.channel.frames import Fallback, FallbackReason
from resolver.channel.requests import CacheStats, UpstreamState
from zones.clocks import WallTime
from zones.dns.name import to_text


class WorkerItem(Model):
    """A worker process, which answers queries."""

    index: int
    pid: int = Field(description="Process id; 0 before the worker has connected for the first time.")
    connected: bool = Field(description="It is connected to control.")
    synced: bool = Field(description="It answers from a table that holds the data of every source.")
    serial: int = Field(description="Serial of the last state that it has applied.")
    restarts: int = Field(description="Starts after the first one, since control started: the process died or hung.")
    restart_age: float | None = Field(description="Seconds since the last of these starts; null without one.")


class CacheItem(Model):
    """The caches of one worker: replies of upstreams, and compiled answers."""

    worker: int = Field(description="Index of the worker.")
    replies: int = Field(description="Number of upstream replies, with expired ones that may still be served.")
    octets: int = Field(description="Approximate memory of these replies, in octets.")
    answers: int = Field(description="Number of compiled answers.")
    answer_octets: int = Field(description="Approximate memory of the compiled answers, in octets.")


class FlushRequest(Parameters):
    """Which upstream replies the workers shall remove from their caches."""

    action: Literal["flush"]
    name: str = Field(description="The name of the question.")
    subtree: bool = Field(default=False, description="Also all names below it.")
    type: str | None = Field(default=None, description="Only questions for this record type.")


class FlushResult(Model):
    """The result of a flush."""

    flushed: int = Field(description="Number of upstream replies removed, over all workers.")
    silent: list[int] = Field(description="Workers that did not answer in time and may still hold such replies.")


class UpstreamItem(Model):
    """What one worker knows of an upstream server."""

    worker: int = Field(description="Index of the worker.")
    group: str
    server: str = Field(description="Transport, address and port.")
    up: bool = Field(description="False after two failures in a row, until an answer.")
    round_trip_ms: float | None = Field(description="Smoothed round-trip time; null before the first answer.")
    answers: int = Field(description="Number of answers since the worker started.")
    outstanding: int = Field(description="Number of queries that wait for a reply.")
    cookie: str = Field(
        description="`none`: no cookie has been sent. `client`: the server sends no cookies. `server`: it does. "
        "`paused`: a cookie came back wrong, and none is sent for 15 minutes."
    )
    plain: int = Field(description="Number of names that the server answered only without EDNS or its options.")
    failures: int = Field(description="Number of queries without a reply since the worker started.")
    last_failure: str = Field(description="Why the last query failed; empty without a failure.")
    last_failure_at: Time | None
    down_since: Time | None = Field(description="null while it is up.")
    next_probe: Time | None = Field(
        description="From when a query of a client is also sent to a server that is down; null while it is up."
    )


class FallbackItem(Model):
    """A name that may be expected to be private, and that no endpoint answered."""

    zone: str = Field(description="The private zone; the name itself where an endpoint has it outside of all of them.")
    name: str
    network: str = Field(description="Network of the clients; `none` for clients in no network.")
    reason: FallbackReason = Field(
        description="`miss-policy`: no endpoint has the name, and an upstream was asked. `no-network`: an endpoint has "
        "it, but no network holds the address of the client."
    )
    clients: list[str] = Field(
        description="Addresses of clients that asked, at most 8. The role `read` sees networks: `10.1.0.0/24`."
    )
    count: int
    first: Time
    last: Time


UpstreamCondition = Literal["up", "down"]


class UpstreamParameters(ListParameters):
    """Query parameters of `/v1/upstreams`."""

    name: tuple[str, ...] = Field(default=(), description="Only this group, or this server.")
    state: tuple[Annotated[UpstreamCondition, OneOf(get_args(UpstreamCondition))], ...] = Field(
        default=(), description="Only servers in this state."
    )


class FallbackParameters(ListParameters):
    """Query parameters of `/v1/fallbacks`."""

    zone: tuple[str, ...] = Field(default=(), description="Only names in this zone.")
    network: tuple[str, ...] = Field(default=(), description="Only clients in this network; `none`: in no network.")
    name: tuple[str, ...] = Field(default=(), description="Only this name.")
    reason: tuple[Annotated[FallbackReason, OneOf(FallbackReason)], ...] = Field(
        default=(), description="Only names with this reason."
    )


def cache(worker: int, stats: CacheStats) -> CacheItem:
    """Return the caches of one worker as JSON."""
    return CacheItem(
        worker=worker, replies=stats.replies, octets=stats.reply_octets, answers=stats.answers,
        answer_octets=stats.answer_octets,
    )  # fmt: skip


def upstream(worker: int, state: UpstreamState, now: WallTime) -> UpstreamItem:
    """Return what one worker knows of an upstream server as JSON. `now`: when the worker has replied."""
    return UpstreamItem(
        worker=worker, group=state.group, server=state.server, up=state.up,
        round_trip_ms=round(state.round_trip * 1000, 3) if state.answers else None, answers=state.answers,
        outstanding=state.outstanding, cookie=state.cookie, plain=state.plain, failures=state.failures,
        last_failure=state.failure,
        last_failure_at=_at(-state.failure_age, now) if state.failure else None,
        down_since=None if state.down_for is None else _at(-state.down_for, now),
        next_probe=None if state.probe_in is None else _at(state.probe_in, now),
    )  # fmt: skip


def _at(seconds: float, now: WallTime) -> str:
    """Return the time that is some seconds after `now`, to the second: workers report durations."""
    return clock_text(WallTime(round(now + seconds)))


def fallback(item: Fallback, address_text: Callable[[bytes], str]) -> FallbackItem:
    """Return one name that no endpoint answered as JSON. `address_text` returns the text of a client's address."""
    return FallbackItem(
        zone=to_text(item.zone), name=to_text(item.name), network=item.network, reason=item.reason,
        count=item.count,
        clients=list(dict.fromkeys(address_text(address) for address in item.clients if len(address) in {4, 16})),
        first=time_text(item.first), last=time_text(item.last),
    )  # fmt: skip
