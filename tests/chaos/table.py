"""The rows of all faults: kept between runs, and written as a table."""

import json
from collections.abc import Iterable
from typing import Final

from tests.chaos.runner import Row
from tests.chaos.sessions import SESSIONS
from tests.paths import ROOT

KEPT: Final = ROOT / "build/chaos.json"
PAGE: Final = ROOT / "docs/reliability.md"
_COLUMNS: Final = ("fault", "workers", "seconds to recover", "sent", "wrong", "SERVFAIL", "lost", "late")


def kept() -> list[Row]:
    """Return the rows of the last runs, in the order of the sessions."""
    try:
        found = [Row(**{**row, "against": tuple(row["against"])}) for row in json.loads(KEPT.read_text())]
    except FileNotFoundError:
        return []
    order = [(session.name, fault.name) for session in SESSIONS for fault in session.faults]
    known = [row for row in found if (row.session, row.fault) in order]
    return sorted(known, key=lambda row: order.index((row.session, row.fault)))


def keep(rows: Iterable[Row]) -> None:
    """Keep these rows in place of older ones."""
    new = {(row.session, row.fault): row for row in rows}
    all_rows = {(row.session, row.fault): row for row in kept()} | new
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps([row._asdict() for row in all_rows.values()], indent=1))


def line(row: Row) -> str:
    """Return a row of the table."""
    (session,) = (each for each in SESSIONS if each.name == row.session)
    setup, fault = session.setup, row.fault
    if setup.descriptors:
        fault += f", limit of {setup.descriptors:,} descriptors"
    if "memory" in setup.settings:
        fault += f", with `memory: {setup.settings['memory']}`"
    return cells((
        fault, setup.workers, f"{row.recovered:.1f}", f"{row.sent:,}", row.wrong, row.servfail, row.lost, row.late,
    ))  # fmt: skip


def table(rows: Iterable[Row]) -> str:
    """Return the table."""
    head = f"{cells(_COLUMNS)}\n{'|---' * len(_COLUMNS)}|\n"
    return head + "".join(f"{line(row)}\n" for row in rows)


def cells(row: Iterable[object]) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(map(str, row))} |"


def write(command: str, text: str) -> None:
    """Put the result of a command into its place in docs/reliability.md."""
    begin, end = f"<!-- begin: {command} -->\n", f"<!-- end: {command} -->\n"
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
