"""Compares pldns with another authoritative server that has the same zone files, question by question.

`python -m tests.conformance.differential --peer knot` (or `nsd`) asks both servers for every name and type of the zones
and for names around them that do not exist, without recursion. The replies must agree in the rcode, AA, the records of
the answer, and the types of the records in the authority section. `JUSTIFIED` lists the intended differences, each with
its reason.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from tests.live.daemon import PATIENCE, Daemon, until
from tests.ports import free_port
from zones.dns import zonefile
from zones.dns.name import Name, ancestry, to_text

ZONES: Final = Path(__file__).parent / "zones"
TYPES: Final = ("A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "DS", "SRV", "TYPE65280")
_TC: Final = 0x02  # in the third octet of a message
_RA: Final = 0x80  # in the fourth
CHILD: Final = ".child.corp.example."
"""The end of each name in the zone that is below the other zone."""
PEERS: Final = {"knot": "knotd", "nsd": "nsd"}


class Seen(NamedTuple):
    """The parts of a reply that must agree."""

    rcode: str
    aa: bool
    answer: frozenset[tuple[str, str, int, str]]
    authority: frozenset[str]

    def __str__(self) -> str:
        lines = sorted(f"{owner} {ttl} {kind} {data}" for owner, kind, ttl, data in self.answer)
        return f"{self.rcode}{' aa' if self.aa else ''} [{', '.join(lines)}] authority {sorted(self.authority)}"


class ReplyDifference(NamedTuple):
    """A question on which the two servers do not agree."""

    name: str
    kind: str
    ours: Seen
    theirs: Seen

    def __str__(self) -> str:
        return f"{self.name} {self.kind}\n  pldns {self.ours}\n  peer  {self.theirs}"


def questions() -> Iterator[tuple[str, str]]:
    """Yield each name of the zones, and names around it that do not exist, with each type."""
    names: dict[Name, None] = {}
    for file in sorted(ZONES.glob("*.zone")):
        zone = zonefile.parse(file.read_text(), file.name)
        for name in zone.names:
            names |= dict.fromkeys(each for each in ancestry(name) if each.endswith(zone.origin))
    texts = [to_text(name) for name in names]
    around = [f"{label}.{text}" for text in texts for label in ("miss", "a.miss", "*", "x")]
    for text in dict.fromkeys(texts + around):
        yield from ((text, kind) for kind in TYPES)
    for file in sorted(ZONES.glob("*.zone")):
        zone = zonefile.parse(file.read_text(), file.name)
        for name, rrsets in zone.names.items():
            yield from ((to_text(name), f"TYPE{rrset.type}") for rrset in rrsets)


class DnsServer:
    """One of the two servers, on a port of loopback. Asks without recursion, and over TCP where the reply is cut."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.settimeout(PATIENCE)
        self._udp.connect(self._address)

    def ask(self, query: bytes) -> bytes:
        """Return the reply. Raises `OSError` where none comes."""
        self._udp.send(query)
        while (reply := self._udp.recv(65_535))[:2] != query[:2]:
            pass
        return self._ask_over_tcp(query) if reply[2] & _TC else reply

    def _ask_over_tcp(self, query: bytes) -> bytes:
        with socket.create_connection(self._address, PATIENCE) as sock, sock.makefile("rb") as stream:
            sock.sendall(len(query).to_bytes(2, "big") + query)
            return stream.read(int.from_bytes(stream.read(2), "big"))

    def close(self) -> None:
        self._udp.close()


def alike(ours: bytes, theirs: bytes) -> bool:
    """Return whether two replies differ in nothing but RA, which is not compared."""
    return ours[:3] == theirs[:3] and not (ours[3] ^ theirs[3]) & ~_RA and ours[4:] == theirs[4:]


def seen(packet: bytes) -> Seen:
    """Decode a reply."""
    reply = dns.message.from_wire(packet)
    answer = frozenset(
        (str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text().lower())
        for rrset in reply.answer
        for rdata in rrset
    )
    authority = frozenset(dns.rdatatype.to_text(rrset.rdtype) for rrset in reply.authority)
    return Seen(dns.rcode.to_text(reply.rcode()), bool(reply.flags & dns.flags.AA), answer, authority)


def justified(name: str, ours: Seen, theirs: Seen) -> str:
    """Return the reason for an intended difference; empty for any other."""
    return next((reason for reason, holds in JUSTIFIED if holds(name, ours, theirs)), "")


def _positive_authority(_: str, ours: Seen, theirs: Seen) -> bool:
    positive = bool(ours.answer) and ours.rcode == "NOERROR"
    return positive and ours[:3] == theirs[:3] and not ours.authority and theirs.authority == {"NS"}


def _loop(name: str, ours: Seen, _: Seen) -> bool:
    return name.startswith("loop") and ours.rcode == "SERVFAIL"


