"""Rules for every file of the repository: modules are short, and nothing is unfinished."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST = 600
"""Lines of a module of any kind at most."""
LONG = 400
"""Lines of a module of `zones` or `resolver` at most, except for `EXCEPTIONS`."""
EXCEPTIONS = {"zones/ledger/ledger.py"}
"""Modules that may be longer: the ledger is one class that knows which names a change touches."""
UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|X" + "XX|HA" + r"CK)\b")


def files(*suffixes: str) -> list[Path]:
    """Files that belong to the repository: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [ROOT / line for line in listed.stdout.splitlines() if line.endswith(suffixes)]
    return [file for file in found if file.is_file()]


def test_no_module_is_too_long() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files(".py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
    modules = {name for name in lengths if name.partition("/")[0] in {"zones", "resolver"}}
    assert {name for name in modules if lengths[name] > LONG} <= EXCEPTIONS


def test_nothing_is_marked_as_unfinished() -> None:
    marked = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files(".py", ".md", ".yaml", ".toml", ".txt", "Dockerfile", "Makefile", ".service")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert marked == []


def test_no_test_is_skipped_expected_to_fail_or_sleeping() -> None:
    wrong = re.compile(r"pytest\.mark\.(?:skip|x" + r"fail)|\bsleep\([1-9]")
    tests = [file for file in files(".py") if file.is_relative_to(ROOT / "tests")]
    assert [str(file.relative_to(ROOT)) for file in tests if wrong.search(file.read_text())] == []
