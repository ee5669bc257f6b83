"""What goes to PyPI: the sources, and a wheel that PyPI accepts and pipx installs, both with the page."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.live.browser import Tab, chromium
from tests.live.daemon import Daemon
from tests.packaging.programs import TOOLS, run
from tests.packaging.sources import copy_sources
from tests.paths import ROOT

VENV = ROOT / ".venv"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that `make dist` builds from it. twine has checked both."""
    folder = tmp_path_factory.mktemp("dist")
    run("make", "dist", f"DIST={folder}")
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return source, wheel


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """The sources without anything that was built, in a folder with another path."""
    copy_sources(tmp_path / "clean")
    return tmp_path / "clean"


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


def test_a_build_of_the_same_sources_elsewhere_gives_the_same_octets(
    built: tuple[Path, Path], clean: Path, tmp_path: Path
) -> None:
    there = tmp_path / "dist"
    run("make", "dist", f"DIST={there}", f"VENV={VENV}", f"--assume-old={VENV}/.installed", cwd=clean)
    assert "resolver/dashboard/assets/manifest.json" in zipfile.ZipFile(there / built[1].name).namelist()
    for file in built:
        assert (there / file.name).read_bytes() == file.read_bytes()


def test_a_package_without_the_page_says_so(clean: Path) -> None:
    said = run("env", "CC=false", VENV / "bin/python", "-m", "hatchling", "build", cwd=clean)
    assert said.count("the page is not built, so this package lacks it: run `make page` first, which needs npm") == 2


def test_nothing_goes_to_pypi_where_the_page_cannot_be_built(clean: Path, tmp_path: Path) -> None:
    for program in ("find", "expr", "nproc"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    done = subprocess.run(
        [str(shutil.which("make")), "dist", f"VENV={VENV}", f"--assume-old={VENV}/.installed"],
        cwd=clean, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "npm is missing: the page cannot be built" in done.stderr
    assert not (clean / "dist").exists()


def test_pipx_installs_the_command_and_its_page_opens(wheel: Path, tmp_path: Path) -> None:
    home = {"PIPX_HOME": f"{tmp_path}/home", "PIPX_BIN_DIR": f"{tmp_path}/bin", "PIPX_MAN_DIR": f"{tmp_path}/man"}
    subprocess.run(
        [TOOLS / "pipx", "install", "--python", sys.executable, wheel],
        env=os.environ | home, check=True, capture_output=True,
    )  # fmt: skip
    assert run(tmp_path / "bin/pldns", "version").startswith("pldns ")
    daemon = Daemon(tmp_path, {})
    daemon.command[0] = str(tmp_path / "bin/pldns")
    try:
        daemon.start().ready()
        with chromium() as browser:
            tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/")
            expect(tab.open().locator("main")).to_contain_text("Endpoints")
            tab.close()
    finally:
        daemon.stop()
