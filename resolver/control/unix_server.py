"""Connections that come to a Unix socket, each in a task of its own.

asyncio's own tasks for them have no owner: one that is cancelled when the loop ends is logged as an error.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

_BUFFER: Final = 1 << 20
"""Octets that wait to be read."""


@contextlib.asynccontextmanager
async def serving(
    sock: socket.socket, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[None]:
    """Take connections within the block, which cancels those that are left. One that fails harms no other."""
    tasks: set[asyncio.Future[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(connected(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_unix_server(accept, sock=sock, limit=_BUFFER)
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
