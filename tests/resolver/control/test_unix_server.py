"""Connections to a Unix socket: a failed one does not affect others, and the end of the block ends all."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.control import unix_server


@pytest.fixture
def sock(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "line"))
        listening.listen()
        listening.settimeout(0)
        yield listening


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo lines until the line `break`, which raises."""
    try:
        while line := await reader.readline():
            if line == b"break\n":
                raise ValueError("broken")
            writer.write(line)
    finally:
        writer.close()


async def test_connections_are_independent_and_end_silently_with_the_block(
    sock: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with unix_server.serving(sock, echo):
        (one, to_one), (other, to_other) = [await asyncio.open_unix_connection(tmp_path / "line") for _ in range(2)]
        to_one.write(b"break\n")
        assert await one.read() == b""
        to_other.write(b"still there\n")
        assert await other.readline() == b"still there\n"
        assert "broken" in caplog.text
        caplog.clear()
    assert await other.read() == b""
    to_one.close()
    to_other.close()
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_the_next_server_of_the_socket_is_reached_by_the_same_path(sock: socket.socket, tmp_path: Path) -> None:
    """Python 3.13 would remove the path with the first server."""
    for _ in range(2):
        async with unix_server.serving(sock.dup(), echo):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "line")
            writer.write(b"here\n")
            assert await reader.readline() == b"here\n"
            writer.close()
