"""Waits for many sockets with one entry in the event loop: an epoll of their own (epoll(7)).

The event loop makes several objects for each socket that is readable; with many replies at once those would take longer
than the replies. Elsewhere than on Linux the event loop waits for each socket.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final

MOST: Final = 256
"""Sockets that are read before the event loop continues."""
DRAINED: Final = 16_384
"""Packets that are read at once after a stop of the process, however many wait."""


class Poller:
    """Calls a function when a socket is readable."""

    __slots__ = ("_epoll", "_loop", "_readers")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._readers: dict[int, Callable[[], None]] = {}
        self._epoll: select.epoll | None = None

    def add(self, descriptor: int, reader: Callable[[], None]) -> None:
        """Call `reader` whenever the socket is readable. Raises OSError."""
        if not hasattr(select, "epoll"):
            self._loop.add_reader(descriptor, reader)
            return
        if self._epoll is None:
            self._epoll = select.epoll()
            self._loop.add_reader(self._epoll.fileno(), self._poll)
        self._epoll.register(descriptor, select.EPOLLIN)
        self._readers[descriptor] = reader

    def closed(self, descriptor: int) -> None:
        """Stop waiting for a socket that is closed next, which also takes it out of the epoll."""
        if self._epoll is None:
            self._loop.remove_reader(descriptor)
        else:
            self._readers.pop(descriptor, None)

    def close(self) -> None:
        """Stop waiting for all sockets."""
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None
        self._readers.clear()

    def drain(self) -> None:
        """Read all that has come, but at most `DRAINED` packets."""
        left = DRAINED // MOST
        while left and self._poll() == MOST:
            left -= 1

    def _poll(self) -> int:
        """Read one packet of each readable socket, of `MOST` sockets at most. Return the number of sockets."""
        if self._epoll is None:
            return 0
        found = self._epoll.poll(0, MOST)
        for descriptor, _ in found:
            reader = self._readers.get(descriptor)
            if reader is not None:  # an earlier reader may have closed this socket
                reader()
        return len(found)
