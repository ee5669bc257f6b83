"""Requests of commands to a daemon."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resolver.cli import admin_client

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
