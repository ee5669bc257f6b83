"""What goes to PyPI: the sources, and a wheel that PyPI accepts and that pipx installs as a command."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.programs import TOOLS, run
from tests.paths import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that `make dist` builds from it. twine has checked both."""
    folder = tmp_path_factory.mktemp("dist")
    run("make", "dist", f"DIST={folder}")
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return source, wheel


@pytest.fixture(scope="module")
def wheel(built: tuple[Path, Path]) -> Path:
    return built[1]


def test_the_wheel_is_for_a_platform_that_pypi_accepts(wheel: Path) -> None:
    tags = wheel.stem.split("-")
    assert tags[2] == tags[3] == f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert all(re.fullmatch(r"manylinux(2014|_2_\d+)_\w+", tag) for tag in tags[4].split("."))


def test_the_wheel_has_the_packages_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"resolver", "zones"}
    assert not [name for name in names if name.endswith((".c", ".pyc", ".pyx"))]
    assert "resolver/dashboard/assets/manifest.json" in names, "`make page` has not built the page"
    typed = [file for package in ("resolver", "zones") for file in ROOT.glob(f"{package}/**/*.pxd")]
    assert {file.stem for file in typed} == {
        Path(name).name.partition(".")[0] for name in names if name.endswith(".so")
    }


def test_the_sources_can_be_installed_without_a_compiler(built: tuple[Path, Path], tmp_path: Path) -> None:
    subprocess.run(
        [ROOT / ".venv/bin/pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path,
         built[0]],
        env=os.environ | {"CC": "false"}, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]


def test_pipx_installs_the_command(wheel: Path, tmp_path: Path) -> None:
    home = {"PIPX_HOME": f"{tmp_path}/home", "PIPX_BIN_DIR": f"{tmp_path}/bin", "PIPX_MAN_DIR": f"{tmp_path}/man"}
    subprocess.run(
        [TOOLS / "pipx", "install", "--python", sys.executable, wheel],
        env=os.environ | home, check=True, capture_output=True,
    )  # fmt: skip
    assert run(tmp_path / "bin/pldns", "version").startswith("pldns ")
