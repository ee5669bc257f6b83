"""DNSSEC through pldns: a validating Unbound behind pldns gives the same results as one that asks a resolver."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.live.daemon import REPLY, Daemon, until
from tests.live.programs import running
from tests.live.signed_zones import nsd, signed
from tests.peers import tool
from tests.ports import free_port

pytestmark = pytest.mark.live
Start = Callable[..., Daemon]
ZONES = ("nsec.test", "nsec3.test")
RECORDS = """
$TTL 300
@            SOA   ns h 1 3600 600 86400 60
@            NS    ns
ns           A     127.0.0.1
www          A     192.0.2.1
alias        CNAME www
*.w          A     192.0.2.2
*.a          CNAME www
*.out        CNAME www.{other}.
*.n          CNAME nothing.{other}.
*.private    CNAME acct.blob.core.windows.net.
to           CNAME x.private
d            DNAME target
in.target    A     192.0.2.3
x.target     CNAME acct.blob.core.windows.net.
deep.er      A     192.0.2.4
insecure     NS    ns.insecure
ns.insecure  A     127.0.0.1
split        NS    ns.split
ns.split     A     127.0.0.1
"""
CHILD = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\nhost A 192.0.2.5\n"
QUESTIONS = [
    ("www", "A"), ("www", "AAAA"), ("nothing", "A"), ("", "SOA"), ("", "DNSKEY"), ("alias", "A"), ("alias", "AAAA"),
    ("x.w", "A"), ("x.w", "AAAA"), ("x.y.w", "A"), ("x.a", "A"), ("x.a", "AAAA"), ("x.out", "A"), ("x.out", "AAAA"),
    ("x.n", "A"), ("in.d", "A"), ("none.d", "A"), ("d", "DNAME"), ("er", "A"), ("insecure", "DS"),
    ("host.insecure", "A"), ("none.insecure", "A"), ("split", "DS"), ("www", "DS"),
]  # fmt: skip


class Peers:
    """The ports of two Unbounds that validate: one asks the recursive resolver, the other asks pldns."""

    def __init__(self, direct: int, behind: int) -> None:
        self.direct, self.behind = direct, behind


@pytest.fixture
def peers(start: Start, tmp_path: Path) -> Iterator[Peers]:
    authority, recursive, direct, behind = (free_port() for _ in range(4))
    made = [
        signed(origin, RECORDS.replace("{other}", other), nsec3=origin == "nsec3.test")
        for origin, other in (ZONES, reversed(ZONES))
    ]
    served = {zone.origin: zone.text for zone in made}
    served |= {f"{child}.{origin}": CHILD for origin in ZONES for child in ("insecure", "split")}
    served["core.windows.net"] = CHILD + "acct.blob A 203.0.113.9\n"
    anchors = "".join(f'  trust-anchor: "{zone.ds}"\n' for zone in made)
    stubs = "".join(f'stub-zone:\n  name: "{name}"\n  stub-addr: 127.0.0.1@{authority}\n' for name in served)
    (tmp_path / "endpoints").mkdir()
    endpoint = {
        "name": "one",
        "group": "blob",
        "records": [{"fqdn": "acct.blob.core.windows.net", "ips": ["10.1.0.4"]}],
    }
    (tmp_path / "endpoints/a.json").write_text(json.dumps({"endpoints": [endpoint]}))
    for origin in ZONES:
        (tmp_path / f"split.{origin}.zone").write_text(f"$ORIGIN split.{origin}.\n{CHILD}private A 10.1.0.5\n")
    with ExitStack() as stack:
        stack.enter_context(nsd(tmp_path / "nsd", authority, served))
        stack.enter_context(unbound(tmp_path / "recursive", recursive, "iterator", "", stubs))
        daemon = start(
            upstreams={"public": {"servers": [f"udp://127.0.0.1:{recursive}"]}},
            sources=[{"name": "estate", "type": "files", "path": "./endpoints"}],
            zones={"files": ["*.zone"]},
        ).ready()
        for port, server in ((direct, recursive), (behind, daemon.port)):
            forward = f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{server}\n'
            stack.enter_context(unbound(tmp_path / str(port), port, "validator iterator", anchors, forward))
        yield Peers(direct, behind)


@contextmanager
def unbound(folder: Path, port: int, modules: str, server: str, zones: str) -> Iterator[None]:
    folder.mkdir()
    (folder / "unbound.conf").write_text(
        f'server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: ""\n  chroot: ""\n'
        f'  directory: "{folder}"\n  pidfile: "{folder}/pid"\n  use-syslog: no\n  logfile: ""\n  val-log-level: 2\n'
        f'  module-config: "{modules}"\n  do-not-query-localhost: no\n  local-zone: "test." nodefault\n'
        f"{server}remote-control:\n  control-enable: no\n{zones}"
    )
    log = folder / "unbound.log"
    with running(tool("unbound"), "-d", "-c", folder / "unbound.conf", log=log):
        until(lambda: "start of service" in log.read_text())
        yield


def reply(port: int, name: str, rtype: str = "A") -> dns.message.Message:
    query = dns.message.make_query(name, rtype, use_edns=0, want_dnssec=True)
    return dns.query.udp_with_fallback(query, "127.0.0.1", timeout=REPLY, port=port)[0]


def shown(message: dns.message.Message) -> tuple[str, bool, list[str]]:
    """Return the rcode, whether the answer is validated, and the records without TTLs and signatures."""
    records = sorted(f"{rrset.name} {rdata}" for rrset in message.answer for rdata in rrset if rrset.rdtype != 46)
    return dns.rcode.to_text(message.rcode()), bool(message.flags & dns.flags.AD), records


def test_a_validating_resolver_behind_pldns_gives_the_same_results_as_without_it(peers: Peers) -> None:
    differing = {}
    validated = 0
    for origin in ZONES:
        for label, rtype in QUESTIONS:
            name = f"{label}.{origin}".removeprefix(".")
            direct, behind = shown(reply(peers.direct, name, rtype)), shown(reply(peers.behind, name, rtype))
            validated += direct[1]
            if direct != behind:
                differing[name, rtype] = direct, behind
    assert not differing
    assert validated > len(QUESTIONS), "the resolver validates without pldns"


@pytest.mark.parametrize("name", ["x.private", "to", "x.d", "y.z.private"])
@pytest.mark.parametrize("origin", ZONES)
def test_a_signed_alias_into_an_endpoint_is_valid(peers: Peers, origin: str, name: str) -> None:
    """Without the proof that no closer name exists, an alias from a wildcard is bogus (RFC 4035 §5.3.4)."""
    for rtype, end in (("A", "acct.privatelink.blob.core.windows.net. 10.1.0.4"), ("AAAA", None)):
        rcode, _, records = shown(reply(peers.behind, f"{name}.{origin}", rtype))
        assert rcode == "NOERROR"
        assert len(records) >= 2
        assert end is None or end in records


def test_an_unsigned_zone_file_at_an_insecure_delegation_is_valid(peers: Peers) -> None:
    for origin in ZONES:
        assert shown(reply(peers.behind, f"private.split.{origin}")) == (
            "NOERROR", False, [f"private.split.{origin}. 10.1.0.5"],
        )  # fmt: skip
