"""The memory budget as JSON: what all processes use, and the bounds of the caches."""

from collections.abc import Iterable

from pydantic import Field

from resolver.admin.resources.model import Model
from resolver.channel.frames import MemoryReport
from resolver.memory_budget import BudgetSource, MemoryState


class WorkerMemoryItem(Model):
    """The memory of one worker, in octets. Caches and connections are estimates."""

    worker: int = Field(description="Index of the worker.")
    total: int = Field(description="All memory of the process; 0 where the system does not say.")
    replies: int = Field(description="Replies of upstream servers.")
    replies_bound: int = Field(description="Most octets of these now: `cache.size`, or less.")
    answers: int = Field(description="Compiled answers.")
    answers_bound: int = Field(description="Most octets of these now: `cache.answers`, or less.")
    connections: int = Field(description="Connections of clients, with what waits in them.")
    connections_bound: int = Field(description="Most octets of these now.")


class MemoryItem(Model):
    """The memory of all processes, in octets (docs/operations.md)."""

    budget: int | None = Field(description="What all processes together may use; null where there is no limit.")
    source: BudgetSource = Field(
        description="`configuration`: the key `memory`. `cgroup`: the limit of the control group. `none`: there is no "
        "limit."
    )
    free: int | None = Field(description="What is left of the budget; null where there is no limit.")
    supervisor: int = Field(description="What the supervisor uses.")
    control: int = Field(description="What control uses.")
    query_log: int = Field(description="What the query logger uses; 0 while queries are not logged.")
    workers: list[WorkerMemoryItem] = Field(description="Of each worker that has reported.")


def memory(state: MemoryState, reports: Iterable[tuple[int, MemoryReport]]) -> MemoryItem:
    """Return the memory of all processes as JSON. `reports`: those of the workers, by index."""
    return MemoryItem(
        budget=state.budget or None, source=state.source, free=state.free if state.budget else None,
        supervisor=state.supervisor, control=state.control, query_log=state.query_log,
        workers=[
            WorkerMemoryItem(
                worker=index, total=each.total, replies=each.replies, replies_bound=each.replies_bound,
                answers=each.answers, answers_bound=each.answers_bound, connections=each.streams,
                connections_bound=each.streams_bound,
            )
            for index, each in reports
        ],
    )  # fmt: skip
