"""Makes the overview from the state of control, in words and numbers. Asks no worker, so it costs little.

Does not know how often an overview is made, or who sees it.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final

from resolver.admin.resources.model import clock_text, time_text
from resolver.admin.resources.overview import (
    HealthItem,
    HealthState,
    Overview,
    OverviewFallback,
    OverviewSource,
    OverviewUpstream,
)
from resolver.admin.resources.status import Counts, counts, traffic
from resolver.admin.view import View
from resolver.control.estate.source_health import SourceStatus
from resolver.process import wall_clock
from resolver.version import VERSION
from zones.clocks import WallTime
from zones.dns.name import to_text
from zones.findings.evidence import LISTED, Severity

_TOP: Final = 8
"""Names that fell back, in the overview."""


def overview(view: View) -> Overview:
    """Return the overview of the daemon now."""
    now, estate = wall_clock.now(), view.estate
    numbers, upstreams = counts(estate, now), _upstreams(view)
    sources = [_source(each, now) for each in estate.sources.values()]
    fallbacks = list(view.fallbacks())
    return Overview(
        at=clock_text(now), version=VERSION, started=clock_text(view.started), serial=view.serial,
        health=_health(view, numbers, sources, upstreams), counts=numbers, traffic=traffic(view.traffic),
        sources=sources[:LISTED], sources_total=len(sources),
        upstreams=upstreams[:LISTED], upstreams_total=len(upstreams),
        fallbacks=[
            OverviewFallback(
                name=to_text(each.name), zone=to_text(each.zone), network=each.network, count=each.count,
                last=time_text(each.last),
            )
            for each in nlargest(_TOP, fallbacks, key=lambda each: (each.count, each.last))
        ],
        fallbacks_total=len(fallbacks),
    )  # fmt: skip


def _source(status: SourceStatus, now: WallTime) -> OverviewSource:
    last = status.last_success
    return OverviewSource(
        name=status.name, type=status.type, freshness=status.freshness(now),
        last_success=None if last is None else clock_text(last),
        age=None if last is None else round(max(now - last, 0), 1), held=status.sync_state.held is not None,
        syncing=status.syncing, unreadable=status.unreadable, last_error=status.last_error,
    )  # fmt: skip


def _upstreams(view: View) -> list[OverviewUpstream]:
    """Return the upstream groups by name, as the workers have reported them last."""
    groups: dict[str, dict[str, bool]] = {}
    for metric, labels, value in view.gauges():
        if metric == "upstream_up":
            group, server = labels[:2]
            servers = groups.setdefault(group, {})
            servers[server] = servers.get(server, True) and value > 0
    return [_group(name, servers) for name, servers in sorted(groups.items())]


def _group(name: str, servers: Mapping[str, bool]) -> OverviewUpstream:
    down = [server for server, up in servers.items() if not up]
    return OverviewUpstream(group=name, servers=len(servers), down=down[:LISTED])


def _health(
    view: View, numbers: Counts, sources: Sequence[OverviewSource], upstreams: Sequence[OverviewUpstream]
) -> HealthItem:
    missing, severe = view.missing(), list(_severe(upstreams))
    mild = list(_mild(view, numbers, sources))
    state: HealthState = "bad" if missing or severe else "degraded" if mild else "good"
    if missing:
        sentence = f"pldns is not ready: {missing[0]}" + (f", and {len(missing) - 1} more" if len(missing) > 1 else "")
    elif severe or mild:
        first, *rest = *severe, *mild
        sentence = f"pldns answers, but {first}" + (f", and {_number(len(rest), 'more problem')}" if rest else "")
    else:
        served = f"{_number(numbers.served, 'endpoint')} served under {_number(numbers.names, 'name')}"
        sentence = f"pldns is ready: {served}, every source is fresh, no finding is an error"
    reasons = [*missing, *severe, *mild]
    return HealthItem(
        state=state, sentence=f"{sentence}.", reasons=reasons[:LISTED], reasons_total=len(reasons)
    )  # fmt: skip


def _severe(upstreams: Sequence[OverviewUpstream]) -> Iterator[str]:
    for each in upstreams:
        if len(each.down) == each.servers:
            yield f"no server of the upstream group {each.group} answers"


def _mild(view: View, numbers: Counts, sources: Sequence[OverviewSource]) -> Iterator[str]:
    if errors := numbers.findings[Severity.ERROR]:
        yield f"{_number(errors, 'finding')} {'is an error' if errors == 1 else 'are errors'}"
    for each in sources:
        if each.held:
            yield f"a sync of source {each.name} is held"
        elif each.freshness in {"stale", "expired"}:
            yield f"the data of source {each.name} is {each.freshness}"
        elif each.last_error:
            yield f"source {each.name} cannot be read: {each.last_error}"
    yield from (message for _, __, message in islice(view.estate.state.degraded(), LISTED))
    for at in islice(view.absent_addresses, LISTED):
        yield f"the machine does not have the listen address {at}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
