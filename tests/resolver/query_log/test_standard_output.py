"""Lines to stdout: written as fast as the reader reads, kept up to a bound, refused beyond it."""

import asyncio
import os
import socket
from itertools import count

import pytest

from resolver.query_log import standard_output
from resolver.query_log.standard_output import StandardOutput

LINE = b"x" * 999 + b"\n"


def until_refused(output: StandardOutput) -> int:
    """Write lines. Return how many were taken."""
    for taken in count():
        try:
            output.write(LINE)
        except BlockingIOError:
            return taken
    raise AssertionError


@pytest.mark.parametrize("blocking", [False, True])
async def test_lines_wait_for_a_slow_reader_and_too_many_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    blocking: bool,
) -> None:
    monkeypatch.setattr(standard_output, "ROOM", 10_000)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, blocking)
    output = StandardOutput(writing, asyncio.get_running_loop())
    taken = until_refused(output)
    assert taken > 10
    got = b""
    async with asyncio.timeout(60):
        while len(got) < taken * len(LINE):
            await asyncio.sleep(0)
            try:
                got += os.read(reading, 1 << 16)
            except BlockingIOError:
                continue
    assert got == LINE * taken
    output.close()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        output.write(LINE)
    os.close(writing)


async def test_lines_go_to_a_socket_as_under_systemd() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        output = StandardOutput(theirs.fileno(), asyncio.get_running_loop())
        output.write(b"1\n")
        output.look()
        assert ours.recv(9) == b"1\n"
        output.close()
