"""Connections of a worker: the supervisor makes them. See `process.dial` for the exchange."""

import asyncio
import socket
from collections import deque

from resolver.forward.client.dial import established
from resolver.process import dial
from resolver.settings import Server


class Dialer:
    """Obtains connections through `link`."""

    def __init__(self, link: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop
        self._waiting: deque[asyncio.Future[socket.socket]] = deque()
        link.setblocking(False)  # noqa: FBT003 - it takes no keyword
        loop.add_reader(link.fileno(), self._receive)

    async def control(self) -> socket.socket:
        """Return a connection to control. Raises OSError."""
        return await self._ask(dial.DialControl())

    async def upstream(self, server: Server, source: str) -> socket.socket:
        """Return an established connection to an upstream server. Raises OSError."""
        return await established(await self._ask(dial.DialUpstream(server.address, server.port, source)))

    def close(self) -> None:
        """Take no replies any more."""
        self._loop.remove_reader(self._link.fileno())
        self._link.close()

    async def _ask(self, wanted: dial.Request) -> socket.socket:
        dial.request(self._link, wanted)
        waiting: asyncio.Future[socket.socket] = self._loop.create_future()
        self._waiting.append(waiting)
        return await waiting

    def _receive(self) -> None:
        try:
            received = dial.received(self._link)
        except BlockingIOError:
            return
        except OSError as error:
            received = error
        if not self._waiting:  # the supervisor has ended, and this process will
            self._loop.remove_reader(self._link.fileno())
            return
        waiting = self._waiting.popleft()
        if isinstance(received, OSError):
            if not waiting.done():
                waiting.set_exception(received)
        elif waiting.done():
            received.close()
        else:
            waiting.set_result(received)
