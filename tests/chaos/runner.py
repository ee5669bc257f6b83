"""Runs faults, and measures what clients notice of each.

A fault is over when every query that was sent for `settle` seconds, after the last one that was not answered well, has
its right answer in time. The next fault begins then.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.questions import Outcome
from bench.steady import PATIENCE
from tests.chaos import files
from tests.chaos.fault import Fault, Since
from tests.chaos.observer import Imperfect, Observer, observing
from tests.chaos.sessions import Session
from tests.chaos.site import Site, running
from tests.live.daemon import give_way, until

_RECOVERY: Final = 60.0
"""Seconds after which a fault counts as not recovered from."""


class Row(NamedTuple):
    """What clients noticed of a fault."""

    session: str
    fault: str
    recovered: float
    """Seconds until the last query was sent that had no right answer in time; 0 where there was none."""
    sent: int
    wrong: int
    servfail: int
    lost: int
    late: int
    against: tuple[str, ...]
    """Examples of what the fault must not cause. Empty: all is well."""


def run(session: Session, folder: Path, rate: float, settle: float, patience: float = PATIENCE) -> Iterator[Row]:
    """Yield a row for each fault of a session. Raises AssertionError where pldns does not recover.

    A query without an answer in `patience` seconds is lost.
    """
    disk = folder / "disk"
    if session.mounted:
        files.mount(disk)
    try:
        with (
            running(folder, session.setup) as site,
            observing(site.ports, site.authority, rate, patience) as observer,
        ):
            until(lambda: observer.decided > 0)
            end = _settle(observer, time.monotonic(), settle)
            for fault in session.faults:
                row, end = _row(session, fault, site, observer, settle, end)
                yield row
        assert "Traceback" not in site.log.read_text(), site.log.read_text()[-4000:]
    finally:
        if session.mounted:
            files.unmount(disk)


def _row(
    session: Session, fault: Fault, site: Site, observer: Observer, settle: float, begin: float
) -> tuple[Row, float]:
    """Return the row of a fault for the queries that were sent since `begin`, and until when they were sent."""
    began = time.monotonic()
    over = fault.begin(site)
    give_way(fault.hold)
    if over:
        until(over)
    at_end = time.monotonic()
    fault.end(site)
    since = began if fault.since is Since.BEGIN else at_end
    until(site.is_well)
    end = _settle(observer, max(since, at_end), settle)
    imperfect = observer.between(begin, end)
    counts = Counter(each.outcome for each in imperfect)
    against = [each for each in imperfect if not fault.allowed.permits(each.kind, each.outcome)]
    row = Row(
        session.name,
        fault.name,
        max((each.at - since for each in imperfect if each.at > since), default=0.0),
        observer.sent(begin, end),
        counts[Outcome.WRONG],
        counts[Outcome.SERVFAIL],
        counts[Outcome.LOST],
        sum(each.late for each in imperfect if each.outcome is not Outcome.LOST),
        tuple(map(_text, against[:5])),
    )
    return row, end


def _settle(observer: Observer, since: float, settle: float) -> float:
    """Wait until all queries of the last `settle` seconds are well answered. Return until when all are decided."""

    def is_calm() -> bool:
        decided = observer.decided
        return decided >= since + settle and not observer.between(decided - settle, decided)

    try:
        until(is_calm, _RECOVERY)
    except AssertionError:
        last = [*map(_text, observer.between(since, time.monotonic()))][-5:]
        raise AssertionError(f"no recovery within {_RECOVERY:.0f} s: {last}") from None
    return observer.decided


def _text(each: Imperfect) -> str:
    return f"{each.outcome}: {each.kind} {each.name} over {each.transport}"
