"""One exchange with a daemon on each transport: a packet and its reply."""

import http.client
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trustme

from tests.live.daemon import PATIENCE, Daemon
from tests.ports import free_port

SILENCE: Final = 0.4
"""Seconds to wait for a reply to a packet that must get none."""
_HEADER: Final = 12
_QR: Final = 0x80
ESTATE: Final = """
endpoints:
  - name: acct
    target: /x/acct
    group: blob
    records: [{fqdn: AcctName.blob.core.windows.net, ips: [10.0.0.4, 10.0.0.5]}]
  - {name: six, target: /x/six, group: blob, records: [{fqdn: six.blob.core.windows.net, ips: ["fd00::4"]}]}
"""


class Site:
    """A daemon with a listener of each kind, and one client for each."""

    def __init__(self, folder: Path, upstream: str) -> None:
        authority = trustme.CA()
        made = authority.issue_cert("localhost", "127.0.0.1")
        (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        (folder / "key.pem").write_bytes(made.private_key_pem.bytes())
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        (folder / "estate.yaml").write_text(ESTATE)
        self.authority = folder / "ca.pem"
        self.tls_port, self.https_port = free_port(), free_port()
        pair = {"certificate": "cert.pem", "key": "key.pem"}
        zones = Path(__file__).parent / "zones"
        self.daemon = Daemon(
            folder,
            {
                "dns": {
                    "tls": {"listen": [f"127.0.0.1:{self.tls_port}"], **pair},
                    "https": {"listen": [f"127.0.0.1:{self.https_port}"], **pair},
                    "identity": "conformance",
                },
                "sources": [{"name": "estate", "type": "files", "path": "./estate.yaml"}],
                "zones": {"files": [f"{zones}/*.zone"]},
                "upstreams": {"public": {"servers": [upstream]}},
            },
        )
        self.ways: dict[str, Callable[[bytes], bytes | None]] = {
            "udp": self.udp, "tcp": self.tcp, "tls": self.tls, "https": self.https,
        }  # fmt: skip
        self._trust = ssl.create_default_context(cafile=str(self.authority))

    def udp(self, packet: bytes) -> bytes | None:
        """Exchange over UDP. None where only a query sent later was answered."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(("127.0.0.1", self.daemon.port))
            sock.send(packet)
            mark = b"\xfe\xfe\1\0\0\1\0\0\0\0\0\0\6health\5pldns\0\0\1\0\1"
            sock.send(mark)
            first = sock.recv(65_535)
            if first[:2] != mark[:2]:
                sock.recv(65_535)
                return first
            sock.settimeout(_late(packet))
            try:
                return sock.recv(65_535)
            except TimeoutError:
                return None

    def tcp(self, packet: bytes) -> bytes | None:
        """Exchange over TCP."""
        with socket.create_connection(("127.0.0.1", self.daemon.port), PATIENCE) as sock:
            return _framed(sock, packet)

    def tls(self, packet: bytes) -> bytes | None:
        """Exchange over TLS."""
        with (
            socket.create_connection(("127.0.0.1", self.tls_port), PATIENCE) as raw,
            self._trust.wrap_socket(raw, server_hostname="localhost") as sock,
        ):
            return _framed(sock, packet)

    def https(self, packet: bytes) -> bytes | None:
        """Exchange over HTTP/1.1; the tests with `kdig` use HTTP/2."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=self._trust, timeout=PATIENCE)
        try:
            connection.request("POST", "/dns-query", packet, {"content-type": "application/dns-message"})
            response = connection.getresponse()
            body = response.read()
            return body if response.status == 200 else None
        finally:
            connection.close()


def _late(packet: bytes) -> float:
    """Return the seconds to wait for a reply once a later packet was answered: the upstream may still be asked."""
    is_query = len(packet) >= _HEADER and not packet[2] & _QR
    return PATIENCE if is_query else SILENCE


def _framed(sock: socket.socket, packet: bytes) -> bytes | None:
    """Return the reply to a packet; None where only a packet sent later was answered."""
    mark = b"\xfe\xfe\1\0\0\1\0\0\0\0\0\0\6health\5pldns\0\0\1\0\1"
    sock.sendall(b"".join(len(each).to_bytes(2, "big") + each for each in (packet, mark)))
    with sock.makefile("rb") as stream:
        first = stream.read(int.from_bytes(stream.read(2), "big"))
        if first[:2] != mark[:2]:
            return first
        sock.settimeout(_late(packet))
        try:
            return stream.read(int.from_bytes(stream.read(2), "big")) or None
        except OSError:
            return None
