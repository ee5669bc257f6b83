"""`make bench`: measures pldns on this machine in one run, prints targets beside figures, keeps them in results/.

A missed target is a figure, not a failure: exit 0. What did not run at all is: exit 1.
"""

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import load
from bench.measure import Plan, Result, everything, machine
from bench.processes import Broken

RESULTS: Final = Path(__file__).parent / "results"
_VERDICT: Final = {True: "met", False: "MISSED", None: ""}


def line(result: Result) -> str:
    """One line of the table."""
    target = "" if result.limit is None else f"{'>=' if result.least else '<='} {result.limit:,g}"
    digits = 2 if result.value < 100 else 0
    measured = f"{result.value:,.{digits}f} {result.unit}"
    return f"{result.what:<38} {target:>10} {measured:>20}  {_VERDICT[result.met]:<6}  {result.note}".rstrip()


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="of dnsperf, for each kind of query")
    parser.add_argument("--seconds", type=int, default=10, help="of each round")
    given = parser.parse_args()
    results = []
    print(f"{'':<38} {'target':>10} {'measured':>20}")
    with tempfile.TemporaryDirectory(prefix="pldns-bench-") as directory:
        try:
            for result in everything(Plan(Path(directory), given.endpoints, given.rounds, given.seconds)):
                results.append(result)
                print(line(result), flush=True)
        except Broken as error:
            print(f"broken: {error}", file=sys.stderr)
            return 1
    if not load.AVAILABLE:
        print("queries per second: not measured, dnsperf or taskset is missing")
    print(f"kept in {keep(results)}")
    return 0


def keep(results: list[Result]) -> Path:
    """Write the results beside those of earlier runs."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    file = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    rows = [result._asdict() | {"met": result.met} for result in results]
    file.write_text(json.dumps({"at": now.isoformat(), "machine": machine(), "results": rows}, indent=2) + "\n")
    return file


if __name__ == "__main__":
    sys.exit(main())
