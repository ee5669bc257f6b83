"""Counters of one worker, by metric and label values.

A cell is a list of one integer. Each compiled answer has a reference to its cell, so that the packet path counts it
with one addition. Label values come from the configuration and the catalogue, never from a packet: there are few cells.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from resolver.wire import codes

OTHER: Final = "other"
"""The label of all query types that are not in `TYPES`."""
_NAMES: Final = ("A", "AAAA", "ANY", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT")
TYPES: Final = {codes.type_number(name): name for name in _NAMES}
"""Query types that are counted one by one."""
_MOST: Final = 20_000
"""Kinds of answers that are counted with their query types; further ones are counted with the type `other`."""


class AnswerKind(NamedTuple):
    """What two metrics count answers by: `dns_responses_total` and `dns_requests_by_type_total`."""

    rcode: str
    zone: str
    network: str
    origin: str
    type: str
    """A value of `TYPES`, or `OTHER`."""


class Counters:
    """Cumulative counts since the worker started."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self._answers: dict[AnswerKind, list[int]] = {}
        self._expiring: dict[AnswerKind, list[int]] = {}
        self.compiled = [0]
        """Answers that expire and were compiled. Each is sent once; whatever is sent beyond that is a cache hit."""

    def cell(self, metric: str, labels: tuple[str, ...] = ()) -> list[int]:
        """Return the cell of a metric and its label values; the first call makes it."""
        return self._cells.setdefault((metric, labels), [0])

    def answer_cell(self, rcode: str, zone: str, network: str, origin: str, qtype: int, *, expiring: bool) -> list[int]:
        """Return the cell of a kind of answers. Answers that expire have a second cell, which `values` adds."""
        cells = self._expiring if expiring else self._answers
        kind = AnswerKind(rcode, zone, network, origin, TYPES.get(qtype, OTHER))
        if len(cells) >= _MOST and kind not in cells:
            kind = kind._replace(type=OTHER)
        return cells.setdefault(kind, [0])

    def answered(self, rcode: str, network: str, origin: str, qtype: int) -> None:
        """Count an answer that was not compiled and belongs to no zone."""
        self.answer_cell(rcode, "", network, origin, qtype, expiring=False)[0] += 1

    @property
    def expiring(self) -> int:
        """The sum of all cells for answers that expire."""
        return sum(count for (count,) in self._expiring.values())

    def add(self, metric: str, labels: tuple[str, ...] = (), by: int = 1) -> None:
        """Add to a counter outside the fast path."""
        self.cell(metric, labels)[0] += by

    def set(self, metric: str, value: int, labels: tuple[str, ...] = ()) -> None:
        """Set a counter to a number that is counted elsewhere."""
        self.cell(metric, labels)[0] = value

    def values(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Yield (metric, label values, count) of every counter."""
        for key, (count,) in self._cells.items():
            yield *key, count
        responses: dict[tuple[str, ...], int] = {}
        requests: dict[tuple[str, ...], int] = {}
        for cells in (self._answers, self._expiring):
            for kind, (count,) in cells.items():
                response, request = kind[:4], (kind.type, kind.network)
                responses[response] = responses.get(response, 0) + count
                requests[request] = requests.get(request, 0) + count
        for labels, count in responses.items():
            yield "dns_responses_total", labels, count
        for labels, count in requests.items():
            yield "dns_requests_by_type_total", labels, count
