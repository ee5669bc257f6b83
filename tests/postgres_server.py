"""A PostgreSQL server for tests, with a data directory and a Unix socket of its own.

It can be killed and started again. It does not run as root: where the tests do, it runs as the user `nobody`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from pwd import getpwnam
from typing import Any, Final, Self

from tests.peers import tool
from tests.ports import free_port

_PATIENCE: Final = 60.0
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of our own there
_ROOM: Final = 300 << 20
"""Octets that a data directory may need."""


class PostgresServer:
    """A server. Its user `postgres` needs no password over the socket, and the password `secret` over TCP."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._postgres = tool("postgres")
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = getpwnam("nobody") if os.geteuid() == 0 else None
        if self._user:
            os.chown(directory, self._user.pw_uid, self._user.pw_gid)
        password = directory / "password"
        password.write_text("secret\n")
        options = ("--auth-local=trust", "--auth-host=scram-sha-256", "--username=postgres", "--no-sync")
        self._run(tool("initdb"), "-D", self._data, *options, f"--pwfile={password}", "--encoding=UTF8", "--locale=C")

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Run a server until the context is closed."""
        # pytest's directories are closed to other users. A server that was killed syncs its 1,000 files when it starts,
        # which takes seconds on a disk and nothing in memory.
        memory = shutil.disk_usage(_MEMORY).free > _ROOM if _MEMORY.is_dir() else False
        directory = Path(tempfile.mkdtemp(prefix="pldns-pg-", dir=_MEMORY if memory else None))
        directory.chmod(0o755)
        try:
            made = cls(directory)
            made.start()
            try:
                yield made
            finally:
                made.stop()
        finally:
            shutil.rmtree(directory)

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = (
            "listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.directory}",
            "max_connections=40", "shared_buffers=32MB", "max_wal_size=100MB", "dynamic_shared_memory_type=mmap",
        )  # fmt: skip
        options = [word for each in settings for word in ("-c", each)]
        deadline = time.monotonic() + _PATIENCE
        while True:
            with (self.directory / "log").open("ab") as log:
                command = [self._postgres, "-D", self._data, *options]
                process = self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._identity)
            while process.poll() is None and not self._is_ready():
                signal.sigtimedwait([], 0.02)
            if process.poll() is None:
                return
            # The other processes of a server that was killed hold its memory until they notice.
            assert time.monotonic() < deadline, (self.directory / "log").read_text()
            signal.sigtimedwait([], 0.1)

    @property
    def is_running(self) -> bool:
        """True unless the server was killed."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the server at once, without a checkpoint. It leaves no shared memory behind."""
        assert self._process
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def kill(self) -> None:
        """End the server as kill -9 does. Connections are cut."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def database(self) -> str:
        """Return the URL of a new, empty schema, over the Unix socket. To make a database takes much longer."""
        name = f"test{next(self._numbers)}"
        self.sql(f"CREATE SCHEMA {name}", self.url)
        return f"{self.url}&options=-csearch_path%3D{name}"

    def sql(self, statement: str, url: str) -> list[str]:
        """Run a statement in a database. Return its rows as text, with `|` between columns."""
        return self._run(tool("psql"), "-qAt", "-d", url, "-c", statement).splitlines()

    @property
    def url(self) -> str:
        """The URL of the server's own database, over the Unix socket."""
        return f"postgresql://postgres@/postgres?host={self.directory}&port={self.port}"

    def _is_ready(self) -> bool:
        command = (tool("pg_isready"), "-q", "-d", self.url)
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self._identity)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    @property
    def _identity(self) -> dict[str, Any]:
        user = self._user
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
