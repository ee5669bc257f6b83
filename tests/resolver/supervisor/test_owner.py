"""A pldns that was started as root gives its state directory to the user that it becomes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BECOME = "import sys; from resolver.supervisor import owner; owner.become('65532', sys.argv[1])"


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
