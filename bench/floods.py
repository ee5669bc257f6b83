"""`python -m bench.floods`: what a client over UDP suffers during each flood of `bench.attacks`.

The client sends queries at a steady rate and compares every answer. Measured are lost and wrong answers, the slowest
wait, and the resident memory of the worker during the flood and three seconds after its end. Client and attacker
share a core, the worker has the other. Linux only.
"""

import argparse
import select
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import dns.message
import msgspec
import trustme

from bench.attacks import ATTACKS
from bench.measure import MIB, Result, _wait, _worker, ready
from bench.processes import PLDNS, Background, cores, pin, resident
from bench.report import report

DNS: Final = 5490
ADMIN: Final = 5491
TLS: Final = 5492
HTTPS: Final = 5493
_GRACE: Final = 2.0  # seconds to wait for the last answers
_AFTER: Final = 3.0  # seconds from the end of a flood until memory is measured again


class Suffered(NamedTuple):
    """What the client saw. `worst` is the longest wait in seconds."""

    sent: int
    lost: int
    wrong: int
    worst: float


def write(folder: Path) -> Path:
    """Write a configuration with all listeners, and a zone with a long answer. Return the configuration."""
    pair = trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem
    pair.write_to_path(str(folder / "pair.pem"))
    big = "\n".join(f"big A 10.{number >> 8}.{number & 255}.1" for number in range(3_500))
    (folder / "flood.zone").write_text(f"$ORIGIN flood.example.\n$TTL 60\n@ SOA a. b. 1 2 3 4 60\n@ NS a.\n{big}\n")
    files = {"certificate": "pair.pem", "key": "pair.pem"}
    settings = {
        "dns": {
            "listen": [f"127.0.0.1:{DNS}"],
            "tls": {"listen": [f"127.0.0.1:{TLS}"], **files},
            "https": {"listen": [f"127.0.0.1:{HTTPS}"], **files},
            "streams": {"connections": 4_000},
        },
        "zones": {"files": ["flood.zone"]},
        "admin": {"listen": f"127.0.0.1:{ADMIN}"},
        "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
        "state": {"directory": "./state"},
    }
    file = folder / "pldns.yaml"
    file.write_bytes(msgspec.json.encode(settings))
    return file


def ask(rate: int, seconds: float) -> Suffered:
    """Send one question at a rate, and compare the answers with the first one."""
    packet = dns.message.make_query("health.pldns", "TXT", id=0).to_wire()[2:]
    waiting: dict[int, float] = {}
    right, wrong, worst = b"", 0, 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.connect(("127.0.0.1", DNS))
        sock.settimeout(0)
        began, sent, count = time.monotonic(), 0, int(rate * seconds)
        while (now := time.monotonic()) < began + seconds + _GRACE and (sent < count or waiting):
            while sent < count and sent <= (now - began) * rate:
                number = sent % 65_536
                waiting[number] = time.monotonic()
                try:
                    sock.send(number.to_bytes(2, "big") + packet)
                except BlockingIOError:
                    break
                sent += 1
            select.select([sock], [], [], 0.5 / rate)
            try:
                while True:
                    reply = sock.recv(4096)
                    right = right or reply[2:]
                    wrong += reply[2:] != right
                    asked = waiting.pop(int.from_bytes(reply[:2], "big"), now)
                    worst = max(worst, time.monotonic() - asked)
            except BlockingIOError:
                continue
    return Suffered(sent, len(waiting), wrong, worst)


def everything(folder: Path, rate: int, seconds: float) -> Iterator[Result]:
    """Yield the results of each flood, with a new daemon for each. Raises `Broken`."""
    config = write(folder)
    for kind in ("quiet", *ATTACKS):
        with Background((PLDNS, "serve", "-c", config), folder / "serve.log") as daemon:
            while not ready(ADMIN):
                _wait(daemon, 0.05, daemon.began, "/readyz was not 200")
            worker = _worker(daemon)
            pin(worker, cores()[0])
            before = resident(worker)
            if kind == "quiet":
                suffered, during = ask(rate, seconds), resident(worker)
            else:
                command = [sys.executable, "-m", "bench.attacks", kind, str(TLS), str(HTTPS), str(seconds + 1)]
                with Background(command, folder / "attack.log") as attack:
                    pin(attack.pid, cores()[1])
                    attack.breathe(1.0)
                    suffered, during = ask(rate, seconds), resident(worker)
            daemon.breathe(_AFTER)
            after = resident(worker)
        share = f"{suffered.sent:,} sent, {suffered.wrong} wrong, slowest {suffered.worst * 1e3:,.0f} ms"
        yield Result(f"{kind}, lost", suffered.lost, "queries", 0 if kind != "quiet" else None, note=share)
        note = f"{before / MIB:.0f} MiB before, {after / MIB:.0f} MiB {_AFTER:.0f} s after"
        yield Result(f"{kind}, memory", during / MIB, "MiB", note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.floods", description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.rate, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
