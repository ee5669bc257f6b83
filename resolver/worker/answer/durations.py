"""Durations of requests, from the packet to the reply, as a histogram by the path that the request took.

Reading the clock for each packet would slow the fast path. One request, or one batch of packets, in `SAMPLE` is timed,
and its time counts for all requests since the one before. Does not know what a request asks.
"""

from bisect import bisect_left
from typing import Final

from resolver.forward.round_trip import BOUNDS
from resolver.worker.answer.counters import Counters

METRIC: Final = "dns_request_duration_seconds"
SAMPLE: Final = 16
"""Requests, or batches of repeated packets, of which one is timed."""
PATHS: Final = ("repeated", "made", "forwarded")
"""Values of the label `path`: a repeated UDP packet, an answer that the worker made, or one that waited for an
upstream server.
"""
REPEATED: Final = 0
MADE: Final = 1
FORWARDED: Final = 2
BUCKETS: Final = (*map(str, BOUNDS), "+Inf")


class Durations:
    """The histogram of one worker, in its counters. Counters are integers, so the sum is in microseconds."""

    def __init__(self, counters: Counters) -> None:
        self._buckets = [[counters.cell(METRIC, (path, bound)) for bound in BUCKETS] for path in PATHS]
        self._sums = [counters.cell(METRIC, (path, "sum")) for path in PATHS]

    def add(self, path: int, seconds: float, requests: int) -> None:
        """Count `requests` that took this long. `path`: an index of `PATHS`."""
        self._buckets[path][bisect_left(BOUNDS, seconds)][0] += requests
        self._sums[path][0] += round(seconds * requests * 1e6)
