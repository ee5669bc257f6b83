"""A worker inside the test, with real sockets for clients. The test is its control, over a real channel."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode

from resolver import settings
from resolver.channel import frames as channel
from resolver.channel.frames import (
    UP_LIMIT,
    Applied,
    Begin,
    Commit,
    FrameReader,
    Hello,
    Masks,
    Rows,
    Up,
)
from resolver.process import bootstrap
from resolver.process.dial import GREETING
from resolver.process.orders import OrderReceiver
from resolver.process.sandbox.level import SandboxLevel
from resolver.process.socket_role import SocketRole
from resolver.supervisor.dialer import Destinations, Dialer
from resolver.worker.worker import Worker
from tests.ports import pair
from zones.claims.row import BY_RULE, ClassNumber, Variant, pack
from zones.dns.name import from_text

DEADLINE = 60.0
FQDN = "acct.blob.core.windows.net"
PRIVATE = from_text("acct.privatelink.blob.core.windows.net")


def rows(last: int, generation: int = 0, number: int = 1) -> Rows:
    return Rows(
        [(PRIVATE, pack([Variant(ClassNumber(number), BY_RULE, (bytes((10, 0, 0, last)),), (), ())], generation))]
    )


class ControlEnd:
    """Control's end of a worker's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._frames = FrameReader[Up](UP_LIMIT, Up)
        self._got: list[Up] = []

    async def greeting(self) -> tuple[int, int]:
        """Return the index and process id of the worker, which the supervisor sends first."""
        return GREETING.unpack(await self._reader.readexactly(GREETING.size))

    def send(self, *frames: channel.Down) -> None:
        for frame in frames:
            self.writer.write(channel.encode(frame))

    async def get(self, kind: type[Any]) -> Any:  # noqa: ANN401 - a frame of that kind
        """Return the next frame of a kind."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for frame in self._got:
                    if isinstance(frame, kind):
                        self._got.remove(frame)
                        return frame
                data = await self._reader.read(1 << 18)
                assert data, "the connection has ended"
                self._got += self._frames.feed(data)


class Running:
    """A worker with one address, and the test's ends of its links."""

    def __init__(self, folder: Path, served: int | None = None) -> None:
        self._path = str(folder / "channel")
        self.lines: asyncio.Queue[ControlEnd] = asyncio.Queue()
        self._lines: list[ControlEnd] = []
        self.tcp, self.udp = pair()
        self.tcp.listen()
        self.udp.settimeout(0)
        self.link, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(0)
        config = settings.WorkerSettings(listen=(), allow=("127.0.0.0/8",), unsynced=True)
        loop = asyncio.get_running_loop()
        self._dialer = Dialer(0, self._path, Destinations(()))
        loop.add_reader(self._dialer.fileno(), self._dialer.serve)
        begun = bootstrap.WorkerStart(
            config,
            0,
            socket.socket(fileno=os.dup(self._dialer.worker_end)),
            (self.udp, self.tcp),
            (SocketRole.DNS, SocketRole.DNS),
            OrderReceiver(worker_end),
            beat=0,
            first_table=bootstrap.FirstTable.SAVED,
            warm_start=served,
        )
        self.worker = Worker(begun, loop)
        self._worker_end = worker_end
        self.task = asyncio.create_task(self.worker.run(SandboxLevel(0, seccomp=False, landlock=0)))

    async def listen(self) -> None:
        def connected(*ends: Any) -> None:  # noqa: ANN401 - a reader and a writer
            self._lines.append(ControlEnd(*ends))
            self.lines.put_nowait(self._lines[-1])

        self._server = await asyncio.start_unix_server(connected, self._path)

    async def line(self) -> tuple[ControlEnd, Hello]:
        """Return the worker's next connection, and its hello."""
        async with asyncio.timeout(DEADLINE):
            line = await self.lines.get()
            await line.greeting()
        return line, await line.get(Hello)

    async def loaded(self) -> ControlEnd:
        """Return a connection on which the worker has received its first table."""
        line, _ = await self.line()
        line.send(Begin("e1", 1), Masks([(ClassNumber(1), b"\x01")]), rows(4, 1), Commit(1, unsynced=False))
        assert (await line.get(Applied)).serial == 1
        return line

    async def ask(self, name: str = FQDN, sock: socket.socket | None = None) -> dns.message.Message:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0)
            client.connect((sock or self.udp).getsockname())
            client.send(dns.message.make_query(name, "A", use_edns=0).to_wire())
            async with asyncio.timeout(DEADLINE):
                return dns.message.from_wire(await asyncio.get_running_loop().sock_recv(client, 4096))

    async def address(self) -> str:
        return str((await self.ask()).answer[-1][0])

    async def answers(self) -> bool:
        return bool((await self.ask()).answer)

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._dialer.fileno())
        self.worker.stop()
        with suppress(Exception):
            await asyncio.wait_for(self.task, DEADLINE)
        self._server.close()
        for line in self._lines:
            line.writer.close()
            with suppress(OSError):
                await line.writer.wait_closed()
        self._dialer.close()
        for each in (self.udp, self.tcp, self.link, self._worker_end):
            each.close()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 - a condition has no event
            await asyncio.sleep(0.01)
