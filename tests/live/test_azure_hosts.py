"""Only the configured upstream resolves the names of Azure's hosts: the machine may use pldns as its resolver."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dns.message
import dns.rrset
import pytest
import trustme

from tests.fake_azure.estate import FakeEstate
from tests.fake_azure.server import FakeAzure
from tests.live.cloud import estate
from tests.live.daemon import Daemon

pytestmark = pytest.mark.live

HOST = "management.cloud.test"
"""A name that no resolver of a machine knows (RFC 6761 §6.2)."""


class Upstream:
    """An upstream server that has one name, `HOST`."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            (question,) = query.question
            name = question.name.to_text(omit_final_dot=True)
            self.asked.add(name)
            reply = dns.message.make_response(query, recursion_available=True)
            if name.casefold() == HOST and question.rdtype == dns.rdatatype.A:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "127.0.0.1"))
            self._socket.sendto(reply.to_wire(), client)

    def close(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[FakeAzure]:
    """A fake Azure with a certificate for `HOST`, in an event loop of its own."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = FakeAzure(FakeEstate(estate({"acct": "10.0.0.4"})), tls=context)
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(10)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_only_the_configured_upstream_resolves_the_hosts_of_azure(
    upstream: Upstream, azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    management = f"https://{HOST}:{urlsplit(azure.url).port}"
    daemon = Daemon(
        tmp_path,
        {
            "sources": [{"name": "hub", "type": "azure", "management": management}],
            "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream.port}"]}},
        },
    )
    try:
        daemon.start().ready()
        assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}
    finally:
        daemon.stop()
    assert HOST in {name.casefold() for name in upstream.asked}
