"""`pldns tail` shows the queries that a running daemon answers."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.daemon import PLDNS, Daemon

Start = Callable[..., Daemon]


@contextmanager
def tail(daemon: Daemon, *options: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Run the command. Yield the function that returns the next query."""
    command = [str(PLDNS), "tail", "--admin", f"http://127.0.0.1:{daemon.admin}", "-o", "json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        stream = process.stdout
        assert stream
        try:
            yield lambda: json.loads(stream.readline())
        finally:
            process.kill()


@contextmanager
def asking(daemon: Daemon) -> Iterator[None]:
    """Ask the daemon again and again while the block runs."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            for tcp in (False, True):
                daemon.ask("x.localhost", tcp=tcp)
            daemon.ask("x.invalid")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_queries_are_shown_and_filtered(start: Start) -> None:
    daemon = start().ready()
    seen: dict[str, Any] = {}
    with (
        tail(daemon, "--name", "localhost", "--client", "127.0.0.0/8") as next_query,
        tail(daemon, "--rcode", "nxdomain") as next_denied,
        asking(daemon),
    ):
        while {"udp", "tcp"} - seen.keys():
            query = next_query()
            assert query["name"] == "x.localhost"
            seen[query["proto"]] = query
        denied = next_denied()
    assert (denied["name"], denied["rcode"]) == ("x.invalid", "NXDOMAIN")
    query = seen["udp"]
    assert (query["client"], query["type"], query["rcode"], query["network"]) == (
        "127.0.0.0/24",  # without a token, the network around the address
        "A",
        "NOERROR",
        "default",
    )
