"""Serves the connections to a Unix socket, each in a task of its own.

The tasks that `asyncio.start_unix_server` makes have no owner: asyncio logs an error when such a task is cancelled at
the end of the loop. Here the server owns the tasks, and cancels them when it closes.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

_BUFFER: Final = 1 << 20
"""Octets that are buffered for the reader."""
# Python 3.13 removes the socket's path when a server closes. But the next control serves the same socket, and workers
# reach it by its path.
if sys.version_info >= (3, 13):
    _start = partial(asyncio.start_unix_server, cleanup_socket=False)
else:
    _start = asyncio.start_unix_server


@contextlib.asynccontextmanager
async def serving(
    sock: socket.socket, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[None]:
    """Accept connections inside the block; its end cancels the open ones. A failed connection affects no other."""
    tasks: set[asyncio.Future[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(connected(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await _start(accept, sock=sock, limit=_BUFFER)
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
