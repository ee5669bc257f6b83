"""Opens TCP connections to upstream servers, where the process may do that itself."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable

from resolver.process.connecting import connecting
from resolver.settings import Server

Dial = Callable[[Server, str], Awaitable[socket.socket]]
"""Opens a connection to a server, from an address (empty: the system chooses). Raises OSError."""


async def direct(server: Server, source: str) -> socket.socket:
    """Return a connected socket, which does not block. Raises OSError."""
    return await established(connecting(socket.SOCK_STREAM, server.address, server.port, source))


async def established(connection: socket.socket) -> socket.socket:
    """Return the socket once it is connected. Otherwise close it. Raises OSError."""
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    with contextlib.ExitStack() as failed:
        failed.callback(connection.close)
        loop.add_writer(connection.fileno(), writable.set)
        try:
            await writable.wait()
        finally:
            loop.remove_writer(connection.fileno())
        if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        failed.pop_all()
    return connection
