"""The overview as JSON: the health of the daemon in a sentence, and the numbers that a person looks at first."""

from typing import Literal

from pydantic import Field

from resolver.admin.resources.model import Model, Time, clock_text
from resolver.admin.resources.status import Counts, TrafficItem
from resolver.control.estate.source_health import Freshness
from resolver.control.traffic import STEP, Point
from resolver.settings import SourceType

HealthState = Literal["good", "degraded", "bad"]


class HealthItem(Model):
    """The health of the daemon."""

    state: HealthState = Field(
        description="`bad`: pldns is not ready, or no server of an upstream group answers. `degraded`: a source, a "
        "worker or a finding needs a person. `good`: none of these."
    )
    sentence: str
    reasons: list[str] = Field(description="The first 32 reasons why the state is not `good`.")
    reasons_total: int


class OverviewSource(Model):
    """A source, and the age of its data."""

    name: str
    type: SourceType
    freshness: Freshness | None = Field(description="null: without data.")
    last_success: Time | None
    age: float | None = Field(description="Seconds since `last_success`.")
    held: bool = Field(description="A sync is held until an operator accepts it.")
    syncing: bool
    unreadable: int = Field(description="Number of files or subscriptions that cannot be read.")
    last_error: str


class OverviewUpstream(Model):
    """An upstream group."""

    group: str
    servers: int
    down: list[str] = Field(description="Servers that a worker regards as down.")


class OverviewFallback(Model):
    """A name that was expected to be private, and that an upstream server answered."""

    name: str
    zone: str
    network: str
    count: int
    last: Time


class Overview(Model):
    """The daemon at one time. All open pages get the same one."""

    at: Time
    version: str
    started: Time
    serial: int = Field(description="Serial of the served state; it grows with every change.")
    health: HealthItem
    counts: Counts
    traffic: TrafficItem
    sources: list[OverviewSource]
    sources_total: int
    upstreams: list[OverviewUpstream]
    upstreams_total: int
    fallbacks: list[OverviewFallback] = Field(description="The names that fell back most often, at most 8.")
    fallbacks_total: int


class TrafficPoint(Model):
    """What was counted in the `seconds` before `at`."""

    at: Time
    seconds: float
    queries: int
    private: int = Field(description="Answers from endpoints, zone files and private DNS zones.")
    public: int = Field(description="Answers of upstream servers.")
    failed: int = Field(description="Answers with the rcode SERVFAIL.")
    hits: int = Field(description="Questions to the cache of upstream replies that the cache answered.")
    misses: int


class TrafficHistory(Model):
    """The traffic of the last hour, since control started."""

    step: float = Field(description="Seconds that a point is about, or a few more; the last one is still growing.")
    points: list[TrafficPoint] = Field(description="The newest at the end.")


def traffic_history(points: list[Point]) -> TrafficHistory:
    """Return the traffic of the last hour as JSON."""
    return TrafficHistory(
        step=STEP,
        points=[
            TrafficPoint(at=clock_text(each.at), seconds=round(each.seconds, 1), **each.counted._asdict())
            for each in points
        ],
    )
