"""Names that nobody answers beside names that are answered: how long the latter wait. Part of `bench.forwarding`."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dns.message

from bench.measure import MIB, Result
from bench.processes import PLDNS, Background, Broken

DEAD: Final = 600
"""Queries a second for names that nobody answers."""
GOOD: Final = 100
"""Queries a second for names that are answered."""
SECONDS: Final = 8
_PATIENCE: Final = 6.0  # seconds until a query counts as unanswered


def results(
    folder: Path, port: int, upstream: int, configuration: str, ready: Callable[[int], None]
) -> Iterator[Result]:
    """Yield the wait of good names beside dead names. `ready` waits until a port answers."""
    place = folder / "dead"
    place.mkdir()
    (place / "pldns.yaml").write_text(configuration)
    with _answering(upstream), Background((PLDNS, "serve", "-c", place / "pldns.yaml"), place / "serve.log"):
        ready(port)
        quiet = _p99(_waits(port, "quiet", 0))
        waits = _waits(port, "loaded", DEAD)
    loaded = _p99(waits)
    note = f"p99 {loaded:.1f} ms, {quiet:.1f} ms without dead names; {GOOD * SECONDS - len(waits)} unanswered"
    yield Result(f"{DEAD} dead names/s, p99 that they add to good ones", loaded - quiet, "ms", 50, note=note)


@contextmanager
def _answering(port: int) -> Iterator[None]:
    """Run a server that answers all names but those that begin with `dead`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
        server.bind(("127.0.0.1", port))
        server.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _serve(server: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        try:
            packet, sender = server.recvfrom(4096)
        except TimeoutError:
            continue
        if packet[13:17] == b"dead":
            continue
        end = packet.index(b"\0", 12) + 5
        address = b"\xc0\x0c" + packet[end - 4 : end] + b"\0\0\0\x3c\0\4\xc0\0\2\1"
        server.sendto(packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:end] + address, sender)


def _waits(port: int, label: str, dead: int) -> list[float]:
    """Send queries for some seconds. Return the wait of each good name in milliseconds."""
    waits: list[float] = []
    sent: dict[int, float] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
        client.connect(("127.0.0.1", port))
        client.settimeout(0)
        began, good, bad = time.monotonic(), 0, 0
        while (passed := time.monotonic() - began) < SECONDS + _PATIENCE and (passed < SECONDS or sent):
            while passed < SECONDS and bad < passed * dead:
                client.send(dns.message.make_query(f"dead{bad}.{label}.example", "A", id=0xFFFF).to_wire())
                bad += 1
            while passed < SECONDS and good < passed * GOOD:
                sent[good] = time.monotonic()
                client.send(dns.message.make_query(f"good{good}.{label}.example", "A", id=good).to_wire())
                good += 1
            select.select([client], [], [], 0.001)
            try:
                while True:
                    reply = client.recv(4096)
                    begin = sent.pop(int.from_bytes(reply[:2], "big"), None)
                    if begin is not None and reply[7]:
                        waits.append((time.monotonic() - begin) * 1e3)
            except BlockingIOError:
                pass
    if not waits:
        raise Broken("no good name was answered")
    return waits


def _p99(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.99)]
