"""A reply that waits in a socket while the process is stopped or busy came in time."""

import socket
import time

import pytest

from resolver.forward.cache import UpstreamFailure
from resolver.forward.client import poller
from resolver.settings import Server
from tests.resolver.forward.client.conftest import Make
from tests.resolver.forward.client.upstreams import DEADLINE, asking, key, until


async def test_replies_that_wait_in_many_sockets_are_no_timeouts(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    real, stopped = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + stopped[0])
    monkeypatch.setattr(poller, "MOST", 16)
    count = 40
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(DEADLINE)
        resolver = make(Server("udp", *server.getsockname()))
        results = [asking(resolver, key(f"n{i}.example")) for i in range(count)]
        for _ in range(count):
            query, source = server.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
            server.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:end] + address, source)
        stopped[0] = 1.5
        await until(lambda: all(result.done() for result in results))
    assert not any(isinstance(result.result(), UpstreamFailure) for result in results)
    assert (resolver.queries, resolver.replies, resolver.timeouts) == (count, count, 0)
