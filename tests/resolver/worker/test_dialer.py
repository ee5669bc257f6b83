"""Connections that the supervisor makes for a worker: both ends of the exchange, over real sockets."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from resolver.process import dial
from resolver.settings import Server, UpstreamGroup
from resolver.supervisor.dialer import Destinations
from resolver.supervisor.dialer import Dialer as SupervisorsEnd
from resolver.worker.dialer import Dialer

DEADLINE = 60.0


class Both:
    """Both ends, and a server that is permitted."""

    def __init__(self, listening: socket.socket) -> None:
        self.server = Server("tcp", *listening.getsockname())
        self.destinations = Destinations([UpstreamGroup("public", (self.server,))])
        self.loop = asyncio.get_running_loop()
        self.supervisors = SupervisorsEnd(0, "/nowhere/control", self.destinations)
        self.workers = Dialer(socket.socket(fileno=os.dup(self.supervisors.worker_end)), self.loop)
        self.supervisors.started(os.getpid())
        self.loop.add_reader(self.supervisors.fileno(), self.serve)

    def serve(self) -> None:
        if not self.supervisors.serve():
            self.loop.remove_reader(self.supervisors.fileno())

    def close(self) -> None:
        self.loop.remove_reader(self.supervisors.fileno())
        self.supervisors.close()
        self.workers.close()


@pytest.fixture
async def listening() -> AsyncIterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(DEADLINE)
        yield made


@pytest.fixture
async def both(listening: socket.socket) -> AsyncIterator[Both]:
    made = Both(listening)
    yield made
    made.close()


async def test_a_connection_to_a_configured_server_is_made(both: Both, listening: socket.socket) -> None:
    for _ in range(3):
        with await both.workers.upstream(both.server, "") as connection:
            assert connection.getpeername() == listening.getsockname()
            assert not connection.getblocking()
            listening.accept()[0].close()


async def test_no_other_connection_is_made(both: Both) -> None:
    others = Server("tcp", "127.0.0.1", 1), Server("tcp", "169.254.169.254", both.server.port)
    for server in others:
        with pytest.raises(PermissionError):
            await both.workers.upstream(server, "")
    with pytest.raises(PermissionError):
        await both.workers.upstream(both.server, "127.0.0.2")  # the group names no address to connect from


async def test_other_servers_are_permitted_after_a_change(both: Both) -> None:
    both.destinations.permit([])
    with pytest.raises(PermissionError):
        await both.workers.upstream(both.server, "")


async def test_errors_of_the_network_arrive(both: Both, listening: socket.socket) -> None:
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        await both.workers.upstream(both.server, "")
    with pytest.raises(FileNotFoundError):
        await both.workers.control()


async def test_a_link_that_this_machine_does_not_have_is_an_error_of_the_network(both: Both) -> None:
    absent = Server("tcp", "fe80::1%absent", 53)
    both.destinations.permit([UpstreamGroup("public", (absent,), source="fe80::2%absent")])
    with pytest.raises(OSError, match="No such device"):
        await both.workers.upstream(absent, "fe80::2%absent")
    both.destinations.permit([UpstreamGroup("public", (absent,))])
    with pytest.raises(OSError, match="No such device"):
        await both.workers.upstream(absent, "")


async def test_a_request_that_nobody_waits_for_leaves_the_order(both: Both, listening: socket.socket) -> None:
    given_up = asyncio.ensure_future(both.workers.upstream(both.server, ""))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(FileNotFoundError):
        await both.workers.control()
    listening.accept()[0].close()


@pytest.mark.parametrize("octets", [b"", b"{}", b"\xff" * 600, b'{"type":"upstream","address":"::::","port":-1}'])
async def test_a_worker_that_breaks_the_rules_gets_no_further_connection(octets: bytes) -> None:
    end = SupervisorsEnd(0, "/nowhere/control", Destinations(()))
    with socket.socket(fileno=os.dup(end.worker_end)) as worker:
        worker.settimeout(0)
        worker.send(octets)
        served = end.serve()
        assert not served or isinstance(dial.received(worker), PermissionError)
    end.close()
