"""A worker's link to the supervisor: reports that the worker is ready, and carries out orders."""

import asyncio

from resolver.process import log
from resolver.process.orders import Adopt, Order, OrderReceiver, Release, UseFiles, UseLogLevel, UseShare
from resolver.worker.listeners import Listeners
from resolver.worker.memory import MemoryBounds
from resolver.worker.secret_files import SecretFiles


class SupervisorLink:
    """Receives orders and applies them to the listeners, the secrets and the caches."""

    def __init__(
        self,
        orders: OrderReceiver,
        listeners: Listeners,
        secrets: SecretFiles,
        memory: MemoryBounds,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._orders = orders
        self._listeners = listeners
        self._secrets = secrets
        self._memory = memory
        self._loop = loop
        self._received: asyncio.Queue[Order] = asyncio.Queue()

    async def run(self) -> None:
        """Report that the worker reads its sockets, then carry out orders in turn. Ends only by an error."""
        self._loop.add_reader(self._orders.fileno(), self._receive)
        self._orders.send_ready()
        while True:
            match await self._received.get():
                case Adopt(index=index, sockets=sockets):
                    self._listeners.adopt(index, sockets)
                case Release(index=index):
                    self._listeners.release(index)
                case UseFiles(contents=contents):
                    self._secrets.take(contents)
                case UseShare(octets=octets, drop=drop):
                    self._memory.take(octets, drop=drop)
                case UseLogLevel(level=level):
                    log.set_level(level)

    def _receive(self) -> None:
        for order in self._orders.receive():
            self._received.put_nowait(order)
