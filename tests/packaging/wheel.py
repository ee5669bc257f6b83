"""The wheel: its description is one that PyPI shows, and pipx installs it as a command."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.programs import TOOLS, run
from tests.paths import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: compiling leaves files beside the sources."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "zones", "resolver"):
        run("cp", "-R", ROOT / name, source)
    pip = ROOT / ".venv/bin/pip"
    run(pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", built, source)
    (file,) = built.iterdir()
    return file


def test_the_description_is_one_that_pypi_shows(wheel: Path) -> None:
    run(TOOLS / "twine", "check", "--strict", wheel)


def test_the_wheel_has_the_packages_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"resolver", "zones"}
    assert not [name for name in names if name.endswith((".c", ".pyc", ".pyx"))]


def test_pipx_installs_the_command(wheel: Path, tmp_path: Path) -> None:
    home = {"PIPX_HOME": f"{tmp_path}/home", "PIPX_BIN_DIR": f"{tmp_path}/bin", "PIPX_MAN_DIR": f"{tmp_path}/man"}
    subprocess.run(
        [TOOLS / "pipx", "install", "--python", sys.executable, wheel],
        env=os.environ | home, check=True, capture_output=True,
    )  # fmt: skip
    assert run(tmp_path / "bin/pldns", "version").startswith("pldns ")
