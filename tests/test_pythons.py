"""The Pythons on which tests run: which of a machine's are chosen, and that all files name the same ones."""

import re
from pathlib import Path

import pytest

from tests import pythons
from tests.paths import ROOT

OWN = (3, 11, 7)
HERE = Path("/usr/bin/python3")


def test_every_file_names_the_same_versions() -> None:
    versions = pythons.supported()
    project = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">={versions[0]}"' in project
    assert f'python_version = "{versions[0]}"' in project
    readme = (ROOT / "README.md").read_text()
    assert f"Python {', '.join(versions[:-1])} and {versions[-1]}" in readme
    assert set(re.findall(r"python:([\d.]+)-slim", (ROOT / "Dockerfile").read_text())) == {versions[-1]}


@pytest.mark.parametrize(
    ("here", "chosen"),
    [
        ([OWN], []),
        ([(3, 11, 2), OWN], []),
        ([OWN, (3, 12, 1), (3, 13, 0)], [(3, 13, 0)]),
        ([(3, 11, 2), (3, 12, 1)], [(3, 12, 1)]),
        ([], []),
    ],
)
def test_the_oldest_and_the_newest_other_python_are_chosen(
    here: list[pythons.Version], chosen: list[pythons.Version]
) -> None:
    assert list(pythons.others(dict.fromkeys(here, HERE), OWN)) == chosen


def test_a_newest_own_python_leaves_the_oldest() -> None:
    assert list(pythons.others(dict.fromkeys([OWN, (3, 12, 1), (3, 13, 0)], HERE), (3, 13, 0))) == [OWN]


def test_a_command_that_is_no_python_or_cannot_make_environments_is_left_out(tmp_path: Path) -> None:
    commands = {
        "path/python3.11": "echo 'pyenv: python3.11: command not found' >&2; exit 127",
        "path/python3.12": "echo /usr/bin/python3.12 3.12.4",
        "pyenv/versions/3.12.9/bin/python3.12": "echo /usr/bin/python3.12 3.12.4",
        "pyenv/versions/3.13.0/bin/python3.13": "echo /there/python3.13 3.13.0",
    }
    for name, command in commands.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{command}\n")
        file.chmod(0o755)
    files = pythons.candidates(f"{tmp_path}/path:/nowhere", tmp_path / "pyenv")
    assert pythons.found(files) == {
        (3, 12, 4): Path("/usr/bin/python3.12"),
        (3, 13, 0): Path("/there/python3.13"),
    }


def test_each_of_the_tests_exists() -> None:
    for path, _, name in (test.partition("::") for test in pythons.TESTS):
        assert (ROOT / path).exists()
        assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_the_continuous_integration_runs_them() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert any(line.startswith("make pythons 2>&1") for line in lines)
