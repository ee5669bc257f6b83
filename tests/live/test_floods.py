"""A real worker under floods: what clients leave behind is small, and other clients are answered."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import h2.config
import h2.connection
import h2.settings
import pytest
import trustme

from tests.live.daemon import PATIENCE, REPLY, Daemon, until
from tests.ports import free_port

pytestmark = pytest.mark.live
MIB = 1 << 20


class Flooded:
    """A daemon with all listeners, and what a client of its TLS listeners needs."""

    def __init__(self, folder: Path) -> None:
        self.tls, self.https = free_port(), free_port()
        authority = trustme.CA()
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "pair.pem"))
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        pair = {"certificate": "pair.pem", "key": "pair.pem"}
        big = "\n".join(f"big A 10.{number >> 8}.{number & 255}.1" for number in range(3_000))
        (folder / "test.zone").write_text(f"$ORIGIN big.example.\n$TTL 60\n@ SOA a. b. 1 2 3 4 60\n@ NS a.\n{big}\n")
        listeners = {"tls": {"listen": [f"127.0.0.1:{self.tls}"], **pair}}
        listeners["https"] = {"listen": [f"127.0.0.1:{self.https}"], **pair}
        self.daemon = Daemon(folder, {"dns": listeners, "zones": {"files": ["test.zone"]}}).start().ready()
        (self.worker,) = self.daemon.children()["worker"]

    def resident(self) -> int:
        """Return the resident octets of the worker."""
        lines = Path(f"/proc/{self.worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def connections(self) -> int:
        """Return how many sockets the worker has open."""
        files = Path(f"/proc/{self.worker}/fd").iterdir()
        return sum(_target(each).startswith("socket:") for each in files)

    def secure(self, port: int, alpn: str) -> ssl.SSLSocket:
        self.context.set_alpn_protocols([alpn])
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        return self.context.wrap_socket(sock, server_hostname="localhost")

    def answers(self, count: int = 20) -> None:
        """Check that another client is answered over UDP and TCP."""
        for number in range(count):
            assert self.daemon.ask("health.pldns", "TXT", tcp=bool(number % 2)).rcode() == dns.rcode.NOERROR


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""  # closed meanwhile


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flooded]:
    made = Flooded(tmp_path_factory.mktemp("flooded"))
    made.secure(made.tls, "dot").close()
    made.secure(made.https, "h2").close()
    made.answers(2)
    yield made
    made.daemon.stop()
    assert "Traceback" not in made.daemon.log.read_text()


def hello(context: ssl.SSLContext) -> bytes:
    """Return the first flight of a handshake."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def test_probes_of_a_load_balancer_leave_nothing_behind(flooded: Flooded) -> None:
    before, sockets = flooded.resident(), flooded.connections()
    for _ in range(500):
        socket.create_connection(("127.0.0.1", flooded.tls), REPLY).close()
    flooded.answers()
    until(lambda: flooded.connections() <= sockets + 1)
    assert flooded.resident() - before < 16 * MIB


def test_incomplete_handshakes_are_few_and_small(flooded: Flooded) -> None:
    before = flooded.resident()
    first = hello(flooded.context)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", flooded.tls), PATIENCE)) for _ in range(400)]
        for each in held:
            with contextlib.suppress(OSError):
                each.sendall(first)
        assert held[-1].recv(1)
        flooded.answers()
        assert flooded.resident() - before < 24 * MIB
        assert flooded.connections() < 300  # a quarter of 1,000, and the listeners


def requests() -> bytes:
    """Return what a client sends that has no window, and asks a hundred times for the long answer."""
    query = dns.message.make_query("big.big.example", "A").to_wire()
    headers = [(":method", "POST"), (":path", "/dns-query"), (":authority", "localhost"), (":scheme", "https"),
               ("content-type", "application/dns-message")]  # fmt: skip
    client = h2.connection.H2Connection(h2.config.H2Configuration())
    client.initiate_connection()
    client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    for stream in range(1, 200, 2):
        client.send_headers(stream, headers)
        client.send_data(stream, query, end_stream=True)
    return client.data_to_send()


def test_responses_that_nobody_reads_have_a_limit(flooded: Flooded) -> None:
    before, octets = flooded.resident(), requests()
    with contextlib.ExitStack() as stack:
        for _ in range(9):
            sock = stack.enter_context(flooded.secure(flooded.https, "h2"))
            with contextlib.suppress(OSError):
                sock.sendall(octets)
        flooded.answers()
        until(lambda: 'reason="memory"' in str(flooded.daemon.get("/metrics")[1]))
        grown = flooded.resident() - before
    assert grown < 40 * MIB  # 9 x 100 answers of 48 KB are 43 MB


def test_a_flood_of_frames_ends_and_others_are_answered_meanwhile(flooded: Flooded) -> None:
    sock = flooded.secure(flooded.https, "h2")
    ping = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

    def send() -> None:
        with contextlib.suppress(OSError):
            sock.sendall(preface + ping * 20_000)

    flood = threading.Thread(target=send)
    flood.start()
    flooded.answers(100)
    with contextlib.suppress(OSError):
        while sock.recv(65_536):
            pass
    flood.join()
    sock.close()
    until(lambda: flooded.daemon.metric("dns_https_errors_total", reason="flood") == 1.0)


def test_a_request_line_that_never_ends_is_closed(flooded: Flooded) -> None:
    with flooded.secure(flooded.https, "http/1.1") as sock:
        sock.sendall(b"GET /dns-query?dns=" + b"A" * 20_000)
        reply = http.client.HTTPResponse(sock)
        reply.begin()
        assert reply.status == 431
