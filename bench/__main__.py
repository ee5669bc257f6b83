"""`make bench`: measures pldns on this machine in one run, prints targets beside figures, stores both in results/."""

import argparse
import sys

from bench import load
from bench.measure import MeasurePlan, everything
from bench.report import report


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="of dnsperf, for each kind of query")
    parser.add_argument("--seconds", type=int, default=10, help="of each round")
    given = parser.parse_args()
    print(f"{'':<38} {'target':>10} {'measured':>20}")
    status = report(lambda folder: everything(MeasurePlan(folder, given.endpoints, given.rounds, given.seconds)))
    if not load.AVAILABLE:
        print("queries per second: not measured, dnsperf or taskset is missing")
    return status


if __name__ == "__main__":
    sys.exit(main())
