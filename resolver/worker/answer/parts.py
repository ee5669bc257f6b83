"""The parts that one worker answers with, put together from its settings.

The only place that wires them: the worker, the tests, the fuzzers and the benchmarks all begin here.
"""

from dataclasses import dataclass, replace

from resolver import settings
from resolver.forward.cache import UpstreamCache
from resolver.forward.loops import LoopDetector
from resolver.forward.routing import UpstreamGroups
from resolver.worker.access.clients import Clients
from resolver.worker.access.cookies import Cookies
from resolver.worker.access.edns import OptionReader
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.behaviour import behaviour
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.durations import Durations
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from zones.azure.catalogue import catalogue
from zones.claims.policy import Policies
from zones.dns.name import from_text
from zones.networks.network import Networks
from zones.table.table import Table


@dataclass(frozen=True, slots=True)
class Parts:
    """What a `Responder` answers with. `dataclasses.replace` exchanges a part."""

    clock: Clock
    networks: Networks
    upstreams: UpstreamGroups
    table: Table
    """Empty until control or a test fills it."""
    cache: UpstreamCache
    """Replies of upstreams."""
    answers: AnswerCache
    """Compiled answers."""
    counters: Counters
    durations: Durations
    fallbacks: Fallbacks
    loops: LoopDetector
    clients: Clients
    cookies: Cookies
    options: OptionReader
    engine: Engine


def compose(worker: settings.WorkerSettings, clock: Clock) -> Parts:
    """Return the parts for a worker with these settings."""
    cache = UpstreamCache(worker.cache.size, worker.cache.stale)
    return _with_table(worker, clock, cache, Counters(), Cookies(worker.cookies.root))


def with_new_table(worker: settings.WorkerSettings, earlier: Parts) -> Parts:
    """Return the parts for other settings, with an empty table: its rows mean something else with these settings.

    The cache, the counters and the secrets of cookies are those of the earlier parts.
    """
    return _with_table(worker, earlier.clock, earlier.cache, earlier.counters, earlier.cookies)


def with_same_table(worker: settings.WorkerSettings, earlier: Parts) -> Parts:
    """Return the parts for other settings with which the table keeps its meaning. The table and all caches stay."""
    upstreams = UpstreamGroups(worker.upstreams)
    clients = Clients(earlier.networks, worker)
    return replace(
        earlier,
        upstreams=upstreams,
        loops=LoopDetector(worker.upstreams, worker.mark, earlier.clock.wall),
        clients=clients,
        options=OptionReader(clients, worker.identity, earlier.cookies if worker.cookies.answer else None),
        engine=Engine(
            earlier.table, earlier.networks, upstreams, earlier.cache, earlier.counters, behaviour(worker)
        ),
    )  # fmt: skip


def _with_table(
    worker: settings.WorkerSettings, clock: Clock, cache: UpstreamCache, counters: Counters, cookies: Cookies
) -> Parts:
    networks = Networks(worker.networks, auto=worker.auto)
    upstreams = UpstreamGroups(worker.upstreams)
    policies = Policies(worker.zones.defaults, worker.zones.overrides)
    table = Table(catalogue(worker.catalogue), policies)
    table.unsynced = worker.unsynced
    table.awaited = frozenset(map(from_text, worker.zones.origins)) | policies.named
    clients = Clients(networks, worker)
    return Parts(
        clock=clock,
        networks=networks,
        upstreams=upstreams,
        table=table,
        cache=cache,
        answers=AnswerCache(len(networks.names), worker.cache.answers),
        counters=counters,
        durations=Durations(counters),
        fallbacks=Fallbacks(networks.label, counters, clock.wall),
        loops=LoopDetector(worker.upstreams, worker.mark, clock.wall),
        clients=clients,
        cookies=cookies,
        options=OptionReader(clients, worker.identity, cookies if worker.cookies.answer else None),
        engine=Engine(table, networks, upstreams, cache, counters, behaviour(worker)),
    )
