"""From an event to the answer: a running daemon and the fake Azure, without a sync in between."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fake_azure import shapes
from tests.live.cloud import ONE, LiveCloud, estate
from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.test_azure import cloud
from tests.ports import free_port
from tests.resolver.sources.azure.protocol.test_events import cloud as cloud_event
from tests.resolver.sources.azure.protocol.test_events import grid

__all__ = ["cloud"]
pytestmark = pytest.mark.live

SECRET = "0123456789abcdef"  # noqa: S105 - a test's
NAME = "acct.blob.core.windows.net"


def call(method: str, base: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send an HTTP request. Return status and body."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


class Site:
    """A daemon that follows the fake Azure by events. Its next sync is an hour away."""

    def __init__(self, azure: LiveCloud, start: Callable[..., Daemon], folder: Path) -> None:
        self.azure = azure
        self.port = free_port()
        (folder / "secret").write_text(SECRET)
        events = {"listen": f"127.0.0.1:{self.port}", "secret": {"file": "./secret"}}
        source = {"name": "hub", "type": "azure", "management": azure.given["management"], "interval": "1h"}
        self.daemon = start(sources=[source | {"events": events}], networks="auto").ready()
        until(lambda: self.get("/v1/sources")["items"][0]["sync"]["next"])

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return self.daemon.get(path)[1]

    def put(self, resource: dict[str, Any], method: str = "PUT") -> None:
        """Change or remove a resource in the fake Azure."""
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        body = json.dumps(resource) if method == "PUT" else None
        origin = self.azure.given["management"]
        assert call(method, origin, f"{resource['id']}?api-version=2024-05-01", body, headers)[0] < 300

    def _token(self) -> str:
        environment = self.azure.environment
        asked = "?resource=https://management.azure.com/&api-version=2019-08-01"
        headers = {"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]}
        _, body = call("GET", environment["IDENTITY_ENDPOINT"], asked, None, headers)
        token: str = json.loads(body)["access_token"]
        return token

    def send(self, event: dict[str, object]) -> None:
        path = f"/events?secret={SECRET}"
        assert call("POST", f"http://127.0.0.1:{self.port}", path, json.dumps([event]), {})[0] == 200

    def metric(self, name: str, **labels: str) -> float | None:
        return self.daemon.metric(name, source="hub", **labels)

    def syncs(self) -> float | None:
        return self.metric("sync_total", result="published")


@pytest.fixture
def site(
    cloud: Callable[..., LiveCloud], start: Callable[..., Daemon], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Site:
    azure = cloud(*estate({"acct": "10.0.0.4", "other": "10.0.0.5"}))
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    return Site(azure, start, tmp_path)


def endpoint(name: str, address: str) -> list[dict[str, Any]]:
    (hub, *_) = estate({})
    return list(
        shapes.endpoint(shapes.group(ONE), f"pe-{name}", {f"{name}.blob.core.windows.net": address}, vnet=hub["id"])
    )


def test_new_changed_and_deleted_endpoints_are_served_after_their_events(site: Site) -> None:
    before = site.syncs()
    assert site.daemon.addresses(NAME) == {"10.0.0.4"}
    new = endpoint("fresh", "10.0.0.9")
    for resource in new:
        site.put(resource)
    pe, nic = (next(r for r in new if word in r["id"]) for word in ("privateEndpoints", "networkInterfaces"))
    site.send(grid(pe["id"], ident="1"))
    until(lambda: site.daemon.addresses("fresh.blob.core.windows.net") == {"10.0.0.9"})
    for resource in endpoint("fresh", "10.0.0.10"):
        site.put(resource)
    site.send(cloud_event(nic["id"], "Microsoft.Resources.ResourceWriteSuccess", ident="2"))
    until(lambda: site.daemon.addresses("fresh.blob.core.windows.net") == {"10.0.0.10"})
    site.put(pe, "DELETE")
    site.send(cloud_event(pe["id"], ident="3"))
    until(lambda: "pe-fresh" not in json.dumps(site.get("/v1/endpoints")))
    assert site.daemon.addresses(NAME) == {"10.0.0.4"}
    assert site.syncs() == before
    assert site.metric("events_total", result="hint") == 3.0
    assert site.metric("hints_total", result="read") == 3.0
    assert site.metric("hints_seconds_total")
    assert SECRET not in site.daemon.log.read_text()


def test_an_event_for_an_unchanged_resource_or_another_subscription_changes_nothing(site: Site) -> None:
    serial = site.get("/v1/status")["serial"]
    (pe, *_) = (each for each in endpoint("acct", "10.0.0.4") if "privateEndpoints" in each["id"])
    site.send(grid(pe["id"], ident="1"))
    site.send(grid(pe["id"].replace(ONE, shapes.subscription_id(9)), ident="2"))
    until(lambda: site.metric("hints_total", result="read") == 1.0)
    assert site.metric("events_total", result="out_of_scope") == 1.0
    assert site.get("/v1/status")["serial"] == serial
    assert site.daemon.addresses(NAME) == {"10.0.0.4"}
