"""Floods of clients: `python -m bench.attacks KIND TLS_PORT HTTPS_PORT SECONDS` sends one of them to local listeners.

Each function sends until the deadline as fast as the server takes it, over few connections, and opens new ones when the
server closes them. Errors of the network are a part of it.
"""

import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Final

import dns.message
import h2.config
import h2.connection
import h2.settings

Attack = Callable[[int, int, float], None]
HELD: Final = 3_000
"""Connections that an attack opens, at most."""
_REQUESTS: Final = 2_000
"""Requests that are cancelled on one connection: their bodies fit into its window of 65,535 octets."""
_HEADERS: Final = [
    (":method", "POST"), (":path", "/dns-query"), (":authority", "localhost"), (":scheme", "https"),
    ("content-type", "application/dns-message"),
]  # fmt: skip


def _context(*alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _secure(port: int) -> ssl.SSLSocket:
    return _context("h2").wrap_socket(socket.create_connection(("127.0.0.1", port), 5))


def _session(*, window: int | None = None) -> h2.connection.H2Connection:
    session = h2.connection.H2Connection(h2.config.H2Configuration())
    session.initiate_connection()
    if window is not None:
        session.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
    return session


def _repeat(port: int, octets: bytes, until: float) -> None:
    """Send the octets over one connection after the other."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError), _secure(port) as sock:
            sock.sendall(octets)
            while sock.recv(65_536):
                pass


def rapid_reset(_: int, https: int, until: float) -> None:
    """Send queries over HTTP/2 and cancel each at once."""
    session = _session()
    query = dns.message.make_query("health.pldns", "TXT").to_wire()
    for stream in range(1, 2 * _REQUESTS, 2):
        session.send_headers(stream, _HEADERS)
        session.send_data(stream, query, end_stream=True)
        session.reset_stream(stream)
    _repeat(https, session.data_to_send(), until)


def pings(_: int, https: int, until: float) -> None:
    """Send PING frames over HTTP/2."""
    _repeat(https, _session().data_to_send() + (b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)) * 100_000, until)


def acknowledgements(_: int, https: int, until: float) -> None:
    """Send acknowledgements of SETTINGS over HTTP/2."""
    _repeat(https, _session().data_to_send() + b"\0\0\0\4\1\0\0\0\0" * 100_000, until)


def window(_: int, https: int, until: float) -> None:
    """Ask over HTTP/2 for long answers and read none of them."""
    session = _session(window=0)
    query = dns.message.make_query("big.flood.example", "A").to_wire()
    for stream in range(1, 200, 2):
        session.send_headers(stream, _HEADERS)
        session.send_data(stream, query, end_stream=True)
    _hold(100, lambda: _secure(https), session.data_to_send(), until)


def probes(tls: int, _: int, until: float) -> None:
    """Connect to DNS over TLS and close, as a load balancer does."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", tls), 5).close()


def handshakes(tls: int, _: int, until: float) -> None:
    """Begin handshakes and do not finish them."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        _context().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    _hold(HELD, lambda: socket.create_connection(("127.0.0.1", tls), 5), outgoing.read(), until)


def _hold(count: int, connect: Callable[[], socket.socket], octets: bytes, until: float) -> None:
    """Open so many connections, send the octets on each, and keep all of them open until a time."""
    held: list[socket.socket] = []
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if len(held) < count:
                held.append(connect())
                held[-1].sendall(octets)
            else:
                time.sleep(0.05)  # the connections stay open until the end; a busy wait would take a core


ATTACKS: Final[dict[str, Attack]] = {
    "rapid reset": rapid_reset, "pings": pings, "acknowledged settings": acknowledgements, "window of 0": window,
    "connect and close": probes, "half-open handshakes": handshakes,
}  # fmt: skip


def main() -> None:
    """Send one attack."""
    kind, tls, https, seconds = sys.argv[1:]
    ATTACKS[kind](int(tls), int(https), time.monotonic() + float(seconds))


if __name__ == "__main__":
    main()
