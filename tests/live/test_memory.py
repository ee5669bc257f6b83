"""A daemon whose memory is limited: clients ask for more names than fit, nothing is killed, and answers are right."""

import contextlib
import os
import signal
import socket
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from tests.live.answering_upstream import answering
from tests.live.daemon import REPLY, Daemon, until

pytestmark = pytest.mark.live

MIB = 1 << 20
LIMIT = 128 * MIB
BATCH = 32
GROUPS = Path("/sys/fs/cgroup")
PARENTS = {
    "memory.limit_in_bytes": GROUPS / "memory",
    "memory.max": GROUPS,
}
"""Where a control group can be made, by the file that gets its limit: versions 1 and 2."""


@pytest.fixture
def group() -> Iterator[Path | None]:
    """Make a control group with a limit. None where this machine does not let the test do so."""
    made = None
    for limit, parent in PARENTS.items():
        folder = parent / f"pldns-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            folder.mkdir()
            made = folder
            (folder / limit).write_text(str(LIMIT))
            break
        if made:
            made.rmdir()
            made = None
    yield made
    if made:
        until(lambda: not (made / "cgroup.procs").read_text())
        made.rmdir()


def text_of(name: bytes) -> bytes:
    """Return the rdata of the TXT record of a name in wire form: 1,000 octets that differ for each name."""
    return b"".join(b"\xc7" + (sha256(name + bytes((part,))).digest() * 7)[:199] for part in range(5))


def text_reply(packet: bytes) -> bytes:
    """Return the reply with the text of the name."""
    end = packet.index(b"\0", 12) + 5
    rdata = text_of(packet[12 : end - 4].lower())
    record = b"\xc0\x0c\0\x10\0\1" + struct.pack(">IH", 3600, len(rdata)) + rdata
    return packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:end] + record


def ask(daemon: Daemon, numbers: range) -> None:
    """Ask for the text of each name, several at a time. Every answer must be right; a lost packet is asked again."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", daemon.port))
        client.settimeout(REPLY)
        for start in range(numbers.start, numbers.stop, BATCH):
            names = {i: b"\x08n%07d\x07example\0" % i for i in range(start, min(start + BATCH, numbers.stop))}
            for number, name in names.items():
                opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
                client.send(struct.pack(">H", number & 0xFFFF) + b"\1\0\0\1\0\0\0\0\0\1" + name + b"\0\x10\0\1" + opt)
            while names:
                reply = client.recv(4096)
                number = start + (int.from_bytes(reply[:2], "big") - start & 0xFFFF)
                name = names.pop(number)
                assert reply[3] & 15 == 0
                assert text_of(name) in reply


def test_caches_stay_within_the_limit_and_are_dropped_when_memory_is_short(tmp_path: Path, group: Path | None) -> None:
    with answering(text_reply) as port:
        daemon = Daemon(tmp_path, {"upstreams": {"public": {"servers": [f"udp://127.0.0.1:{port}"]}}})
        if group:
            daemon.command = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *daemon.command]
        else:
            daemon.path.write_text(yaml.safe_dump(daemon.config | {"memory": LIMIT}))
        try:
            daemon.start().ready()
            until(lambda: daemon.get("/v1/status")[1]["memory"]["workers"])
            children = daemon.children()
            ask(daemon, range(5000))
            ask(daemon, range(4000, 4500))
            memory = until(lambda: (found := daemon.get("/v1/status")[1]["memory"])["workers"][0]["answers"] and found)
            (worker,) = memory["workers"]
            assert memory["budget"] == LIMIT
            assert memory["source"] == ("cgroup" if group else "configuration")
            assert memory["supervisor"] + memory["control"] + worker["total"] < LIMIT - memory["free"] // 2
            assert memory["free"] > LIMIT // 16
            assert MIB <= worker["replies_bound"] < 64 * MIB
            assert worker["replies"] <= worker["replies_bound"]
            assert worker["answers_bound"] < 192 * MIB

            daemon.path.write_text(yaml.safe_dump(daemon.config | {"memory": 96 * MIB}))
            daemon.signal(signal.SIGHUP)
            until(lambda: metric(daemon, "pldns_memory_budget_bytes") == 96 * MIB)
            until(lambda: metric(daemon, "pldns_memory_drops_total") >= 1)
            ask(daemon, range(500))
            assert daemon.children() == children
            log = daemon.log.read_text()
            assert "memory is short" in log
            assert "cache.size" in log
            assert "was killed" not in log
        finally:
            daemon.stop()


def metric(daemon: Daemon, name: str) -> float:
    """Return the value of a metric without labels."""
    for line in daemon.get("/metrics")[1].splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return -1.0
