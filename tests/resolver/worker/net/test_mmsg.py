"""Whether batches are available."""

import subprocess
import sys

from tests.paths import ROOT


def test_batches_are_unavailable_where_a_sandbox_forbids_the_calls() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.unbatched",
        "-c",
        "from resolver.worker.net import mmsg; print(mmsg.AVAILABLE)",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
