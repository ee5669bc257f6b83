"""A worker's link to control: applies what control sends, reports once a second, and reconnects.

While control is absent, the worker answers from what it has.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Final

from resolver.channel import warm_start
from resolver.channel.frames import (
    DOWN_LIMIT,
    Applied,
    ChannelError,
    Commit,
    Configure,
    Down,
    FrameReader,
    Hello,
    ReplyFrame,
    RequestFrame,
    encode,
)
from resolver.channel.requests import Reply, Request
from resolver.process.bootstrap import WorkerStart
from resolver.process.sandbox.level import SandboxLevel
from resolver.worker.dialer import Dialer
from resolver.worker.reports import Reports
from resolver.worker.setup import Setups

REPORT: Final = 1.0
"""Seconds between two reports."""
_RECONNECT: Final = 0.2  # seconds before a new connection: control may be restarting
_RESYNC: Final = 5.0  # seconds before a new connection after a frame that could not be applied
_READ: Final = 1 << 18  # octets read from the socket at once
_BUFFER: Final = 1 << 20  # octets that may wait to be read

_log = logging.getLogger(__name__)


class ControlLink:
    """The connection to control."""

    def __init__(
        self,
        start: WorkerStart,
        dialer: Dialer,
        setups: Setups,
        reports: Reports,
        answer: Callable[[Request, Callable[[Reply], None]], None],
    ) -> None:
        """`answer` does what control requests, and calls its argument with the reply, at once or later."""
        self._start = start
        self._dialer = dialer
        self._setups = setups
        self._reports = reports
        self._answer = answer
        self.complete = asyncio.Event()
        """Set once control has sent a table in which every source has data."""
        self.committed = asyncio.Event()
        """Set once control has sent a table."""

    async def run(self, sandbox: SandboxLevel) -> None:
        """Stay connected to control, and report `sandbox` to it. Ends only by an error."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(sock=await self._dialer.control(), limit=_BUFFER)
            except OSError as error:
                _log.warning("cannot connect to control: %s", error)
            else:
                if not await self._follow(reader, writer, sandbox):
                    await asyncio.sleep(_RESYNC)
            await asyncio.sleep(_RECONNECT)

    async def load(self) -> bool:
        """Apply the warm-start file, before `run`. Return whether the worker has a table then.

        Control sends the differences once it runs.

        No socket is read yet, so a whole frame is applied at once.
        """
        if self._start.warm_start is None:
            return False
        try:
            for frame in warm_start.frames(self._start.warm_start):
                for _ in self._setups.replica.apply(frame):
                    pass
                await asyncio.sleep(0)  # a signal may have arrived
        except (OSError, ValueError, ChannelError) as error:
            _log.warning("the warm-start file is not used: %s", error)
        self._setups.disconnected()
        return bool(self._setups.replica.epoch)

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sandbox: SandboxLevel) -> bool:
        """Serve one connection to its end. Return False when a frame could not be applied."""
        reporting = asyncio.create_task(self._report(writer))
        applied = True
        try:
            await self._receive(reader, writer, sandbox)
        except (OSError, ChannelError) as error:
            _log.warning("the connection to control broke: %s", error)
        except Exception:  # noqa: BLE001 - whatever the error is, the worker goes on answering
            applied = False
            _log.exception("a frame of control cannot be applied; the worker goes on answering from what it has")
        finally:
            reporting.cancel()
            writer.close()
            self._setups.disconnected(resync=not applied)
        return applied

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sandbox: SandboxLevel) -> None:
        setup = self._setups.now
        writer.write(
            encode(
                Hello(
                    self._start.index, os.getpid(), self._reports.instance,
                    setup.replica.epoch, setup.replica.serial, setup.replica.generation,
                    setup.digest, setup.table_digest, sandbox,
                )
            )
        )  # fmt: skip
        frames = FrameReader[Down](DOWN_LIMIT, Down)
        while data := await reader.read(_READ):
            for frame in frames.feed(data):
                if isinstance(frame, RequestFrame):
                    self._answer(frame.body, partial(_reply, writer, frame.id))
                elif isinstance(frame, Configure):
                    self._setups.configure(frame.settings)
                else:
                    await self._apply(frame)
                if isinstance(frame, Commit):
                    self._setups.committed()
                    writer.write(encode(Applied(frame.serial, self._setups.now.digest)))
                    self.committed.set()
                    if not frame.unsynced:
                        self.complete.set()

    async def _apply(self, frame: Down) -> None:
        for _ in self._setups.replica.apply(frame):
            await asyncio.sleep(0)  # answer queries between two slices

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # reading raises the same error, and handles it
            while True:
                await asyncio.sleep(REPORT)
                for frame in self._reports.frames():
                    writer.write(encode(frame))
                await writer.drain()


def _reply(writer: asyncio.StreamWriter, number: int, reply: Reply) -> None:
    """Send a reply to control, unless the connection has ended meanwhile."""
    if not writer.is_closing():
        writer.write(encode(ReplyFrame(number, reply)))
