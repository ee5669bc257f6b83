"""Takes the pictures of the page in docs/images: `make screenshots`.

They show the example estate with traffic of some minutes.
"""

import math
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dns.message
import dns.query
import dns.rrset
from playwright.sync_api import Browser

from tests.live import example as estate
from tests.live.answering_upstream import answering
from tests.live.browser import Tab, chromium
from tests.live.daemon import Daemon
from tests.openid import CLIENT, TENANT
from tests.paths import ROOT

IMAGES: Final = ROOT / "docs/images"
TRAFFIC: Final = 240.0
"""Seconds of traffic before the pictures."""
PRIVATE: Final = ("stcontososhop.blob.core.windows.net", "kv-contoso-shared.vault.azure.net", "files.corp.example")
PUBLIC: Final = (
    "www.example.com",
    "stother.blob.core.windows.net",
    "stpartner.blob.core.windows.net",
    "mail.example.org",
)
VIEWS: Final = {
    "overview": "",
    "map": "map",
    "explain": "explain?name=kv-contoso-shared.vault.azure.net&client=spoke-data",
    "findings": "findings",
}


def reply(packet: bytes) -> bytes:
    """Return an answer with one address."""
    message = dns.message.make_response(dns.message.from_wire(packet))
    question = message.question[0]
    message.answer = [dns.rrset.from_text(question.name, 5, "IN", "A", "192.0.2.7")]
    return message.to_wire()


@contextmanager
def example(folder: Path, upstream: int) -> Iterator[Daemon]:
    """Run the example estate, with an upstream server that answers."""
    config = estate.copy(folder)
    daemon = Daemon(folder, config | {"upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream}"]}}})
    try:
        yield daemon.start().ready()
    finally:
        daemon.stop()


def ask(daemon: Daemon, seconds: float) -> None:
    """Send private and public queries, more and fewer of them in turn."""
    begun = time.monotonic()
    while (now := time.monotonic() - begun) < seconds:
        for name in PRIVATE:
            for _ in range(int(3 + 2 * math.sin(now / 25))):
                daemon.ask(name)
        for name in PUBLIC[: int(2.5 + 1.5 * math.sin(now / 40))]:
            daemon.ask(name)
        signal.sigtimedwait([], 0.2)


def take(browser: Browser, daemon: Daemon, views: Mapping[str, str]) -> None:
    """Write a picture of each view."""
    IMAGES.mkdir(exist_ok=True)
    for name, view in views.items():
        tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", 1280)
        page = tab.open(view)
        page.wait_for_timeout(3000)  # the layout of the map
        page.screenshot(path=IMAGES / f"page-{name}.png")
        tab.close()


def let_accounts_in(daemon: Daemon) -> None:
    """Make everybody sign in, with an account or with a token. Nothing is asked of the provider for that."""
    oidc = {"tenant": TENANT, "client_id": CLIENT, "audience": ["api://pldns"], "roles": {"Pldns.Read": "read"}}
    daemon.config["admin"]["oidc"] = oidc
    daemon.write()
    daemon.post("/v1/reload", {})


def main() -> None:
    """Take the pictures."""
    with (
        tempfile.TemporaryDirectory() as folder, answering(reply) as upstream,
        example(Path(folder), upstream) as daemon, chromium() as browser,
    ):  # fmt: skip
        ask(daemon, TRAFFIC)
        take(browser, daemon, VIEWS)
        let_accounts_in(daemon)
        take(browser, daemon, {"sign-in": "sign-in"})


if __name__ == "__main__":
    main()
