"""Requests of commands to a daemon."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from resolver.cli import admin_client
from resolver.cli.failure import Failed

HEARD: list[str | None] = []


class Stream(BaseHTTPRequestHandler):
    """Answers every request with one server-sent event, and notes its token."""

    def do_GET(self) -> None:
        HEARD.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'event: query\ndata: {"name": "a"}\n\n')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Stream) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        thread.join(60)


def test_a_stream_is_requested_with_the_token_of_the_user(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(admin_client.TOKEN, "pldns_a")
    assert list(admin_client.events(url, "/v1/queries", {})) == [("query", {"name": "a"})]
    assert HEARD == ["Bearer pldns_a"]


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, why in ((tmp_path / "none.pem", "No such file"), (tmp_path / "bad.pem", "PEM")):
        (tmp_path / "bad.pem").write_text("no certificate")
        monkeypatch.setenv(admin_client.CERTIFICATE, str(path))
        with pytest.raises(Failed, match=f"^PLDNS_CERTIFICATE: {path} has no usable certificate and key: .*{why}"):
            admin_client.get("https://127.0.0.1:9", "/v1/status")
