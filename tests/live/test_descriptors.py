"""A daemon with few file descriptors: idle connections leave enough for upstream servers, and for control."""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.live.answering_upstream import answering
from tests.live.daemon import REPLY, Daemon, until

pytestmark = pytest.mark.live


def address_reply(packet: bytes) -> bytes:
    """Return the reply with an address."""
    reply = dns.message.make_response(dns.message.from_wire(packet), recursion_available=True)
    reply.answer.append(dns.rrset.from_text(reply.question[0].name, 60, "IN", "A", "192.0.2.1"))
    return reply.to_wire()


@pytest.mark.parametrize("descriptors", [64, 256])
def test_idle_connections_leave_descriptors_for_everything_else(
    tmp_path: Path, start: Callable[..., Daemon], descriptors: int
) -> None:
    with answering(address_reply) as port, contextlib.ExitStack() as stack:
        config = {"upstreams": {"public": {"servers": [f"udp://127.0.0.1:{port}"]}}}
        daemon = start(descriptors=descriptors, **config)
        until(lambda: "all workers are up" in daemon.log.read_text())
        for _ in range(2 * descriptors):
            stack.enter_context(socket.create_connection(("127.0.0.1", daemon.port), REPLY))
        assert daemon.ask("first.example", tcp=True).rcode() == dns.rcode.NOERROR
        asking = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        asking.settimeout(REPLY)
        asking.connect(("127.0.0.1", daemon.port))
        for number in range(100):
            asking.send(dns.message.make_query(f"n{number}.example", "A", id=number).to_wire())
        replies = [dns.message.from_wire(asking.recv(4096)) for _ in range(100)]
        daemon.ready()
        for _ in range(2 * descriptors):
            stack.enter_context(socket.create_connection(("127.0.0.1", daemon.admin), REPLY))
        assert daemon.get("/readyz")[0] == 200
        assert daemon.ask("last.example").rcode() == dns.rcode.NOERROR
    assert {dns.rcode.to_text(reply.rcode()) for reply in replies} == {"NOERROR"}
    assert f"the limit of open files is {descriptors}:" in daemon.log.read_text()
    assert "have to wait" not in daemon.log.read_text()
