"""The Unix socket of the admin interface, as a file."""

import os
import socket
import stat
from pathlib import Path

import pytest

from resolver.cli import unix_socket
from resolver.supervisor.admin_socket import AdminSocket


def reaches(path: Path) -> bool:
    try:
        unix_socket.connected(str(path)).close()
    except OSError:
        return False
    return True


def test_the_daemon_and_a_group_may_use_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "admin.sock"
    before = os.umask(0o077)
    try:
        made = AdminSocket(str(path), str(os.getegid()))
        made.open()
    finally:
        os.umask(before)
    status = path.lstat()
    assert stat.S_ISSOCK(status.st_mode)
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o660, os.getegid())
    assert reaches(path)
    made.close()
    assert not list(path.parent.iterdir())


def test_it_takes_the_place_of_a_socket_that_was_left_and_of_no_other_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    made = AdminSocket(str(path), "")
    made.open()
    assert reaches(path)
    made.close()
    path.write_text("somebody's")
    made.open()
    assert made.socket is None
    assert "a file that is no socket has this name" in caplog.text
    made.close()
    assert path.read_text() == "somebody's"


def test_a_successor_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    one, two = AdminSocket(str(path), ""), AdminSocket(str(path), "")
    one.open()
    two.open()
    one.close()
    assert reaches(path)
    one.open()  # the successor has failed
    two.close()
    assert reaches(path)
    one.close()
    assert not path.exists()


def test_a_path_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 30) / "admin.sock"
    made = AdminSocket(str(path), "")
    made.open()
    assert reaches(path)
    made.close()


def test_what_cannot_be_done_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    AdminSocket(str(tmp_path / "file" / "admin.sock"), "").open()
    assert caplog.messages == [f"the admin socket {tmp_path}/file/admin.sock cannot be made: not a directory"]
    made = AdminSocket(str(tmp_path / "admin.sock"), "no-such-group")
    made.open()
    assert caplog.messages[1:] == [
        "the admin socket cannot be given to the group no-such-group: there is no such group"
    ]
    made.close()
    AdminSocket("", "").open()
    assert len(caplog.messages) == 2


def test_a_socket_that_a_killed_process_of_this_number_has_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / f".admin.sock.{os.getpid()}"))
    made = AdminSocket(str(path), "")
    made.open()
    assert reaches(path)
    made.close()
