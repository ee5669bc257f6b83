"""Control inside a test: real files, a real state directory, and a real channel with the test as its workers."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from resolver import settings, settings_change
from resolver.admin import app
from resolver.channel import frames as channel
from resolver.channel.frames import (
    DOWN_LIMIT,
    Applied,
    Commit,
    Down,
    FrameReader,
    Hello,
)
from resolver.control.control import Control
from resolver.control.sync.remotes import Remotes
from resolver.process import bootstrap
from resolver.process.dial import GREETING
from resolver.process.orders import OrderReceiver
from resolver.sources.reading import RemoteSource
from resolver.supervisor.admin_socket import AdminSocket
from zones.clocks import WallTime
from zones.dns.name import Name, from_text, to_text

DEADLINE = 60.0
WORKER = settings.WorkerSettings((), ())
DIGESTS = settings_change.digest(WORKER), settings_change.table_digest(WORKER)
FQDN = "acct.blob.core.windows.net"
PRIVATE = from_text("acct.privatelink.blob.core.windows.net")


def write(file: Path, *endpoints: str, fqdn: str = FQDN, state: str = "Approved") -> None:
    """Write endpoints, given as `NAME ADDRESS`, in the short form.

    A folder appears with its file: control may read a folder as soon as the folder exists.
    """
    items = [
        f"{{name: {name}, target: {name}, group: blob, state: {state}, records: [{{fqdn: {fqdn}, ips: [{address}]}}]}}"
        for name, address in map(str.split, endpoints)
    ]
    folder = file.parent
    target = folder if folder.is_dir() else folder.with_name(f".{folder.name}")
    target.mkdir(parents=True, exist_ok=True)
    fresh = target / ".new"
    fresh.write_text(f"endpoints: [{', '.join(items)}]")
    fresh.rename(target / file.name)
    if target is not folder:
        target.rename(folder)


async def until(condition: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the condition gives
    async with asyncio.timeout(DEADLINE):
        while not (value := condition()):  # noqa: ASYNC110 - a condition has no event
            await asyncio.sleep(0.005)
    return value


class ScriptedWorker:
    """The test as a worker. `got`: all frames so far; `rows`: the last row of each name."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._frames = FrameReader[Down](DOWN_LIMIT, Down)
        self.got: list[Down] = []
        self.rows: dict[str, bytes] = {}

    def send(self, frame: channel.Up) -> None:
        self.writer.write(channel.encode(frame))

    async def read(self) -> list[Down]:
        """Return the next frames; none at the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            frames = self._frames.feed(await self._reader.read(1 << 18))
        for frame in frames:
            if isinstance(frame, channel.Rows):
                self.rows |= {to_text(Name(name)): row for name, row in frame.rows}
        self.got += frames
        return frames

    async def commit(self, *, answer: bool = True) -> Commit:
        """Return the next commit, after it was reported as applied."""
        while True:
            for frame in await self.read():
                if isinstance(frame, Commit):
                    if answer:
                        self.send(Applied(frame.serial))
                    return frame

    async def ended(self) -> None:
        """Read until control closes the connection."""
        async with asyncio.timeout(DEADLINE):
            with suppress(ConnectionResetError):
                while await self._reader.read(1 << 18):
                    pass


class Running:
    """A control process inside the test, with its socket and its workers. `view`: as the admin server sees it."""

    def __init__(
        self,
        folder: Path,
        config: settings.ControlSettings,
        remotes: Mapping[str, RemoteSource] | None = None,
        *,
        supervisor: int | None = None,
    ) -> None:
        """`supervisor`: the process that makes connections of workers; by default this one."""
        self._path = str(folder / "channel")
        Path(self._path).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(0)
        self._socket.bind(self._path)
        self._socket.listen()
        self._supervisor, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made_by = os.getpid() if supervisor is None else supervisor
        accepted = settings.Accepted("", WORKER, config)
        begun = bootstrap.ControlStart(accepted, self._socket, made_by, OrderReceiver(orders), beat=0)
        self._orders = orders
        self.control = Control(begun, Remotes(remotes))
        self._admin = AdminSocket(config.admin.socket, "")
        self._admin.open()
        self._workers: list[ScriptedWorker] = []
        self.view = self.control.view
        self._task = asyncio.create_task(
            self.control.run(*app.listeners(app.context_of(self.view), config.admin, self._admin.socket))
        )

    async def tick(self, now: float) -> None:
        """Let control apply what has come due by `now`."""
        await self.control.clock.tick(WallTime(now))

    async def connect(self, hello: Hello | None = None) -> ScriptedWorker:
        reader, writer = await asyncio.open_unix_connection(self._path)
        writer.write(GREETING.pack(0, os.getpid()))
        worker = ScriptedWorker(reader, writer)
        self._workers.append(worker)
        if hello:
            worker.send(hello)
        return worker

    async def stop(self) -> None:
        """Stop as SIGTERM does, and save."""
        self.control.stop()
        async with asyncio.timeout(DEADLINE):
            await self._task
        self.close()

    def close(self) -> None:
        for worker in self._workers:
            worker.writer.close()
        self._socket.close()
        self._admin.close()
        self._supervisor.close()
        self._orders.close()
        self._task.cancel()


Start = Callable[..., Running]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start control on sources of files in the test's folder, with its state directory there."""
    started: list[Running] = []

    def call(*sources: str, supervisor: int | None = None, **given: Any) -> Running:  # noqa: ANN401 - fields of settings
        found = tuple(settings.SourceSettings(name, "files", str(tmp_path / name)) for name in sources)
        (tmp_path / "state").mkdir(exist_ok=True)
        config = {"sources": found, "state_directory": str(tmp_path / "state"), **given}
        started.append(Running(tmp_path, settings.ControlSettings(**config), supervisor=supervisor))
        return started[-1]

    yield call
    for each in started:
        if not each._task.done():
            await each.stop()


def hello(epoch: str = "", serial: int = 0, *, instance: str = "i1", generation: int = 0) -> Hello:
    return Hello(0, os.getpid(), instance, epoch, serial, generation, *DIGESTS)


def winner(running: Running, name: Name = PRIVATE) -> str:
    (verdict,) = running.control.estate.ledger.verdicts(name, WallTime(time.time()))
    return verdict.rulings[0].winners[0]
