"""The workers: their connections, their status, and the requests to them.

Does not know what a worker is sent (`feed`), or what becomes of its reports.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Mapping
from typing import Final

from resolver import settings_change
from resolver.channel.frames import (
    UP_LIMIT,
    Applied,
    ChannelError,
    CounterReport,
    FallbackReport,
    FrameReader,
    GaugeReport,
    Hello,
    LoopReport,
    MemoryReport,
    ReplyFrame,
    Up,
)
from resolver.channel.requests import Ping, ReplyT, WorkerRequest
from resolver.control.feed.feed import Feed
from resolver.control.worker_link import WorkerLink, WorkerStatus, ask_all
from resolver.control.worker_reports import WorkerReports
from resolver.process import wall_clock
from resolver.process.dial import GREETING
from resolver.settings import WorkerSettings
from resolver.token_bucket import Quota, TokenBucket
from zones.clocks import steady_clock

PING_PATIENCE: Final = 1.0
"""Seconds that a worker has to answer a ping."""
_PATIENCE: Final = 5.0
"""Seconds that all workers have to answer a request."""
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid
_READ: Final = 1 << 18
PACE: Final = Quota(16 << 20, 4 << 20)
"""Octets that are read from one worker at once, and in a second. 40,000 counters are 3 MB; the rest waits."""
_CONNECTIONS: Final = 4
"""Connections of one worker. A worker needs one, and for a moment two when it connects again."""
_PROBE: Final = 1.0  # seconds in which a probe of the socket ends
_PENALTY: Final = 1.0  # seconds until the connection of a worker that broke the protocol is closed

_log = logging.getLogger(__name__)
_CLOCK: Final = steady_clock(time.monotonic)


class WorkerServer:
    """The configured number of workers. `supervisor`: the process that makes their connections."""

    def __init__(
        self, count: int, supervisor: int, feed: Feed, reports: WorkerReports, settings: WorkerSettings
    ) -> None:
        """`settings`: those of workers in the configuration in effect."""
        self._settings = settings
        self._acknowledged = asyncio.Event()
        """Set at each state or configuration that a worker reports as applied."""
        self._statuses = {index: WorkerStatus(index) for index in range(count)}
        self._links: dict[int, WorkerLink] = {}
        self._supervisor = supervisor
        self._open: dict[int, list[asyncio.StreamWriter]] = {}
        """The connections of each worker, the oldest first."""
        self._feed = feed
        self._reports = reports

    @property
    def statuses(self) -> Mapping[int, WorkerStatus]:
        """All configured workers by index, connected or not."""
        return self._statuses

    # -- the configuration

    def configure(self, settings: WorkerSettings) -> None:
        """Send these settings to all workers, and to those that connect later with other ones."""
        self._settings = settings
        for link in self._links.values():
            link.configure(settings)

    async def applied(self, patience: float) -> list[int]:
        """Wait until the connected workers have applied the present settings and state. Return those that are late."""
        serial, settings = self._feed.serial, settings_change.digest(self._settings)
        late = list(self._links)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while late := [index for index in self._links if not self._statuses[index].has(serial, settings)]:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        return late

    # -- requests

    async def ping(self) -> bool:
        """Return whether at least one worker answers in time."""
        pings = [asyncio.ensure_future(link.ask(Ping())) for link in self._links.values()]
        if not pings:
            return False
        done, late = await asyncio.wait(pings, timeout=PING_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for ping in late:
            ping.cancel()
        return any(not ping.cancelled() and ping.exception() is None for ping in done)

    async def ask(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        """Return each worker's reply by index; None for a worker that did not reply in time."""
        return dict.fromkeys(self._statuses) | await ask_all(self._links, _PATIENCE, request)

    async def ask_one(self, request: WorkerRequest[ReplyT], worker: int, patience: float) -> ReplyT | None:
        """Return the reply of one worker; None without a reply in time.

        Raises `LookupError` if that worker is not connected, and `TypeError` for a reply of another kind.
        """
        link = self._links[worker]
        try:
            async with asyncio.timeout(patience):
                return await link.ask(request)
        except TimeoutError:
            return None

    # -- connections

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, from the greetings of the supervisor and of the worker to the end."""
        if _maker(writer.get_extra_info("socket")) != self._supervisor:
            if not await _is_probe(reader):
                _log.warning("a process that the supervisor did not start as a worker was turned away from the channel")
            writer.close()
            return
        try:
            index, _ = GREETING.unpack(await reader.readexactly(GREETING.size))
        except (OSError, EOFError):
            writer.close()
            return
        opened = self._open.setdefault(index, [])
        opened.append(writer)
        if len(opened) > _CONNECTIONS:
            opened.pop(0).transport.abort()
        frames, pace = FrameReader[Up](UP_LIMIT, Up), TokenBucket(PACE, _CLOCK())
        link: WorkerLink | None = None
        sending: asyncio.Task[None] | None = None
        try:
            while data := await reader.read(_READ):
                for frame in frames.feed(data):
                    if isinstance(frame, Hello) and link is None:
                        link = self._join(index, frame, writer)
                        sending = asyncio.create_task(self._send(link, writer))
                    elif link is not None:
                        self._received(link, frame)
                await _keep_pace(pace, len(data))
        except OSError as error:
            _log.warning("the connection to worker %d broke: %s", index, error)
        except ChannelError as error:
            _log.warning("the connection to worker %d broke: %s", index, error)
            await asyncio.sleep(_PENALTY)  # a worker that was taken over may try again at once
        finally:
            if sending:
                sending.cancel()
            if link:
                self._leave(link)
            if writer in opened:
                opened.remove(writer)
            writer.close()

    async def _send(self, link: WorkerLink, writer: asyncio.StreamWriter) -> None:
        """Feed a worker. When that ends, close the connection, so that the worker connects again."""
        try:
            await link.run()
        except OSError:
            pass  # the worker is gone: the reading side notices too
        except ChannelError as error:
            _log.error("the state cannot be sent to worker %d: %s", link.index, error)
        finally:
            writer.close()

    def _join(self, index: int, hello: Hello, writer: asyncio.StreamWriter) -> WorkerLink:
        link = self._links[index] = WorkerLink(self._feed, index, hello, writer, self._settings)
        before = self._statuses[index]
        is_restart = before.instance not in {"", hello.instance}
        self._statuses[index] = WorkerStatus(
            index, hello.pid, hello.instance, connected=True, sandbox=hello.sandbox,
            restarts=before.restarts + is_restart, restarted=wall_clock.now() if is_restart else before.restarted,
        )  # fmt: skip
        return link

    def _leave(self, link: WorkerLink) -> None:
        if self._links.get(link.index) is link:
            del self._links[link.index]
            self._statuses[link.index].connected = False
            self._reports.gauges.forget(link.index)

    def _received(self, link: WorkerLink, frame: Up) -> None:
        if self._links.get(link.index) is not link:
            return  # from a process that has a successor
        match frame:
            case Applied(serial=serial, settings=settings):
                status = self._statuses[link.index]
                status.serial, status.settings = serial, settings
                self._acknowledged.set()
                status.synced |= 0 < self._feed.complete_since <= serial
            case ReplyFrame():
                link.replied(frame)
            case MemoryReport():
                self._statuses[link.index].memory = frame
            case CounterReport() | GaugeReport() | FallbackReport() | LoopReport():
                self._reports.take(link.index, frame, wall_clock.now())
            case Hello():
                raise ChannelError("a second greeting")


def _maker(connection: socket.socket) -> int:
    """Return the process that made a Unix connection, as the kernel says (unix(7) SO_PEERCRED)."""
    pid: int = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[0]
    return pid


async def _is_probe(reader: asyncio.StreamReader) -> bool:
    """Return whether a connection ends at once and carries nothing: another pldns looks whether the socket is in use.

    It removes the sockets of supervisors that were killed (`preflight`).
    """
    try:
        async with asyncio.timeout(_PROBE):
            return not await reader.read(1)
    except (OSError, TimeoutError):
        return False


async def _keep_pace(pace: TokenBucket, octets: int) -> None:
    """Wait until the octets that were read are within `PACE`. The worker has to wait too."""
    pace.refill(PACE, _CLOCK())
    pace.tokens -= octets
    if pace.tokens < 0:
        await asyncio.sleep(-pace.tokens / PACE.rate)
