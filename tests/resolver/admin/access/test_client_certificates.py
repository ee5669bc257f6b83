"""Client certificates on the TCP listener, with real TLS connections."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import trustme
from msgspec import structs

from resolver.admin.access import certificate
from resolver.admin.access.client_certificates import names
from resolver.admin.access.tokens import digest
from resolver.admin.app import context_of, listeners
from resolver.admin_settings import AdminSettings, AdminTls, AdminToken, CertificateClient
from resolver.host_port import HostPort
from tests.ports import free_port
from tests.resolver.admin.access.test_certificate import issue

Control = Any  # of conftest
CLIENTS = (
    CertificateClient("DNS:grafana.corp.example", "read"),
    CertificateClient("EMAIL:ops@corp.example", "operate"),
    CertificateClient("DNS:ops.corp.example", "read"),
    CertificateClient("SUBJECT:CN=root,OU=Testing cert #1", "admin"),
)


class Served(NamedTuple):
    url: str
    server: trustme.CA
    clients: trustme.CA
    client_ca: Path

    async def change(self, shown: trustme.LeafCert | None, token: str = "") -> tuple[int, str]:
        """Request a cache flush. Return the status, and the code of the problem or else the name in the audit log."""
        context = ssl.create_default_context()
        self.server.configure_trust(context)
        if shown:
            shown.configure_cert(context)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"action": "flush", "name": "."}
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http,
            http.post(f"{self.url}/v1/cache", json=body, headers=headers) as response,
        ):
            found = await response.json()
        return response.status, found.get("type", "").removeprefix("urn:pldns:problem:")


@pytest.fixture
async def served(control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr(certificate, "INTERVAL", 0)
    server, clients, client_ca = trustme.CA(), trustme.CA(), tmp_path / "clients.pem"
    clients.cert_pem.write_to_path(str(client_ca))
    files = AdminTls(str(tmp_path / "a.pem"), str(tmp_path / "a.key"), str(client_ca), CLIENTS)
    issue(server, files)
    tokens = (AdminToken("ci", "operate", digest("pldns_ci")),)
    admin = AdminSettings(HostPort("127.0.0.1", free_port()), tls=files, tokens=tokens)
    control.estate.settings = structs.replace(control.estate.settings, admin=admin)
    assert admin.listen
    async with listeners(context_of(control), admin)[0]:
        yield Served(f"https://localhost:{admin.listen.port}", server, clients, client_ca)


async def test_a_certificate_has_the_highest_role_of_its_names(served: Served) -> None:
    issued = served.clients.issue_cert
    assert await served.change(issued("ops@corp.example")) == (200, "")
    assert await served.change(issued("ops.corp.example", "ops@corp.example")) == (200, "")
    assert await served.change(issued("grafana.corp.example")) == (403, "role-too-low")
    assert await served.change(issued("other.corp.example")) == (403, "certificate-unknown")
    assert await served.change(None) == (401, "token-missing")
    assert await served.change(None, "pldns_ci") == (200, "")
    assert await served.change(issued("grafana.corp.example"), "pldns_ci") == (200, "")  # the token counts
    assert await served.change(issued("ops@corp.example"), "pldns_wrong") == (401, "token-invalid")


async def test_a_certificate_of_another_authority_ends_the_connection(served: Served) -> None:
    with pytest.raises((aiohttp.ClientError, OSError)):
        await served.change(trustme.CA().issue_cert("ops@corp.example"))
    with pytest.raises((aiohttp.ClientError, OSError)):  # that of the server signs no clients
        await served.change(served.server.issue_cert("ops@corp.example"))


async def test_other_authorities_count_from_the_next_connection_on(served: Served) -> None:
    shown, new = served.clients.issue_cert("ops@corp.example"), trustme.CA()
    served.client_ca.write_text("no certificate")
    assert await served.change(shown) == (200, "")  # what was read before stays
    new.cert_pem.write_to_path(str(served.client_ca))
    with pytest.raises((aiohttp.ClientError, OSError)):
        await served.change(shown)
    assert await served.change(new.issue_cert("ops@corp.example")) == (200, "")


def test_the_names_in_a_certificate() -> None:
    made = trustme.CA().issue_cert("A.example", "ops@Corp.example", "10.0.0.4", common_name="root, the first")
    found = names(ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode()))
    assert found[0].startswith("SUBJECT:")
    assert "CN=root\\, the first" in found[0]
    assert found[1:] == ["DNS:a.example", "EMAIL:ops@corp.example", "IP:10.0.0.4"]
    assert names(b"no certificate") == []
