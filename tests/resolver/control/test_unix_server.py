"""Connections to a Unix socket: a failed one does not affect others, and the end of the block ends all."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from resolver.control import unix_server


@pytest.fixture
def sock(tmp_path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "line"))
    listening.listen()
    listening.settimeout(0)
    return listening


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
