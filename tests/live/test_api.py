"""The admin interface of a running daemon: requests that schemathesis makes from its document, and hostile browsers."""

import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from resolver.admin.access.tokens import digest
from tests.live.daemon import Daemon
from tests.ports import free_port

pytestmark = pytest.mark.live

SCHEMATHESIS: Final = Path(sys.executable).with_name("schemathesis")
TOKEN: Final = "pldns_of_the_tests"  # noqa: S105 - of no other daemon
ALONE: Final = "fuzzing", "7", 140
"""The share of the generated requests that `make test` sends: phases, examples for each operation, least number."""
ENDPOINTS: Final = """
endpoints:
  - {name: shop, target: shop, group: blob, records: [{fqdn: shop.blob.core.windows.net, ips: [10.1.0.4]}]}
  - {name: rival, target: other, group: blob, records: [{fqdn: shop.blob.core.windows.net, ips: [10.1.0.9]}]}
  - {name: vault, target: v, group: vault, network: east, records: [{fqdn: kv.vault.azure.net, ips: [10.1.0.5]}]}
  - {name: waits, target: l, group: blob, state: Pending, records: [{fqdn: l.blob.core.windows.net, ips: [10.1.0.6]}]}
"""
ZONE: Final = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns hostmaster 1 3600 300 2419200 30\n@ NS ns\nns A 192.0.2.1\n"


FLUSH: Final = b'{"action":"flush","name":".","subtree":true}'
JSON: Final = {"Content_Type": "application/json"}
ORIGIN: Final = {"Origin": "http://evil.example"}
TRUSTED: Final = {"Authorization": f"Bearer {TOKEN}"}
FORM: Final = {**ORIGIN, **TRUSTED}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with some of everything, and a token that may do everything."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "estate.yaml").write_text(ENDPOINTS)
    (folder / "corp.zone").write_text(ZONE)
    sources = [{"name": "estate", "type": "files", "path": "./estate.yaml"}]
    networks = [{"name": "east", "clients": ["10.1.0.0/16"]}, {"name": "west", "clients": ["10.2.0.0/16"]}]
    made = Daemon(folder, {"sources": sources, "networks": networks, "zones": {"files": ["./corp.zone"]}})
    made.config["admin"] |= {
        "tokens": [{"name": "tests", "role": "admin", "sha256": digest(TOKEN)}],
        "health": f"127.0.0.1:{free_port()}",
    }
    made.write()
    try:
        yield made.start().ready()
    finally:
        made.stop()
    log = made.log.read_text()
    assert "Traceback" not in log, log


