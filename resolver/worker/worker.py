"""A worker process: reads clients' packets, holds the served table, and forwards to upstreams.

It has no credential, no admin interface and no file to write. Its settings come through a descriptor, and its data from
control over a Unix socket. This file puts the parts of a worker together, and runs them until SIGTERM.
"""

import asyncio
import gc
import signal
import time
from functools import partial

from resolver.forward.cache import UpstreamCache
from resolver.forward.client.forwarder import Forwarder
from resolver.forward.loops import LoopDetector
from resolver.forward.routing import UpstreamGroups
from resolver.process.bootstrap import WorkerStart
from resolver.process.heap import Pauses
from resolver.worker import requests
from resolver.worker.access.clients import Clients
from resolver.worker.access.cookies import Cookies
from resolver.worker.access.edns import Options
from resolver.worker.answer.answer_cache import Answers
from resolver.worker.answer.behaviour import manner
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.responder import Clock, Responder
from resolver.worker.control_link import ControlLink
from resolver.worker.listeners import Listeners
from resolver.worker.replica import Replica
from resolver.worker.reports import Reports
from resolver.worker.secret_files import SecretFiles
from resolver.worker.supervisor_link import SupervisorLink
from zones.azure.catalogue import catalogue
from zones.claims.policy import Policies
from zones.dns.name import from_text
from zones.networks.network import Networks
from zones.table.table import Table


class Worker:
    """The parts of a worker, from the start of the process to its end."""

    def __init__(self, start: WorkerStart, loop: asyncio.AbstractEventLoop) -> None:
        settings = start.settings
        self._start = start
        self._loop = loop
        self._counters = Counters()
        networks = Networks(settings.networks, auto=settings.auto)
        upstreams = UpstreamGroups(settings.upstreams)
        policies = Policies(settings.zones.defaults, settings.zones.overrides)
        self._table = Table(catalogue(), policies)
        self._table.unsynced = settings.unsynced
        self._table.awaited = frozenset(map(from_text, settings.zones.origins)) | policies.named
        self._cache = UpstreamCache(settings.cache.size, settings.cache.stale)
        self._answers = Answers(len(networks.names))
        self._fallbacks = Fallbacks(networks.label, self._counters, time.time)
        loops = LoopDetector(settings.upstreams, settings.mark, time.time)
        self._forwarder = Forwarder(upstreams, loop, loops.mark)
        clients = Clients(networks, settings)
        cookies = Cookies(settings.cookies.root)
        responder = Responder(
            Engine(self._table, networks, upstreams, self._cache, self._counters, manner(settings)),
            self._answers,
            Options(clients, settings.identity, cookies if settings.cookies.answer else None),
            self._counters,
            self._fallbacks,
            loops,
            Clock(loop.time, time.time, loop.call_later),
            self._forwarder.ask,
        )
        pauses = Pauses()
        gc.callbacks.append(pauses)
        replica = Replica(self._table, self._answers, clients)
        reports = Reports(self._counters, self._fallbacks, loops, self._cache, self._forwarder, replica, pauses)
        self._secrets = SecretFiles(settings, cookies, loop)
        self._listeners = Listeners(settings, start.roles, clients, responder, self._secrets.contexts, loop)
        self._supervisor = SupervisorLink(start.orders, self._listeners, loop)
        reply = partial(requests.reply, cache=self._cache, answers=self._answers)
        self._control = ControlLink(start, replica, reports, reply)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Answer until SIGTERM. Raises the error of a link that ended: the supervisor then restarts the worker."""
        self._loop.add_signal_handler(signal.SIGTERM, self.stop)
        self._secrets.watch()
        self._listeners.open(self._start.index, self._start.sockets)
        links = [asyncio.create_task(self._supervisor.run()), asyncio.create_task(self._control.run())]
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([stopping, *links], return_when=asyncio.FIRST_COMPLETED)
        await self._listeners.drain()
        for link in links:
            link.cancel()
        results = await asyncio.gather(*links, return_exceptions=True)
        self._forwarder.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def stop(self) -> None:
        """Have `run` answer the queries in flight, and return."""
        self._stopping.set()
