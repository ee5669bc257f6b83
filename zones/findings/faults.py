"""Faults by the resource that they are about, whatever reported them.

Knows neither findings nor where a fault comes from. An estate has few faults, so the store keeps only those.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from zones.azure.endpoint import Fault


class Reporter(NamedTuple):
    """What reports faults. `key`: of the endpoint, the subject in the inventory, or the source of private DNS zones."""

    kind: Literal["endpoint", "inventory", "private-dns"]
    key: str


class Faults:
    """Faults by reporter and by subject."""

    def __init__(self) -> None:
        self._reported: dict[Reporter, tuple[Fault, ...]] = {}
        self._by_subject: dict[str, dict[Reporter, tuple[Fault, ...]]] = {}

    def replace(self, reporter: Reporter, faults: Iterable[Fault]) -> dict[str, tuple[Fault, ...]]:
        """Replace all faults of one reporter. Returns the faults that each affected subject has now.

        Faults of a subject are in the order of its reporters, each fault once.
        """
        before, after = self._reported.get(reporter, ()), tuple(faults)
        if before == after:
            return {}
        if after:
            self._reported[reporter] = after
        else:
            del self._reported[reporter]
        return {
            subject: self._of(subject, reporter, after)
            for subject in dict.fromkeys(fault.subject for fault in (*before, *after))
        }

    def _of(self, subject: str, reporter: Reporter, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        reported = self._by_subject.setdefault(subject, {})
        if own := tuple(fault for fault in faults if fault.subject == subject):
            reported[reporter] = own
        else:
            reported.pop(reporter, None)
        if not reported:
            del self._by_subject[subject]
        return tuple(dict.fromkeys(fault for each in sorted(reported) for fault in reported[each]))
