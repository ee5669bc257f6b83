"""Log lines reach their reader, and no reader can stop the process."""

import fcntl
import logging
import os
import socket
from collections.abc import Iterator

import pytest

from resolver.process.log import _OneLine
from resolver.process.log_output import QUOTA, LogOutput

PAGE = 4096


def event(text: str) -> logging.LogRecord:
    return logging.LogRecord("any", logging.INFO, __file__, 1, text, (), None)


def output(fd: int) -> LogOutput:
    handler = LogOutput(fd)
    handler.setFormatter(_OneLine("control"))
    return handler


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of one page whose writing end blocks."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_that_nobody_reads_loses_lines_and_says_how_many(pipe: tuple[int, int], blocking: bool) -> None:
    reader, writer = pipe
    os.set_blocking(writer, blocking)
    log = output(writer)
    for number in range(100):
        log.emit(event(f"{number:03} " + "x" * 100))
    first = os.read(reader, PAGE).decode().splitlines()
    written = len(first)
    assert 0 < written < 100
    log.emit(event("read again"))
    rest = os.read(reader, PAGE).decode()
    assert "log lines were lost, because nobody read the log\ninfo control read again\n" in rest
    lost = int(rest.split("warning control ")[1].split()[0])
    assert lost == 100 - len((("\n".join(first) + rest).split("warning")[0]).splitlines())


def test_a_line_that_was_written_in_part_is_completed_first(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    log = output(writer)
    log.emit(event("a" * (PAGE - 100)))
    log.emit(event("b" * 2 * PAGE))  # longer than PIPE_BUF: the pipe takes what it has room for
    text = b""
    for number in range(4):
        text += os.read(reader, PAGE)
        log.emit(event(f"next {number}"))
    lines = (text + os.read(reader, PAGE)).decode().splitlines()
    assert lines[1] == "info control " + "b" * 2 * PAGE
    assert lines[-1] == "info control next 3"


def test_a_socket_that_nobody_reads_does_not_block() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        log = output(ours.fileno())
        for _ in range(1000):
            log.emit(event("x" * 1000))
        assert theirs.recv(14) == b"info control x"
        theirs.close()
        log.emit(event("after the end"))  # raises nothing
        log.close()


def test_a_flood_is_bounded(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    log = output(writer)
    for _ in range(int(QUOTA.burst) * 2):
        log.emit(event("again"))
    text = os.read(reader, 1 << 20).decode()
    # The bucket refills while the loop runs: a slow machine writes some more.
    assert QUOTA.burst <= text.count("info control again") < QUOTA.burst * 2
