"""Opens TCP connections to upstream servers, where the process may do that itself."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from resolver.forward.client.link import socket_address
from resolver.settings import Server

Dial = Callable[[Server, str], Awaitable[socket.socket]]
"""Opens a connection to a server, from an address (empty: the system chooses). Raises OSError."""


async def direct(server: Server, source: str) -> socket.socket:
    """Return a connected socket, which does not block. Raises OSError."""
    connection = socket.socket(socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        if source:
            connection.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(connection, socket_address(server.address, server.port))
    except BaseException:
        connection.close()
        raise
    return connection
