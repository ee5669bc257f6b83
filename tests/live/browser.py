"""A browser for tests of the page: Debian's Chromium, driven by Playwright. Tests are skipped where there is none."""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from resolver.dashboard import built
from tests.paths import ROOT

AXE: Final = ROOT / "page" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE: Final = 30_000.0
"""Milliseconds until a test gives up. Only a failure takes so long, even on a loaded machine."""
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.2 AA, and best practices."""
_GO: Final = """
async to => {
  history.pushState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
  await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser. Skips the test without a browser or a built page."""
    path = shutil.which("chromium")
    for lacks, why in ((path is None, "no chromium"), (not built.read(built.FOLDER).scripts, "the page is not built")):
        if lacks:
            assert "PLDNS_REQUIRE_PEERS" not in os.environ, why
            pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Tab:
    """A page that notes what it must not do: errors in its console, and requests to other hosts."""

    def __init__(
        self, browser: Browser, base: str, width: int = 1280, theme: Literal["light", "dark"] = "light",
        java_script: bool = True, forced_colors: Literal["none", "active"] = "none",
        others: tuple[str, ...] = (), motion: Literal["no-preference", "reduce"] = "no-preference",
    ) -> None:  # fmt: skip
        """`others`: addresses of hosts to which the browser may be sent."""
        self.base = base
        self._others = others
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, java_script_enabled=java_script,
            forced_colors=forced_colors, reduced_motion=motion,
        )  # fmt: skip
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium logs each status of 400 and above; views show these themselves.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base, "blob:", "data:", *self._others)):
            self.faults.append(f"a request to {request.url}")

    def open(self, view: str = "") -> Page:
        """Show a view, and wait until it has its heading and reads no more."""
        self.page.goto(f"{self.base}ui/{view}")
        self.page.wait_for_selector("main h1")
        self.settled()
        return self.page

    def go(self, view: str) -> Page:
        """Show another view as a link of the page does, without loading the page again."""
        self.page.evaluate(_GO, f"./{view}")
        self.settled()
        return self.page

    def sign_in(self, token: str) -> None:
        """Begin a session, with the request that the form makes."""
        reply = self.context.request.post(f"{self.base}sign-in", form={"token": token}, max_redirects=0)
        assert reply.headers["location"] == "ui/", reply.headers

    def settled(self) -> None:
        """Wait until nothing is being read."""
        self.page.wait_for_selector("main:not(:has(.loading, [aria-busy=true]))")

    def violations(self, rules: Sequence[str] = RULES) -> list[str]:
        """Return what axe-core finds wrong for people who do not see or point. `rules`: ids or tags of its rules."""
        if not AXE.exists():
            assert "PLDNS_REQUIRE_PEERS" not in os.environ, "no axe-core"
            pytest.skip("no axe-core: `npm ci` in page/")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        asked = {"runOnly": list(rules), "resultTypes": ["violations"]}
        found = self.page.evaluate("asked => axe.run(asked)", asked)
        return [
            f"{each['id']}: {node['target']} {json.dumps(node['any'][:1])[:300]}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    def close(self) -> None:
        """Close the page. Fails for what the page must not do."""
        self.context.close()
        assert self.faults == []


@contextmanager
def proxied(port: int, prefix: str) -> Iterator[str]:
    """Run a reverse proxy that serves a port under a path, and removes the path. Yields its address."""

    class Proxy(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            assert self.path.startswith(prefix), self.path
            upstream = HTTPConnection("127.0.0.1", port)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream.request(self.command, f"/{self.path.removeprefix(prefix)}", body, dict(self.headers))
            reply = upstream.getresponse()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name not in {"Transfer-Encoding", "Connection"}:
                    self.send_header(name, value)
            self.end_headers()
            try:
                while some := reply.read1(65_536):
                    self.wfile.write(some)
            except OSError:
                pass  # the browser has closed the page
            finally:
                upstream.close()

        do_GET = do_POST = _pass_on  # noqa: N815 - names of the base class

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
