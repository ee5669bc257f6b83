"""A pldns that was started as root gives its state directory to the user that it becomes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BECOME = "import sys; from resolver.supervisor import owner; owner.become('65532', sys.argv[1])"

UNREADABLE = """
import sys
from resolver.supervisor import owner, preflight
owner._PROGRAMS = sys.argv[2:]
try:
    owner.become('65532', sys.argv[1])
except preflight.CannotStart as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("names", "owner"),
    [
        ([], 65532),
        (["lock"], 65532),
        (["inventory.v3", "served.v1", "keep"], 65532),
        (["takeover"], 65532),
        (["somebody.else"], 0),
    ],
)
def test_a_directory_with_files_of_pldns_is_given(tmp_path: Path, names: list[str], owner: int) -> None:
    if os.geteuid():
        pytest.skip("only root can change the user")
    for name in names:
        (tmp_path / name).touch()
    subprocess.run([sys.executable, "-P", "-c", BECOME, tmp_path], check=True)
    assert {each.stat().st_uid for each in (tmp_path, *tmp_path.iterdir())} == {owner}


def test_a_user_who_cannot_read_python_is_named(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can change the user")
    library = tmp_path / "private" / "os.py"
    library.parent.mkdir(mode=0o700)
    library.touch()
    without_capabilities = f"from resolver.process.sandbox import identity; identity._KEPT = ()\n{UNREADABLE}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", without_capabilities, tmp_path / "state", library],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.startswith(f"the user 65532 cannot read {library}: permission denied; install Python and pldns")
