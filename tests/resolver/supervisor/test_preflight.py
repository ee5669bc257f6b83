"""What a start needs of the disk, and what it does without."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from resolver.process import open_files
from resolver.supervisor import preflight

HOUR = 3600


def test_a_state_directory_is_made_and_locked(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    with preflight.held(str(state)):
        assert state.stat().st_mode & 0o777 == 0o700
        assert not list(state.iterdir())
        with pytest.raises(preflight.CannotStart, match="is used by another pldns"), preflight.held(str(state)):
            pass
    with preflight.held(str(state)):
        pass


def test_a_state_directory_that_cannot_be_made_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with preflight.held(str(tmp_path / "file" / "state")):
        assert caplog.messages == [
            f"the state directory {tmp_path}/file/state cannot be used: not a directory; nothing is saved"
        ]


def test_the_control_socket_needs_no_writable_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_TEMPORARY", (str(tmp_path / "missing"),))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    state = tmp_path / "state"
    state.mkdir()
    with preflight.channel("", str(state)) as (path, sock):
        assert Path(path).is_relative_to(state)
        assert sock.getsockname() == path
    assert not list(state.iterdir())
    state.rmdir()
    with pytest.raises(preflight.CannotStart, match=r"control socket \(.*missing: no such file or directory"):
        preflight.channel("", str(state)).__enter__()


def test_an_end_that_cannot_remove_the_directory_is_an_ordinary_end(tmp_path: Path) -> None:
    with preflight.channel(str(tmp_path), "") as (path, _):
        directory = Path(path).parent
        shutil.rmtree(directory)
        directory.write_text("a read-only file system refuses to remove a directory; so does this file")
    assert directory.exists()


def test_directories_of_killed_supervisors_are_removed_and_no_others(tmp_path: Path) -> None:
    def left(name: str, *, age: float, listens: bool) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        (tmp_path / name).mkdir()
        sock.bind(str(tmp_path / name / "control"))
        if listens:
            sock.listen()
        before = (tmp_path / name / "control").stat().st_mtime - age
        os.utime(tmp_path / name / "control", (before, before))
        return sock

    with (
        left("pldns-dead", age=HOUR, listens=False),
        left("pldns-living", age=HOUR, listens=True),
        left("pldns-starting", age=0, listens=False),
        left("other-dead", age=HOUR, listens=False),
    ):
        (tmp_path / "pldns-file").mkdir()
        (tmp_path / "pldns-file" / "control").write_text("not a socket")
        with preflight.channel(str(tmp_path), ""):
            kept = {each.name for each in tmp_path.iterdir()}
    assert "pldns-dead" not in kept
    assert {"pldns-living", "pldns-starting", "other-dead", "pldns-file"} < kept


def test_too_few_descriptors_for_the_workers_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "limit", lambda: open_files.held() + 40)
    preflight.check_open_files(6)
    with pytest.raises(preflight.CannotStart, match=r"limit of open files is \d+, and 7 workers need \d+: raise it"):
        preflight.check_open_files(7)
