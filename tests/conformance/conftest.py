"""One daemon with a listener of each kind, for all tests of this folder."""

import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rrset
import pytest

from tests.conformance.ways import Site


class Upstream:
    """An upstream server on loopback. It answers each name with an A record, ANY with two types, and sets AD."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.uri = f"udp://127.0.0.1:{self._sock.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                packet, address = self._sock.recvfrom(4096)
            except OSError:
                return
            if not packet:
                return
            query = dns.message.from_wire(packet)
            reply = dns.message.make_response(query, recursion_available=True)
            name = query.question[0].name
            reply.flags |= dns.flags.AD
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.80"))
            if query.question[0].rdtype == dns.rdatatype.ANY:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", '"x"'))
            self._sock.sendto(reply.to_wire(), address)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self._sock.getsockname())
        self._thread.join(10)
        self._sock.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A daemon that is ready."""
    upstream = Upstream()
    made = Site(tmp_path_factory.mktemp("conformance"), upstream.uri)
    made.daemon.start()
    try:
        made.daemon.ready()
        yield made
        assert "Traceback" not in made.daemon.log.read_text()
    finally:
        made.daemon.stop()
        upstream.close()


@pytest.fixture(params=["udp", "tcp", "tls", "https"])
def exchange(request: pytest.FixtureRequest, site: Site) -> Callable[[bytes], bytes | None]:
    """Sends a packet and returns the reply; parametrized by transport."""
    way: Callable[[bytes], bytes | None] = site.ways[request.param]
    return way
