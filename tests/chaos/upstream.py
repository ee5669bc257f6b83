"""Upstream servers that can be made to fail or lie, in a thread of the harness.

Every name has the address that the mix expects, except names whose first label begins with `missing`.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

from tests.chaos.mix import public_address

LATE: Final = 1.2
"""Seconds by which a slow server is late."""
_SHORT: Final = 2
"""TTL in seconds: names that are asked again expire during each fault."""


class Manner(StrEnum):
    """How a server behaves."""

    GOOD = "good"
    SILENT = "silent"
    SLOW = "slow"
    SERVFAIL = "SERVFAIL"
    WRONG_ID = "wrong id"
    WRONG_QUESTION = "wrong question"
    GARBAGE = "garbage"
    TRUNCATED = "truncated, also over TCP"
    LOOP = "alias to itself"
    CLOSED = "connections closed, datagrams dropped"


def reply(query: bytes, manner: Manner) -> bytes:
    """Return the reply to a query; empty for none."""
    labels = _labels(query)
    end = 12 + sum(1 + len(label) for label in labels) + 5
    head, question = query[:2], query[12:end]
    if manner in {Manner.SILENT, Manner.CLOSED}:
        return b""
    if manner is Manner.GARBAGE:
        return head + bytes(octet ^ 0x5A for octet in query[2:])
    if manner is Manner.SERVFAIL:
        return head + b"\x81\x82\0\1\0\0\0\0\0\0" + question
    if manner is Manner.TRUNCATED:
        return head + b"\x83\x80\0\1\0\0\0\0\0\0" + question
    if manner is Manner.WRONG_ID:
        head = bytes((head[0] ^ 1, head[1]))
    if manner is Manner.WRONG_QUESTION:
        question = b"\x05wrong" + question
    if manner is Manner.LOOP:
        return head + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\x0c\0\5\0\1" + _data(b"\xc0\x0c")
    if labels and labels[0].startswith(b"missing"):
        data = b"\0\0" + b"".join(number.to_bytes(4, "big") for number in (1, 2, 3, 4, _SHORT))
        return head + b"\x81\x83\0\1\0\0\0\1\0\0" + question + b"\0\0\6\0\1" + _data(data)
    address = bytes(map(int, public_address(b".".join(labels).decode("latin-1").lower()).split(".")))
    return head + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\x0c\0\1\0\1" + _data(address)


def _data(octets: bytes) -> bytes:
    return _SHORT.to_bytes(4, "big") + len(octets).to_bytes(2, "big") + octets


def _labels(query: bytes) -> list[bytes]:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length])
        at += 1 + length
    return labels


class Upstream(asyncio.DatagramProtocol):
    """A server over UDP and TCP at one port of 127.0.0.1."""

    def __init__(self) -> None:
        self.manner = Manner.GOOD
        self.port = 0

    async def open(self) -> None:
        """Bind both sockets."""
        loop = asyncio.get_running_loop()
        while True:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
            self.port = transport.get_extra_info("sockname")[1]
            try:
                self._server = await asyncio.start_server(self._stream, "127.0.0.1", self.port)
            except OSError:  # another program has this port over TCP
                transport.close()
            else:
                return

    def close(self) -> None:
        """Close both sockets."""
        self._transport.close()
        self._server.close()

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own type is wider than UDP's
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.manner is Manner.SLOW:
            asyncio.get_running_loop().call_later(LATE, self._transport.sendto, reply(data, Manner.GOOD), addr)
        elif octets := reply(data, self.manner):
            self._transport.sendto(octets, addr)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.manner is not Manner.CLOSED:
                query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                await asyncio.sleep(LATE if self.manner is Manner.SLOW else 0)
                if octets := reply(query, self.manner):
                    writer.write(len(octets).to_bytes(2, "big") + octets)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(count: int) -> Iterator[list[Upstream]]:
    """Serve while the block runs."""
    servers = [Upstream() for _ in range(count)]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="upstream servers")
    thread.start()
    try:
        for each in servers:
            asyncio.run_coroutine_threadsafe(each.open(), loop).result()
        yield servers
    finally:
        asyncio.run_coroutine_threadsafe(_close(servers), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(servers: list[Upstream]) -> None:
    for each in servers:
        each.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