def test_generated_requests_get_responses_that_the_document_has(daemon: Daemon, tmp_path: Path) -> None:
    """No error of the server, and no response outside of the document. `make api` sends all requests."""
    # A body with too many items may also be too large: 413 is as good as 400 then.
    refused = [str(each) for each in (400, 401, 403, 404, 405, 409, 413, 415)]
    (tmp_path / "schemathesis.toml").write_text(f"[checks.negative_data_rejection]\nexpected-statuses = {refused}\n")
    phases, examples, least = ("coverage,fuzzing", "30", 2_000) if "PLDNS_WHOLE_API" in os.environ else ALONE
    command: list[str | Path] = [
        SCHEMATHESIS, "run", f"http://127.0.0.1:{daemon.admin}/v1/openapi.json", "--no-color", "--continue-on-failure",
        "--header", f"Authorization: Bearer {TOKEN}", "--request-timeout", "60", "--seed", "18",
        "--phases", phases, "--max-examples", examples,
        # These stream without an end, check the configuration in another process, or make pldns report 503.
        "--exclude-path-regex", "/v1/(events|live|queries|reload|drain)",
        # A document cannot say which networks, zones and sources exist.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) generated, (\d+) passed", ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert found, ran.stdout
    assert int(found[1]) == int(found[2]) >= least, found[0]


HOSTILE: Final = {
    "a page under another name, by DNS rebinding": ("GET", "/v1/status", {"Host": "evil.example"}, b"", 421),
    "the same for a change": ("POST", "/v1/cache", {"Host": "evil.example", **JSON}, FLUSH, 421),
    "the same for a health check": ("GET", "/livez", {"Host": "evil.example"}, b"", 421),
    "a name that only begins as a loopback address": ("GET", "/livez", {"Host": "127.0.0.1.evil.example"}, b"", 421),
    "a request without a host": ("GET", "/livez", {"Host": ""}, b"", 421),
    "a simple POST of another origin": ("POST", "/v1/cache", {**FORM, "Content_Type": "text/plain"}, FLUSH, 415),
    "the form of another origin": (
        "POST", "/v1/cache", {**FORM, "Content_Type": "application/x-www-form-urlencoded"}, b"action=flush", 415,
    ),
    "a file of a form": ("POST", "/v1/cache", {**FORM, "Content_Type": "multipart/form-data"}, FLUSH, 415),
    "a POST without a type": ("POST", "/v1/cache", FORM, FLUSH, 415),
    "the preflight of a JSON POST": (
        "OPTIONS", "/v1/cache", {**ORIGIN, "Access_Control_Request_Method": "POST"}, b"", 405,
    ),
    "the preflight of a GET": ("OPTIONS", "/v1/status", {**ORIGIN, "Access_Control_Request_Method": "GET"}, b"", 405),
    "a preflight for a private network": (
        "OPTIONS", "/v1/status", {**ORIGIN, "Access_Control_Request_Private_Network": "true"}, b"", 405,
    ),
    "another method instead": ("POST", "/v1/status", {"X_HTTP_Method_Override": "GET", **JSON}, b"{}", 405),
    "a JSON POST of another origin without a token": ("POST", "/v1/cache", {**ORIGIN, **JSON}, FLUSH, 401),
    "a cookie instead of a token": ("POST", "/v1/cache", {"Cookie": f"token={TOKEN}", **JSON}, FLUSH, 401),
    "a token in the address": ("GET", f"/v1/status?token={TOKEN}", {}, b"", 401),
    "a body that is too large": ("POST", "/v1/cache", {**TRUSTED, **JSON}, b"[" * 70_000, 413),
    "a body of another character set": (
        "POST", "/v1/cache", {**TRUSTED, "Content_Type": "application/json; charset=utf-16"},
        FLUSH.decode().encode("utf-16"), 400,
    ),
    "arrays in arrays": ("POST", "/v1/cache", {**TRUSTED, **JSON}, b"[" * 30_000, 400),
    "a path outside": ("GET", "/v1/../../etc/passwd", TRUSTED, b"", 404),
    "a line break in a path": ("GET", "/v1/zones/a%0d%0aX:%20y/records", TRUSTED, b"", 404),
}  # fmt: skip
"""Requests that a page of another origin can cause, and other hostile ones: method, path, headers, body, status."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_request_changes_nothing_and_tells_nothing(daemon: Daemon, hostile: str) -> None:
    method, path, headers, body, status = HOSTILE[hostile]
    before = len(daemon.unix("GET", "/v1/audit")[1]["items"])
    got, answered, text = asked(daemon, method, path, body, **headers)
    assert got == status, text
    assert answered["Content-Type"] == "application/problem+json"
    assert answered["Cache-Control"] == "no-store"
    assert answered["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in answered if name.lower().startswith("access-control-")]
    assert not {"Server", "Set-Cookie"} & answered.keys()
    assert len(daemon.unix("GET", "/v1/audit")[1]["items"]) == before


def test_a_page_of_another_origin_cannot_read_a_response(daemon: Daemon) -> None:
    """A browser shows a page only responses that permit it. None does, whatever the request says."""
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{daemon.admin}"):
        status, headers, _ = asked(daemon, "GET", "/livez", Origin=origin)
        assert status == 200
        assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("octets", [b"", b'{"action":'])
def test_a_body_that_never_ends_does_not_hold_up_others(daemon: Daemon, octets: bytes) -> None:
    """`tests/resolver/admin/test_malformed_http.py` proves that it ends with status 408."""
    with socket.create_connection(("127.0.0.1", daemon.admin), 60) as slow:
        slow.sendall(
            f"POST /v1/cache HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n".encode()
            + octets
        )
        assert daemon.get("/livez")[0] == 200
        assert daemon.ask("health.pldns").answer
        assert not select.select([slow], [], [], 0)[0]


def asked(
    daemon: Daemon, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of the response to a request, as a browser may send it."""
    connection = HTTPConnection("127.0.0.1", daemon.admin, timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()
