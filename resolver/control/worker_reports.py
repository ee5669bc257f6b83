"""What workers report: counters, gauges, fallbacks, and forwarding loops, with the findings about these.

Does not know how reports arrive. Workers are not trusted: all that they report is limited (`aggregates`).
"""

from collections.abc import Iterable

from resolver.channel.frames import CounterReport, FallbackReport, GaugeReport, LoopReport
from resolver.control.aggregates import CounterTotals, FallbackList, Gauges, LoopList
from resolver.control.estate.estate import Estate
from resolver.control.traffic import Traffic
from resolver.control.upstream_watch import UpstreamWatch
from zones.clocks import WallTime
from zones.findings.board import Topic

Report = CounterReport | GaugeReport | FallbackReport | LoopReport


class WorkerReports:
    """The reports of all workers, added up. `groups`: the names of the upstream groups."""

    def __init__(self, groups: Iterable[str], estate: Estate) -> None:
        self.totals = CounterTotals()
        self.gauges = Gauges()
        self._upstreams = UpstreamWatch()
        self.fallbacks = FallbackList()
        self.traffic = Traffic()
        self._loops = LoopList(groups)
        self._estate = estate

    def take(self, worker: int, report: Report, now: WallTime) -> None:
        """Add one report."""
        match report:
            case CounterReport(instance=instance, values=values):
                self.totals.report(worker, instance, values)
            case GaugeReport(first=first, values=gauges):
                self.gauges.report(worker, gauges, first=first)
            case FallbackReport(items=items):
                self.fallbacks.add(items)
            case LoopReport(items=items):
                for group, finding in self._loops.add(items, now):
                    self._estate.board.replace(Topic.UPSTREAM, group, [finding], now)

    def configure(self, groups: Iterable[str], now: WallTime) -> None:
        """Note that these are the groups now, and that the estate has another board."""
        for group, finding in self._loops.configure(groups):
            self._estate.board.replace(Topic.UPSTREAM, group, [finding], now)

    def sample(self, now: WallTime) -> None:
        """Remember the counters for the rates of the last minute."""
        if self.traffic.is_due(now):
            self.traffic.sample(now, self.totals)

    def expire(self, now: WallTime) -> None:
        """Remove the findings about loops that have ended, and log which upstream servers went down or came back."""
        self._upstreams.look(self.gauges)
        for group in self._loops.expire(now):
            self._estate.board.replace(Topic.UPSTREAM, group, [], now)
