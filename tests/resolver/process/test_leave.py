"""The end of a child process."""

import subprocess
import sys

PROCESS = """
from resolver.process.leave import leave

class Held:
    def __del__(self):
        print("freed")

held = Held()
print("written")
leave(3)
"""


def test_a_process_ends_without_freeing_its_objects_and_loses_no_output() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "written\n", "")
