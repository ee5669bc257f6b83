"""A worker process: reads clients' packets, holds the served table, and forwards to upstreams.

It has no credential, no admin interface and no file to write. Its settings come through a descriptor, and its data from
control over a Unix socket. This file puts the parts of a worker together, and runs them until SIGTERM.
"""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Callable
from typing import Final

from resolver.channel.requests import Reply, Request
from resolver.forward import admission
from resolver.forward.admission import Limits
from resolver.forward.cache import Key
from resolver.forward.client.forwarder import Forwarder
from resolver.process import open_files
from resolver.process.bootstrap import FirstTable, WorkerStart
from resolver.process.heap import Pauses
from resolver.process.open_files import OpenFiles
from resolver.process.orders import Beat
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import WorkerSettings
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply
from resolver.wire.plain_reply import Reply as UpstreamReply
from resolver.worker import requests
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from resolver.worker.control_link import ControlLink
from resolver.worker.dialer import Dialer
from resolver.worker.listeners import Listeners
from resolver.worker.memory import MemoryBounds
from resolver.worker.query_log import QueryLog
from resolver.worker.query_watch import QueryWatch
from resolver.worker.replica import Replica
from resolver.worker.reports import Reports
from resolver.worker.secret_files import SecretFiles
from resolver.worker.setup import Setup, Setups
from resolver.worker.supervisor_link import SupervisorLink
from zones.clocks import steady_clock, wall_clock

_log = logging.getLogger(__name__)

PATIENCE: Final = 1.0
"""Seconds that a started worker waits for control's table, before it reads its sockets."""


class Worker:
    """The parts of a worker, from the start of the process to its end."""

    def __init__(self, start: WorkerStart, loop: asyncio.AbstractEventLoop) -> None:
        settings = start.settings
        self._start = start
        self._loop = loop
        parts = compose(settings, Clock(steady_clock(time.monotonic), wall_clock(time.time), loop.call_later))
        self._parts = parts
        self._descriptors = open_files.held() + len(start.sockets)
        files = self._shares(settings)
        self._dialer = Dialer(start.dialer, loop)
        self._forwarder = Forwarder(
            parts.upstreams, loop, parts.loops.mark, self._take_late, _limits(files, settings), self._dialer.upstream
        )
        responder = Responder(parts, self._forwarder.ask)
        pauses = Pauses()
        gc.callbacks.append(pauses)
        replica = Replica(parts.table, parts.answers, parts.clients)
        self._query_log = QueryLog(start.query_log, parts.counters.cell("query_log_dropped_total", ("queue",)))
        self._query_log.configure(settings.query_log)
        self._watch = QueryWatch(parts.clock, self._query_log, responder, parts.networks)
        self._secrets = SecretFiles(settings, parts.cookies)
        first = Setup(settings, parts, responder, replica)
        self._setups = Setups(first, self._forwarder.ask, self._switched)
        self._listeners = Listeners(
            settings, start.roles, parts.clients, responder, self._secrets.contexts, loop, files.clients
        )
        self._memory = MemoryBounds(start.share, lambda: self._setups.now, self._listeners.connections, loop)
        self._reports = Reports(parts, self._forwarder, replica, pauses, self._memory)
        self._supervisor = SupervisorLink(start.orders, self._listeners, self._secrets, self._memory, loop)
        self._control = ControlLink(start, self._dialer, self._setups, self._reports, self._answer)
        self._stopping = asyncio.Event()

    async def run(self, sandbox: SandboxLevel) -> None:
        """Answer until SIGTERM. Raises the error of a link that ended: the supervisor then restarts the worker.

        The table comes before the first packet: without one, an endpoint's name would be refused or asked upstream.
        Packets wait in the sockets meanwhile. `sandbox`: how far this process is confined, for control to show.
        """
        self._loop.add_signal_handler(signal.SIGTERM, self.stop)
        Beat(self._start.orders, self._start.beat, self._loop.call_later).start()
        self._secrets.take(self._start.files)
        stopping = asyncio.create_task(self._stopped())
        loaded = await self._control.load()
        links = [asyncio.create_task(self._control.run(sandbox))]
        await self._first_table(loaded, [stopping, *links])
        self._memory.run()
        self._listeners.open(self._start.index, self._start.sockets)
        links.append(asyncio.create_task(self._supervisor.run()))
        await asyncio.wait([stopping, *links], return_when=asyncio.FIRST_COMPLETED)
        await self._listeners.drain()
        for link in links:
            link.cancel()
        results = await asyncio.gather(*links, return_exceptions=True)
        self._watch.flush()
        self._forwarder.close()
        self._dialer.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _first_table(self, loaded: bool, ends: list[asyncio.Task[None]]) -> None:
        """Wait for the table of control as long as `FirstTable` says, or until one of `ends`."""
        wanted = self._start.first_table
        if wanted == FirstTable.SAVED and loaded:
            return
        event = self._control.committed if wanted == FirstTable.OF_CONTROL else self._control.complete
        patience = None if wanted == FirstTable.OF_CONTROL else PATIENCE
        first = asyncio.create_task(event.wait())
        await asyncio.wait([first, *ends], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()

    def _switched(self, setup: Setup) -> None:
        settings, parts = setup.settings, setup.parts
        files = self._shares(settings)
        self._forwarder.replace(parts.upstreams, parts.loops.mark, _limits(files, settings))
        self._listeners.configure(settings, parts.clients, setup.responder, files.clients)
        self._watch.flush()
        self._query_log.configure(settings.query_log)
        self._watch.switch(setup.responder, parts.networks)
        self._reports.switch(parts, setup.replica)
        self._secrets.configure(settings)
        self._memory.update()

    def _answer(self, request: Request, done: Callable[[Reply], None]) -> None:
        requests.answer(request, self._setups.now.parts, self._forwarder, self._watch.take, done)

    def _shares(self, settings: WorkerSettings) -> OpenFiles:
        """Return the shares of the descriptors. A worker may have to adopt the sockets of a sibling."""
        wanted, limit = settings.streams.connections, open_files.limit()
        files = open_files.shares(limit, self._descriptors, wanted)
        if files.clients < wanted:
            _log.warning(
                "the limit of open files is %d: at most %d connections of clients (dns.streams.connections is %d), and "
                "%d sockets to upstream servers",
                limit, files.clients, wanted, files.upstream,
            )  # fmt: skip
        return files

    def _take_late(self, key: Key, reply: UpstreamReply) -> None:
        """Cache a reply that came after its clients had been answered."""
        if isinstance(reply, PlainReply) or reply.rcode in codes.ANSWERS:
            self._parts.cache.put(key, reply, self._parts.clock.steady())

    async def _stopped(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        """Have `run` answer the queries in flight, and return."""
        self._stopping.set()


def _limits(files: OpenFiles, settings: WorkerSettings) -> Limits:
    return admission.within(files.upstream, sum(len(group.servers) for group in settings.upstreams))
