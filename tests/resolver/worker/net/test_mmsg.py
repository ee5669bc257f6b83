"""Whether there are batches at all."""

import subprocess
import sys

from tests.paths import ROOT


def test_there_are_no_batches_where_a_sandbox_forbids_them() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.unbatched",
        "-c",
        "from resolver.worker.net import mmsg; print(mmsg.AVAILABLE)",
    ]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
