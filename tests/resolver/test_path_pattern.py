"""Patterns of paths, and the folders that decide what matches."""

from pathlib import Path

import pytest

from resolver import path_pattern


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("pattern", "expected", "folders"),
    [
        ("a.zone", ["a.zone"], []),
        ("*.zone", ["a.zone", "b.zone"], [""]),
        ("./*/c.zone", ["x/c.zone"], [""]),
        ("**/*.zone", ["a.zone", "b.zone", "x/c.zone", "x/y/d.zone"], ["", "x", "x/y"]),
        ("x/../[b].zone", ["b.zone"], [""]),
        ("none/*.zone", [], []),
    ],
)
def test_a_pattern_matches_files(tmp_path: Path, pattern: str, expected: list[str], folders: list[str]) -> None:
    folder = tmp_path / "weird[1]*"
    make(folder, "a.zone", "b.zone", ".hidden.zone", "x/c.zone", "x/y/d.zone", ".h/e.zone", "b.txt")
    (folder / "folder.zone").mkdir()
    full = path_pattern.absolute(folder, pattern)
    found = path_pattern.matches(full)
    assert found == [str(folder / name) for name in expected]
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    assert sorted(path for path in files if path_pattern.has_match(full, path)) == found
    watched = {Path(each).resolve() for each in path_pattern.folders(full)} - {folder / "folder.zone"}
    assert watched >= {folder / name for name in folders}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/srv/zones/*.zone", "/srv/zones"),
        ("/srv/*/a.zone", "/srv"),
        ("/srv/zones/a.zone", "/srv/zones"),
        ("/srv/we[[]ird/**/*.zone", "/srv/we[ird"),
        ("/srv/zones/../x/[ab].zone", "/srv/x"),
    ],
)
def test_all_files_of_a_pattern_are_below_its_base(pattern: str, expected: str) -> None:
    assert path_pattern.base(pattern) == expected
