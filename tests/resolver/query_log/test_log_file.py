"""The file of the query log: rotated by size, and begun again when another program has moved it."""

import os
from pathlib import Path

import pytest

from resolver.query_log.log_file import LogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "q.log"


def texts(path: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in path.parent.iterdir()}


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (0, {"q.log": "5\n"}),
        (1, {"q.log": "5\n", "q.log.1": "3\n4\n"}),
        (2, {"q.log": "5\n", "q.log.1": "3\n4\n", "q.log.2": "1\n2\n"}),
        (9, {"q.log": "5\n", "q.log.1": "3\n4\n", "q.log.2": "1\n2\n"}),
    ],
)
def test_a_full_file_gets_a_number_and_the_oldest_goes(path: Path, files: int, left: dict[str, str]) -> None:
    file = LogFile(str(path), 4, files)
    for number in range(1, 6):
        file.write(b"%d\n" % number)
    assert texts(path) == left


def test_what_was_in_the_file_before_counts(path: Path) -> None:
    path.write_text("old\n")
    LogFile(str(path), 100, 1).write(b"new\n")
    assert texts(path) == {"q.log": "old\nnew\n"}
    file = LogFile(str(path), 10, 1)
    file.look()
    file.write(b"newer\n")
    assert texts(path) == {"q.log": "newer\n", "q.log.1": "old\nnew\n"}


def test_lines_longer_than_a_file_are_in_a_file_of_their_own(path: Path) -> None:
    file = LogFile(str(path), 4, 1)
    file.write(b"123456\n")
    file.write(b"7\n")
    assert texts(path) == {"q.log": "7\n", "q.log.1": "123456\n"}


@pytest.mark.parametrize("moved", [True, False])
def test_a_file_that_was_moved_or_removed_is_begun_again(path: Path, moved: bool) -> None:
    file = LogFile(str(path), 100, 1)
    file.write(b"1\n")
    path.rename(path.with_name("moved")) if moved else path.unlink()
    file.look()
    file.write(b"2\n")
    assert texts(path) == {"q.log": "2\n"} | ({"moved": "1\n"} if moved else {})


def test_a_file_that_cannot_be_opened_is_opened_as_soon_as_it_can(path: Path) -> None:
    path.mkdir()
    file = LogFile(str(path), 100, 1)
    with pytest.raises(IsADirectoryError):
        file.write(b"1\n")
    path.rmdir()
    file.look()
    file.write(b"2\n")
    assert texts(path) == {"q.log": "2\n"}


def test_a_pipe_is_refused_and_nothing_waits_for_its_reader(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device"):
        LogFile(str(path), 100, 1).write(b"1\n")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="is not a file"):
        LogFile(str(path), 100, 1).write(b"1\n")
    os.close(reader)


def test_a_line_that_a_full_disk_has_cut_is_completed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, write = LogFile(str(path), 100, 1), os.write
    monkeypatch.setattr(os, "write", lambda fd, octets: write(fd, octets[:4]))
    with pytest.raises(OSError, match="No space"):
        file.write(b"first\nsecond\n")
    monkeypatch.setattr(os, "write", write)
    file.write(b"third\n")
    assert texts(path) == {"q.log": "first\nthird\n"}
