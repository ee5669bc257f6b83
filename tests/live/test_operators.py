"""What operators change in a running daemon, seen from outside: one daemon for all of it."""

import contextlib
import json
import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from resolver.cli import main
from tests.live.daemon import REPLY, Daemon, until
from tests.ports import free_port

pytestmark = pytest.mark.live

ESTATE = """
endpoints:
  - {name: one, target: a, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}
  - {name: two, target: b, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.5]}]}
"""
NAME = "acct.blob.core.windows.net"


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
AUTHORITY = trustme.CA()


class Provider(BaseHTTPRequestHandler):
    """An OpenID provider with one key."""

    def do_GET(self) -> None:
        at = f"http://{self.headers['Host']}"
        key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        found = {"issuer": at, "jwks_uri": f"{at}/keys", "keys": [{**key, "kid": "one"}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Return the issuer of an OpenID provider that runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Iterator[Daemon]:
    """A daemon whose admin interface needs an identity. Its health checks are at the port that `Daemon.get` asks."""
    folder = tmp_path_factory.mktemp("operators")
    (folder / "endpoints").mkdir()
    (folder / "endpoints" / "a.yaml").write_text(ESTATE)
    made = Daemon(folder, {"sources": [{"name": "estate", "type": "files", "path": "./endpoints"}]})
    pair = AUTHORITY.issue_cert("localhost")
    pair.private_key_pem.write_to_path(str(folder / "admin.key"))
    pair.cert_chain_pems[0].write_to_path(str(folder / "admin.pem"))
    AUTHORITY.cert_pem.write_to_path(str(folder / "clients.pem"))
    made.config["admin"] = {
        "health": f"127.0.0.1:{made.admin}", "listen": f"127.0.0.1:{free_port()}",
        "tls": {
            "certificate": "admin.pem", "key": "admin.key", "client_ca": "clients.pem",
            "clients": [{"name": "EMAIL:ops@corp.example", "role": "operate"}],
        },
        "oidc": {"issuer": provider, "audience": ["api://pldns"], "roles": {"Pldns.Read": "read"}},
    }  # fmt: skip
    made.write()
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


def test_draining_makes_it_unready_and_goes_on_answering(daemon: Daemon) -> None:
    assert daemon.post("/v1/drain", {"draining": True}) == 200
    status, body = daemon.get("/readyz")
    assert (status, body["missing"]) == (503, ["draining"])
    assert daemon.addresses(NAME) == {"10.1.0.4"}
    assert daemon.post("/v1/drain", {"draining": False}) == 200
    assert daemon.get("/readyz")[0] == 200


def test_a_log_level_holds_for_all_processes_and_goes_back_by_itself(daemon: Daemon) -> None:
    usual = {"level": "info", "configured": "info", "until": None}
    assert daemon.post("/v1/log-level", {"level": "error", "seconds": 3600}) == 202
    until(lambda: level(daemon)["level"] == "error")
    before = len(daemon.log.read_text())
    assert daemon.post("/v1/drain", {"draining": False}) == 200  # its audit line has the level info
    assert "audit" not in daemon.log.read_text()[before:]
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    until(lambda: daemon.children()["control"] not in ([], [control]))
    until(lambda: level(daemon).get("until"))  # the next control has the level, and knows when it ends
    assert level(daemon)["level"] == "error"
    assert daemon.post("/v1/log-level", {"level": "warning", "seconds": 1}) == 202
    until(lambda: level(daemon) == usual)
    assert "warning supervisor the log level of all processes is now info" in daemon.log.read_text()
    daemon.ready()


def level(daemon: Daemon) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return the log level; nothing while control is absent."""
    return daemon.unix("GET", "/v1/log-level")[1] or {}


def test_a_pin_is_served_at_once_and_after_a_restart(daemon: Daemon) -> None:
    assert daemon.post("/v1/pins", {"name": NAME, "endpoint": "two", "reason": "on call"}) == 200
    until(lambda: daemon.addresses(NAME) == {"10.1.0.5"})
    daemon.stop()
    daemon.start().ready()
    assert daemon.addresses(NAME) == {"10.1.0.5"}
    (pin,) = daemon.unix("GET", "/v1/pins")[1]["items"]
    assert pin["reason"] == "on call"


def test_identities_are_proven_in_the_sandbox(daemon: Daemon, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    now = int(time.time())
    claims = {"iss": provider, "aud": "api://pldns", "exp": now + 60, "roles": ["Pldns.Read"], "sub": "grafana"}
    token = jwt.encode(claims, KEY, "RS256", headers={"kid": "one"})
    assert status(daemon, context) == 401
    assert status(daemon, context, token) == 200
    assert status(daemon, context, token[:-4]) == 401
    shown = AUTHORITY.issue_cert("ops@corp.example")
    shown.configure_cert(context)
    assert status(daemon, context) == 200
    shown.private_key_and_cert_chain_pem.write_to_path(str(daemon.directory / "ops.pem"))
    monkeypatch.setenv("PLDNS_CERTIFICATE", str(daemon.directory / "ops.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(daemon.directory / "clients.pem"))
    address = daemon.config["admin"]["listen"].replace("127.0.0.1", "localhost")
    assert main(["drain", "--end", "--admin", f"https://{address}"]) == 0


def status(daemon: Daemon, context: ssl.SSLContext, token: str = "") -> int:
    """Return the status of a request to the TCP listener."""
    port = int(daemon.config["admin"]["listen"].rpartition(":")[2])
    with contextlib.closing(HTTPSConnection("localhost", port, timeout=REPLY, context=context)) as connection:
        connection.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
