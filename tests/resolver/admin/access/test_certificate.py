"""The TCP listener over TLS, with a certificate that is replaced while it listens."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from msgspec import structs

from resolver.admin.access import certificate
from resolver.admin.app import context_of, listeners
from resolver.admin_settings import AdminSettings, AdminTls
from resolver.host_port import HostPort
from tests.ports import free_port

Control = Any  # of conftest


class Served(NamedTuple):
    port: int
    authority: trustme.CA
    files: AdminTls

    async def serial(self) -> str:
        """Return the serial number of the certificate, and check the status of a request."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        reader, writer = await asyncio.open_connection("localhost", self.port, ssl=context)
        writer.write(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in await reader.readline()
        serial = str(writer.get_extra_info("peercert")["serialNumber"])
        writer.transport.abort()
        return serial


def issue(authority: trustme.CA, files: AdminTls) -> None:
    pair = authority.issue_cert("localhost")
    pair.private_key_pem.write_to_path(files.key)
    Path(files.certificate).write_bytes(b"".join(each.bytes() for each in pair.cert_chain_pems))


@pytest.fixture
async def served(control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr(certificate, "INTERVAL", 0)
    authority, files = trustme.CA(), AdminTls(str(tmp_path / "a.pem"), str(tmp_path / "a.key"))
    issue(authority, files)
    admin = AdminSettings(HostPort("127.0.0.1", free_port()), tls=files)
    control.estate.settings = structs.replace(control.estate.settings, admin=admin)
    assert admin.listen
    async with listeners(context_of(control), admin)[0]:
        yield Served(admin.listen.port, authority, files)


async def test_a_new_certificate_is_used_and_a_bad_one_is_not(served: Served) -> None:
    first = await served.serial()
    issue(served.authority, served.files)
    second = await served.serial()
    assert second != first
    Path(served.files.certificate).write_text("no certificate")
    assert await served.serial() == second


async def test_plain_http_and_silence_do_not_hold_a_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.http_listener.IDLE", 0.2)
    for octets in (b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01", b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(octets)
        async with asyncio.timeout(60):
            assert b"HTTP" not in await reader.read()
        writer.close()
    assert await served.serial()
