"""Who may change a running daemon: users of the machine, members of a group, and holders of a token."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from resolver.cli import main
from tests.live.daemon import Daemon

pytestmark = pytest.mark.live

NOBODY = 65_534
GROUP = 54_321
"""A group of the operators, which needs no name."""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """A daemon that was started as root, in a folder that other users can enter."""
    if os.geteuid():
        pytest.skip("only root can become other users")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    config = {"socket": "./run/admin.sock", "group": str(GROUP)}
    made = Daemon(folder, {})
    made.config["admin"] |= config
    made.write()
    try:
        yield made.start().ready()
    finally:
        made.stop()
        log = made.log.read_text()
        shutil.rmtree(folder)
    assert "Traceback" not in log, log


def run(daemon: Daemon, *words: str, user: int = 0, groups: Sequence[int] = (), token: str = "") -> tuple[int, str]:
    """Run a command as a user. Return its exit status, and what it printed."""
    main(["cache", "show", "-c", str(daemon.path)])  # loads the modules, which another user may be unable to read
    main(["token", "list", "-c", str(daemon.path)])
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        code = 99
        try:
            sys.stdout = sys.stderr = os.fdopen(writing, "w")
            os.setgroups(groups)
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            os.environ["PLDNS_TOKEN"] = token
            code = main([*words, "-c", str(daemon.path)])
            sys.stdout.flush()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


FLUSH = ("cache", "flush", "www.example")


def test_nobody_reads_and_changes_nothing(daemon: Daemon) -> None:
    code, text = run(daemon, *FLUSH, user=NOBODY)
    assert code == 1
    assert f"http://127.0.0.1:{daemon.admin} says: this needs the role `operate`: use the Unix socket" in text
    assert run(daemon, "cache", "show", user=NOBODY)[0] == 0
    assert run(daemon, "audit", user=NOBODY)[0] == 1


def test_root_and_the_group_change_it_over_the_socket(daemon: Daemon) -> None:
    assert run(daemon, *FLUSH) == (0, "0 replies removed\n")
    assert run(daemon, *FLUSH, user=NOBODY, groups=[GROUP]) == (0, "0 replies removed\n")
    code, text = run(daemon, "audit")
    assert code == 0
    member, root = (line for line in text.splitlines() if "cache.flush" in line)
    assert f" user nobody ({NOBODY}) " in member
    assert " user root (0) " in root
    assert "audit: user root (0): cache.flush www.example" in daemon.log.read_text()


def test_a_token_gives_its_role_until_it_is_revoked(daemon: Daemon) -> None:
    code, text = run(daemon, "token", "new", "ci", "--role", "operate")
    assert code == 0
    token = text.splitlines()[0]
    assert run(daemon, *FLUSH, user=NOBODY, token=token)[0] == 0
    code, text = run(daemon, "reload", user=NOBODY, token=token)
    assert code == 1
    assert "this needs the role `admin`; token ci at 127.0.0.1 has the role `operate`" in text
    text = run(daemon, "cache", "show", user=NOBODY)[1]  # now there is a token
    assert "this needs a token" in text
    assert "(set `PLDNS_TOKEN`, or use the Unix socket of the daemon)" in text
    assert token not in (daemon.directory / "state" / "tokens.json").read_text()
    assert run(daemon, "token", "revoke", "ci")[0] == 0
    assert "the token is wrong, revoked or expired" in run(daemon, *FLUSH, user=NOBODY, token=token)[1]
