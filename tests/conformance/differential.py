"""The same zone files on pldns and on another authoritative server, question by question.

`python -m tests.conformance.differential --peer knot` (or `nsd`) asks both every name and type of the zones, and misses
around them, without recursion, and prints where they differ: rcode, AA, the records of the answer, and what kinds of
records the authority section holds. Differences that are meant are listed in `JUSTIFIED`, each with its reason.
"""

import argparse
import contextlib
import os
import shutil
import signal
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
CHILD: Final = ".child.corp.example."
"""What names of the zone below the other one end in."""
PEERS: Final = {"knot": "knotd", "nsd": "nsd"}


class Seen(NamedTuple):
    """What is compared of a reply."""

    rcode: str
    aa: bool
    answer: frozenset[tuple[str, str, int, str]]
    authority: frozenset[str]

    def __str__(self) -> str:
        lines = sorted(f"{owner} {ttl} {kind} {data}" for owner, kind, ttl, data in self.answer)
        return f"{self.rcode}{' aa' if self.aa else ''} [{', '.join(lines)}] authority {sorted(self.authority)}"


class Difference(NamedTuple):
    """One question on which the two do not agree."""

    name: str
    kind: str
    ours: Seen
    theirs: Seen

    def __str__(self) -> str:
        return f"{self.name} {self.kind}\n  pldns {self.ours}\n  peer  {self.theirs}"


def questions() -> Iterator[tuple[str, str]]:
    """Every name of the zones and misses around it, with every type."""
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


def seen(port: int, name: str, kind: str) -> Seen:
    """Ask one server, without recursion, over TCP if it must be."""
    query = dns.message.make_query(name, dns.rdatatype.from_text(kind))
    query.flags &= ~dns.flags.RD
    try:
        reply, _ = dns.query.udp_with_fallback(query, "127.0.0.1", port=port, timeout=PATIENCE)
    except dns.exception.Timeout:
        return Seen("no reply", aa=False, answer=frozenset(), authority=frozenset())
    answer = frozenset(
        (str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text().lower())
        for rrset in reply.answer
        for rdata in rrset
    )
    authority = frozenset(dns.rdatatype.to_text(rrset.rdtype) for rrset in reply.authority)
    return Seen(dns.rcode.to_text(reply.rcode()), bool(reply.flags & dns.flags.AA), answer, authority)


def justified(name: str, ours: Seen, theirs: Seen) -> str:
    """Why a difference is meant; empty for one that is not."""
    return next((reason for reason, holds in JUSTIFIED if holds(name, ours, theirs)), "")


def _positive_authority(_: str, ours: Seen, theirs: Seen) -> bool:
    positive = bool(ours.answer) and ours.rcode == "NOERROR"
    return positive and ours[:3] == theirs[:3] and not ours.authority and theirs.authority == {"NS"}


def _loop(name: str, ours: Seen, _: Seen) -> bool:
    return name.startswith("loop") and ours.rcode == "SERVFAIL"


def _goes_on(_: str, ours: Seen, theirs: Seen) -> bool:
    """Theirs ends where the alias crosses from one of the zones into the other; ours has what is there."""
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
    """A server of Debian's on loopback with the zones; its port."""
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


def compare(kind: str, folder: Path) -> tuple[int, list[Difference], dict[str, int]]:
    """How many questions, the differences that are not meant, and how often each reason held."""
    daemon = Daemon(folder, {"zones": {"files": [f"{ZONES}/*.zone"]}}).start()
    differences: list[Difference] = []
    reasons: dict[str, int] = {}
    count = 0
    try:
        with peer(kind, folder) as port:
            daemon.ready()
            until(lambda: _answers(daemon.port))
            for name, rtype in questions():
                count += 1
                ours, theirs = seen(daemon.port, name, rtype), seen(port, name, rtype)
                if ours == theirs:
                    continue
                if reason := justified(name, ours, theirs):
                    reasons[reason] = reasons.get(reason, 0) + 1
                else:
                    differences.append(Difference(name, rtype, ours, theirs))
    finally:
        daemon.stop()
    return count, differences, reasons


def main() -> int:
    """Print the comparison; 1 where there is a difference that is not meant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=sorted(PEERS), default="knot")
    with tempfile.TemporaryDirectory() as folder:
        count, differences, reasons = compare(parser.parse_args().peer, Path(folder))
    for each in differences:
        sys.stdout.write(f"{each}\n")
    for reason, number in reasons.items():
        sys.stdout.write(f"meant, {number} times: {reason}\n")
    sys.stdout.write(f"{count} questions, {len(differences)} differences\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
