"""A pldns with a registry, and another one that reads it in both ways: as a spoke, and as Azure is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.daemon import Daemon, until
from tests.live.registry import configuration, prepare
from tests.ports import free_port
from tests.registry_shapes import AUDITOR, TENANT, account, endpoint, network

pytestmark = pytest.mark.live
BLOB, FILE = "acct.blob.core.windows.net", "acct.file.core.windows.net"


def test_a_registry_is_followed_and_read_as_azure_is(
    tmp_path: Path, start: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, client = configuration(tmp_path)
    tls = {"certificate": "registry.pem", "key": "registry.pem"}
    hub = f"127.0.0.1:{free_port()}"
    one = start(**config, hub={"listen": hub, "tls": tls}).ready()
    prepare(client)
    client.put(network("pe"), endpoint(account(), "blob"))
    monkeypatch.setenv("SSL_CERT_FILE", str(client.authority))
    (folder := tmp_path / "other").mkdir()
    (folder / "secret").write_text(AUDITOR.secret)
    credential = {
        "type": "client-secret", "tenant_id": TENANT, "client_id": AUDITOR.id, "secret": {"file": "secret"},
        "authority": client.origin,
    }  # fmt: skip
    sources = [
        {"name": "arm", "type": "azure", "management": client.origin, "credential": credential},
        {"name": "stream", "type": "hub", "urls": [f"https://{hub}"], "ca": str(client.authority)},
    ]
    other = start(folder, sources=sources).ready()
    assert other.addresses(BLOB) == {"10.1.0.4"}
    (item,) = other.get("/v1/endpoints")[1]["items"]
    assert item["source"] == "arm"  # the first of both
    client.put(network("pe2"), endpoint(account(), "file"))
    until(lambda: other.addresses(FILE) == {"10.1.0.5"})  # the next sync with ARM is a minute away
    assert [each["code"] for each in other.get("/v1/findings")[1]["items"]] == []
    assert one.metric("hub_followers") == 1