def _goes_on(_: str, ours: Seen, theirs: Seen) -> bool:
    """The peer's answer ends where an alias leads into the other zone; the answer of pldns continues there."""
    crossing = any(
        kind == "CNAME" and owner.endswith(CHILD) != target.endswith(CHILD) for owner, kind, _, target in theirs.answer
    )
    return crossing and theirs.answer <= ours.answer and theirs.authority in ({"NS"}, frozenset())


JUSTIFIED: Final = (
    ("NS records beside a positive answer are optional (RFC 1034 §4.3.2 step 6), and only make it longer",
     _positive_authority),
    ("a chain that does not end within 11 aliases is SERVFAIL: its client could not follow it either", _loop),
    ("an alias into another zone of the same server is followed (RFC 1034 §4.3.2 step 3a says to go on)", _goes_on),
)  # fmt: skip


@contextlib.contextmanager
def peer(kind: str, folder: Path) -> Iterator[int]:
    """Run a server of Debian's packages with the zones; yields its port on loopback."""
    binary = shutil.which(PEERS[kind], path=f"{os.environ['PATH']}:/usr/sbin")
    if not binary:
        raise FileNotFoundError(PEERS[kind])
    port = free_port()
    command = {"knot": _knot, "nsd": _nsd}[kind](binary, folder, port)
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: _answers(port))
        yield port
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


def _origins() -> list[tuple[str, Path]]:
    files = sorted(ZONES.glob("*.zone"))
    return [(to_text(zonefile.parse(file.read_text(), file.name).origin), file) for file in files]


def _knot(binary: str, folder: Path, port: int) -> list[str]:
    zones = "".join(f"  - domain: {origin}.\n    file: {file}\n" for origin, file in _origins())
    (folder / "knot.conf").write_text(
        f"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{port}\n  automatic-acl: off\n"
        f"database:\n  storage: {folder}\n"
        "template:\n  - id: default\n    semantic-checks: off\n    zonefile-sync: -1\n    journal-content: none\n"
        f"zone:\n{zones}"
    )
    return [binary, "-c", str(folder / "knot.conf")]


def _nsd(binary: str, folder: Path, port: int) -> list[str]:
    zones = "".join(f'zone:\n  name: "{origin}"\n  zonefile: "{file}"\n' for origin, file in _origins())
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  username: ""\n  chroot: ""\n  zonesdir: "{folder}"\n'
        f'  database: ""\n  pidfile: "{folder}/nsd.pid"\n  xfrdfile: "{folder}/xfrd.state"\n  xfrdir: "{folder}"\n'
        "  zonelistfile: zone.list\n  minimal-responses: yes\n  rrl-ratelimit: 0\n  confine-to-zone: no\n"
        f"remote-control:\n  control-enable: no\n{zones}"
    )
    return [binary, "-d", "-c", str(folder / "nsd.conf")]


def _answers(port: int) -> bool:
    query = dns.message.make_query("corp.example", "SOA")
    try:
        return dns.query.udp(query, "127.0.0.1", port=port, timeout=1).rcode() == dns.rcode.NOERROR
    except (TimeoutError, OSError, dns.exception.DNSException):
        return False


def compare(kind: str, folder: Path) -> tuple[int, list[ReplyDifference], dict[str, int]]:
    """Return the number of questions, the unintended differences, and how often each reason applied."""
    daemon = Daemon(folder, {"zones": {"files": [f"{ZONES}/*.zone"]}}).start()
    differences: list[ReplyDifference] = []
    reasons: dict[str, int] = {}
    count = 0
    try:
        with peer(kind, folder) as port:
            daemon.ready()
            until(lambda: _answers(daemon.port))
            with (
                contextlib.closing(DnsServer(daemon.port)) as pldns,
                contextlib.closing(DnsServer(port)) as other,
            ):
                for name, rtype in questions():
                    count += 1
                    question = dns.message.make_query(name, rtype, id=count & 0xFFFF)
                    question.flags &= ~dns.flags.RD
                    query = question.to_wire()
                    replies = pldns.ask(query), other.ask(query)
                    if alike(*replies):  # most are, and to decode them costs far more than to ask
                        continue
                    ours, theirs = map(seen, replies)
                    if ours == theirs:
                        continue
                    if reason := justified(name, ours, theirs):
                        reasons[reason] = reasons.get(reason, 0) + 1
                    else:
                        differences.append(ReplyDifference(name, rtype, ours, theirs))
    finally:
        daemon.stop()
    return count, differences, reasons


def main() -> int:
    """Print the comparison. Returns 1 when there is an unintended difference, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=sorted(PEERS), default="knot")
    with tempfile.TemporaryDirectory() as folder:
        count, differences, reasons = compare(parser.parse_args().peer, Path(folder))
    for each in differences:
        sys.stdout.write(f"{each}\n")
    for reason, number in reasons.items():
        sys.stdout.write(f"intended, {number} times: {reason}\n")
    sys.stdout.write(f"{count} questions, {len(differences)} differences\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
