"""An explanation without a daemon: from the configuration, its files, and the inventory that a daemon saved.

The estate is the one that a daemon would start with: incumbents and lingering claims are those of the saved inventory.
The engine is that of a worker, with a table of its own. No upstream server is asked, and nothing is written.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from resolver.admin.resources.explanation import Asked, Explanation, Origin, explanation
from resolver.channel.frames import Hello
from resolver.channel.trace import ServerState, Trace
from resolver.cli.configuration import load
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.feed.session import FeedSession
from resolver.forward.routing import UpstreamGroups
from resolver.host_port import bracketed
from resolver.offline.load import restored
from resolver.settings import Accepted
from resolver.worker.answer.clock import Clock, Timer
from resolver.worker.answer.parts import compose
from resolver.worker.explain.explainer import ExplainedQuery, explain
from resolver.worker.replica import Replica
from zones.clocks import WallTime, steady_clock, wall_clock
from zones.dns.parsed_zones import ParsedZones
from zones.networks.network import Network


def explained(path: Path, flags: Mapping[str, str], ask: Callable[[Iterable[Network]], Asked]) -> Explanation:
    """Return the explanation of the question that `ask` makes of the networks.

    Raises `Failed` for a configuration with a mistake, and as `ask` does.
    """
    parsed, now = ParsedZones(), WallTime(time.time())
    accepted = load(path, flags, parsed)
    estate, saved = restored(accepted.control, now, parsed)
    return next(_of_estate(accepted, estate, Origin(None, saved), [ask(estate.networks.now)], now))


def explanations(
    accepted: Accepted, questions: Iterable[Asked], now: WallTime, parsed: ParsedZones
) -> Iterator[Explanation]:
    """Return the explanation of each question. `parsed` has the zones that were parsed with the configuration."""
    estate, saved = restored(accepted.control, now, parsed)
    return _of_estate(accepted, estate, Origin(None, saved), questions, now)


def _of_estate(
    accepted: Accepted, estate: Estate, origin: Origin, questions: Iterable[Asked], now: WallTime
) -> Iterator[Explanation]:
    parts = compose(accepted.worker, Clock(steady_clock(time.monotonic), wall_clock(time.time), _never))
    replica = Replica(parts.table, parts.answers, parts.clients)
    session = FeedSession(Feed(estate, "offline"), Hello(0, 0, "", "", 0, 0), lambda: None)
    for frame in session.snapshot(partial=False):
        for _ in replica.apply(frame):
            pass
    for asked in questions:
        traces: list[Trace] = []
        query = ExplainedQuery(asked.question.message.to_wire(), asked.client, asked.transport, asked.listener)
        explain(parts, query, lambda group: _servers(parts.upstreams, group), traces.append)
        yield explanation(accepted, estate, asked, traces[0], origin, now)


def _servers(groups: UpstreamGroups, name: str) -> Iterator[ServerState]:
    """Yield the servers of a group in the order of the configuration; nothing is known of them."""
    group = groups.group(name)
    for each in group.servers if group else ():
        yield ServerState(f"{each.transport}://{bracketed(each.address)}:{each.port}", up=True, round_trip=0.0)


class _NoTimer:
    def cancel(self) -> None:
        """Do nothing: no call is due."""


def _never(_seconds: float, _call: Callable[[], None]) -> Timer:
    return _NoTimer()
