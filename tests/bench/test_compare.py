"""A small run of the comparison with other servers. The measured figures do not matter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import load, peers
from tests.paths import ROOT
from tests.ports import free_ports


@pytest.mark.peer
def test_the_comparison_runs() -> None:
    if not load.AVAILABLE:
        pytest.skip("dnsperf or taskset is not installed (Debian: dnsperf, util-linux)")
    port = str(free_ports(peers.PORTS)[0])
    command = [sys.executable, "-m", "bench.compare", "--names", "100", "--rounds", "1", "--seconds", "1",
               "--waits", "1", "--port", port,
               "--workloads", "A", "TCP", "--servers", "pldns", "echo in C"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    file = Path(done.stdout.splitlines()[-1].removeprefix("kept in "))
    kept = json.loads(file.read_text())
    file.unlink()
    assert {(work, name) for work, by in kept["rounds"].items() for name in by} >= {("A", "pldns"), ("TCP", "pldns")}
    (asked,) = kept["rounds"]["A"]["pldns"]
    assert asked["rate"] > 0
    (waited,) = kept["waits"]["pldns"]
    assert waited["sent"] == 1000
    assert {work: len(rounds) for work, rounds in kept["itself"].items()} == {"A": 1, "A, EDNS": 1, "NODATA": 1}
