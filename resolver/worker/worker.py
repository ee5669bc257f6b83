"""A worker process: reads clients' packets, holds the served table, and forwards to upstreams.

It has no credential, no admin interface and no file to write. Its settings come through a descriptor, and its data from
control over a Unix socket. This file puts the parts of a worker together, and runs them until SIGTERM.
"""

import asyncio
import gc
import signal
import time
from functools import partial
from typing import Final

from resolver.forward.cache import Key
from resolver.forward.client.forwarder import Forwarder
from resolver.process.bootstrap import WorkerStart
from resolver.process.heap import Pauses
from resolver.process.orders import Beat
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.worker import requests
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from resolver.worker.control_link import ControlLink
from resolver.worker.listeners import Listeners
from resolver.worker.replica import Replica
from resolver.worker.reports import Reports
from resolver.worker.secret_files import SecretFiles
from resolver.worker.supervisor_link import SupervisorLink
from zones.clocks import steady_clock, wall_clock

FIRST_TABLE: Final = 1.0
"""Seconds that a started worker waits for control's table, before it reads its sockets.

With a saved table it waits only if control is known to serve: that table may lack the changes of half a minute.
"""


class Worker:
    """The parts of a worker, from the start of the process to its end."""

    def __init__(self, start: WorkerStart, loop: asyncio.AbstractEventLoop) -> None:
        settings = start.settings
        self._start = start
        self._loop = loop
        parts = compose(settings, Clock(steady_clock(loop.time), wall_clock(time.time), loop.call_later))
        self._parts = parts
        self._forwarder = Forwarder(parts.upstreams, loop, parts.loops.mark, self._take_late)
        responder = Responder(parts, self._forwarder.ask)
        pauses = Pauses()
        gc.callbacks.append(pauses)
        replica = Replica(parts.table, parts.answers, parts.clients)
        reports = Reports(parts, self._forwarder, replica, pauses)
        self._secrets = SecretFiles(settings, parts.cookies, loop)
        self._listeners = Listeners(settings, start.roles, parts.clients, responder, self._secrets.contexts, loop)
        self._supervisor = SupervisorLink(start.orders, self._listeners, loop)
        reply = partial(requests.reply, cache=parts.cache, answers=parts.answers, servers=self._forwarder.report)
        self._control = ControlLink(start, replica, reports, reply)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Answer until SIGTERM. Raises the error of a link that ended: the supervisor then restarts the worker.

        The table comes before the first packet: without one, an endpoint's name would be refused or asked upstream.
        Packets wait in the sockets meanwhile.
        """
        self._loop.add_signal_handler(signal.SIGTERM, self.stop)
        Beat(self._start.orders, self._start.beat, self._loop.call_later).start()
        self._secrets.watch()
        stopping = asyncio.create_task(self._stopping.wait())
        loaded = await self._control.load()
        links = [asyncio.create_task(self._control.run())]
        if self._start.control_serves or not loaded:
            first = asyncio.create_task(self._control.complete.wait())
            await asyncio.wait([first, stopping, *links], timeout=FIRST_TABLE, return_when=asyncio.FIRST_COMPLETED)
            first.cancel()
        self._listeners.open(self._start.index, self._start.sockets)
        links.append(asyncio.create_task(self._supervisor.run()))
        await asyncio.wait([stopping, *links], return_when=asyncio.FIRST_COMPLETED)
        await self._listeners.drain()
        for link in links:
            link.cancel()
        results = await asyncio.gather(*links, return_exceptions=True)
        self._forwarder.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _take_late(self, key: Key, reply: Reply) -> None:
        """Cache a reply that came after its clients had been answered."""
        if isinstance(reply, PlainReply) or reply.rcode in codes.ANSWERS:
            self._parts.cache.put(key, reply, self._parts.clock.steady())

    def stop(self) -> None:
        """Have `run` answer the queries in flight, and return."""
        self._stopping.set()
