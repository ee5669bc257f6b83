"""The report of a benchmark: one line per result, and all results stored in results/.

A missed target is a result: exit status 0. A program that did not run is a failure: exit status 1. Does not know what
is measured.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.measure import Result, machine
from bench.processes import Broken

RESULTS: Final = Path(__file__).parent / "results"
_VERDICT: Final = {True: "met", False: "MISSED", None: ""}


def report(measure: Callable[[Path], Iterable[Result]]) -> int:
    """Measure in a temporary folder, print and store the results. Return the exit status."""
    results = []
    with tempfile.TemporaryDirectory(prefix="pldns-bench-") as directory:
        try:
            for result in measure(Path(directory)):
                results.append(result)
                print(line(result), flush=True)
        except (Broken, subprocess.CalledProcessError) as error:
            print(f"broken: {error}", file=sys.stderr)
            return 1
    rows = [result._asdict() | {"met": result.met} for result in results]
    print(f"kept in {keep({'results': rows})}")
    return 0


def line(result: Result) -> str:
    """Return one line of the table."""
    target = "" if result.limit is None else f"{'>=' if result.least else '<='} {result.limit:,g}"
    digits = 2 if result.value < 100 else 0
    measured = f"{result.value:,.{digits}f} {result.unit}"
    return f"{result.what:<38} {target:>10} {measured:>20}  {_VERDICT[result.met]:<6}  {result.note}".rstrip()


def keep(found: dict[str, Any], prefix: str = "") -> Path:
    """Store the results with the time and the machine, beside those of earlier runs."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    file = RESULTS / f"{prefix}{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps({"at": now.isoformat(), "machine": machine(), **found}, indent=2) + "\n")
    return file
