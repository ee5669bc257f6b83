"""Breaks pldns on purpose, while every answer is checked: `python -m tests.chaos [--write] [SESSION...]`.

Prints a table of what clients notice of each fault, and keeps it in build/chaos.json together with earlier runs.
`--write` puts the table into docs/reliability.md. Exit status 1: a fault did what it must not do. As root, the
faults of disks run too, in a mount namespace of their own. Linux only.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.chaos import table
from tests.chaos.runner import Row, run
from tests.chaos.sessions import SESSIONS, Session

_INSIDE: Final = "PLDNS_CHAOS_NAMESPACE"
"""Set in the mount namespace."""


def main() -> int:
    """Run the sessions, and print and keep their rows."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("sessions", nargs="*", help=", ".join(each.name for each in SESSIONS))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--rate", type=float, default=300.0, help="queries a second")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds of calm that end a fault")
    given = parser.parse_args()
    is_root = os.geteuid() == 0
    if is_root and _INSIDE not in os.environ:
        os.environ[_INSIDE] = "1"
        command = [sys.executable, "-m", "tests.chaos", *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *command])  # noqa: S606 - this program
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what was started
    rows: list[Row] = []
    for session in _wanted(given.sessions):
        if session.mounted and not is_root:
            print(f"{session.name}: left out, because it needs root")  # noqa: T201 - a program
            continue
        with tempfile.TemporaryDirectory(prefix="pldns-chaos-") as folder:
            for row in run(session, Path(folder), given.rate, given.settle):
                rows.append(row)
                print(table.line(row), *row.against, sep="\n    ", flush=True)  # noqa: T201 - a program
                table.keep(rows)
    if given.write:
        table.write("make chaos", table.table(table.kept()))
    return int(any(row.against for row in rows))


def _wanted(names: list[str]) -> list[Session]:
    unknown = set(names) - {each.name for each in SESSIONS}
    if unknown:
        sys.exit(f"unknown sessions: {', '.join(sorted(unknown))}")
    return [each for each in SESSIONS if not names or each.name in names]


if __name__ == "__main__":
    sys.exit(main())
