"""Real resolvers of Debian's packages as upstreams: Unbound on every transport, and dnsmasq in a loop."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.live.daemon import PATIENCE, PLDNS, REPLY, Daemon, until
from tests.live.programs import running
from tests.peers import tool
from tests.ports import free_port

pytestmark = pytest.mark.live
Start = Callable[..., Daemon]
NAME = "dns.example"


def ask(port: int, name: str, rtype: str = "A", **options: Any) -> dns.message.Message:  # noqa: ANN401 - dnspython's
    return dns.query.udp(
        dns.message.make_query(name, rtype, use_edns=0, **options), "127.0.0.1", timeout=REPLY, port=port
    )


def answers(port: int) -> bool:
    """Return whether a server replies at all."""
    query = dns.message.make_query("health.pldns", "A")
    try:
        dns.query.udp(query, "127.0.0.1", timeout=1, port=port)
    except dns.exception.Timeout:
        return False
    return True


def extended(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)]


class Resolver:
    """Unbound with local data, on one port for each transport."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plain, self.tls, self.https = free_port(), free_port(), free_port()
        authority = trustme.CA()
        made = authority.issue_cert(NAME)
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        made.private_key_and_cert_chain_pem.write_to_path(str(folder / "pair.pem"))
        key = x509.load_pem_x509_certificate(made.cert_chain_pems[0].bytes()).public_key()
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        self.pin = base64.b64encode(digest).decode()
        many = "\n".join(f'  local-data: "many.example. 60 A 192.0.{i >> 8}.{i & 255}"' for i in range(300))
        (folder / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1@{self.plain}
  interface: 127.0.0.1@{self.tls}
  interface: 127.0.0.1@{self.https}
  tls-port: {self.tls}
  https-port: {self.https}
  tls-service-key: "{folder}/pair.pem"
  tls-service-pem: "{folder}/pair.pem"
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "." static
  local-data: ". 60 SOA a. b. 1 2 3 4 60"
  local-data: "www.example. 60 A 192.0.2.80"
  local-data: "alias.example. 60 CNAME acct.blob.core.windows.net."
{many}
remote-control:
  control-enable: no
""")

    @contextmanager
    def up(self) -> Iterator[None]:
        with running(tool("unbound"), "-d", "-c", self.folder / "unbound.conf", log=self.folder / "unbound.log"):
            until(lambda: "start of service" in (self.folder / "unbound.log").read_text())
            yield


@pytest.fixture
def unbound(tmp_path: Path) -> Resolver:
    folder = tmp_path / "unbound"
    folder.mkdir()
    return Resolver(folder)


def group(unbound: Resolver, way: str) -> dict[str, Any]:
    servers = {
        "udp": f"udp://127.0.0.1:{unbound.plain}",
        "tcp": f"tcp://127.0.0.1:{unbound.plain}",
        "tls by name": f"tls://127.0.0.1:{unbound.tls}#{NAME}",
        "tls by pin": f"tls://127.0.0.1:{unbound.tls}#sha256/{unbound.pin}",
        "https": f"https://127.0.0.1:{unbound.https}/dns-query#{NAME}",
        "https by bootstrap": f"https://{NAME}:{unbound.https}/dns-query",
        "tls of another": f"tls://127.0.0.1:{unbound.tls}#other.example",
    }
    bootstrap = {"bootstrap": ["127.0.0.1"]} if "bootstrap" in way else {}
    return {"servers": [servers[way]], "ca": str(unbound.ca), **bootstrap}


@pytest.mark.parametrize("way", ["udp", "tcp", "tls by name", "tls by pin", "https", "https by bootstrap"])
def test_public_names_come_from_a_real_resolver_on_every_transport(
    start: Start, unbound: Resolver, tmp_path: Path, way: str
) -> None:
    (tmp_path / "endpoints").mkdir()
    endpoint = {
        "name": "one",
        "group": "blob",
        "records": [{"fqdn": "acct.blob.core.windows.net", "ips": ["10.1.0.4"]}],
    }
    (tmp_path / "endpoints/a.json").write_text(json.dumps({"endpoints": [endpoint]}))
    with unbound.up():
        sources = [{"name": "estate", "type": "files", "path": "./endpoints"}]
        daemon = start(upstreams={"public": group(unbound, way)}, sources=sources).ready()
        assert ask(daemon.port, "www.example").answer[0].to_text() == "www.example. 60 IN A 192.0.2.80"
        assert ask(daemon.port, "none.example").rcode() == dns.rcode.NXDOMAIN
        assert ask(daemon.port, "www.example", "AAAA").answer == []
        many = dns.message.make_query("many.example", "A", use_edns=0)
        assert len(dns.query.tcp(many, "127.0.0.1", timeout=REPLY, port=daemon.port).answer[0]) == 300
        alias = ask(daemon.port, "alias.example")
        assert alias.answer[-1].to_text() == "acct.privatelink.blob.core.windows.net. 10 IN A 10.1.0.4"


def test_a_server_with_the_wrong_certificate_gets_no_question(start: Start, unbound: Resolver) -> None:
    with unbound.up():
        daemon = start(upstreams={"public": group(unbound, "tls of another")})
        reply = until(lambda: daemon.get("/livez")[0] == 200) and ask(daemon.port, "www.example")
        assert (reply.rcode(), extended(reply)) == (dns.rcode.SERVFAIL, [23])
        (option,) = [option for option in reply.options if isinstance(option, dns.edns.EDEOption)]
        assert option.text == f"127.0.0.1 port {unbound.tls}: the certificate is not the expected one"


def test_stale_answers_are_given_while_the_resolver_is_dead(start: Start, unbound: Resolver) -> None:
    def given(name: str) -> tuple[int, list[int]]:
        reply = ask(daemon.port, name)
        return int(reply.rcode()), extended(reply)

    with unbound.up():
        daemon = start(upstreams={"public": group(unbound, "udp")})
        until(lambda: daemon.get("/livez")[0] == 200)
        assert given("www.example") == (0, [])
    assert given("other.example") == (2, [23]), "refused: nobody is there"
    ran = subprocess.run(
        [PLDNS, "cache", "flush", ".", "--subtree", "-c", daemon.path], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "1 replies removed\n")
    assert given("www.example") == (2, [23])
    with unbound.up():
        until(lambda: given("www.example") == (0, []))


def test_a_loop_through_dnsmasq_is_broken_and_reported(start: Start, tmp_path: Path) -> None:
    forwarder = free_port()
    daemon = start(upstreams={"public": {"servers": [f"udp://127.0.0.1:{forwarder}"]}})
    command = (
        tool("dnsmasq"), "--keep-in-foreground", f"--port={forwarder}", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--no-resolv", "--no-hosts", f"--server=127.0.0.1#{daemon.port}", "--conf-file=/dev/null",
        "--user=root", "--pid-file=",
    )  # fmt: skip
    with running(*command, log=tmp_path / "dnsmasq.log"):
        until(lambda: daemon.get("/livez")[0] == 200)
        until(lambda: answers(forwarder))
        reply = ask(daemon.port, "round.example")
        assert (reply.rcode(), extended(reply)) == (dns.rcode.SERVFAIL, [22])
        found = until(lambda: [f for f in daemon.get("/v1/findings")[1]["items"] if f["code"] == "forward-loop"])
    assert (found[0]["subject"], found[0]["evidence"]) == (
        "public", {"names": ["round.example"], "brought_by": ["127.0.0.1"]},
    )  # fmt: skip
    _, metrics = daemon.get("/metrics")
    assert 'pldns_forward_loops_total{upstream="public"}' in str(metrics)


def test_a_loop_through_another_pldns_is_broken_and_reported(start: Start, tmp_path: Path) -> None:
    ports = free_port(), free_port()
    both = []
    for i in range(2):
        folder = tmp_path / str(i)
        folder.mkdir()
        servers = [f"udp://127.0.0.1:{ports[1 - i]}"]
        both.append(
            start(folder, dns={"listen": [f"127.0.0.1:{ports[i]}"]}, upstreams={"public": {"servers": servers}})
        )
    until(lambda: all(daemon.get("/livez")[0] == 200 for daemon in both))
    reply = ask(ports[0], "round.example")
    assert (reply.rcode(), extended(reply)) == (dns.rcode.SERVFAIL, [22])
    found = until(lambda: [f for f in both[0].get("/v1/findings")[1]["items"] if f["code"] == "forward-loop"])
    assert found[0]["evidence"] == {"names": ["round.example"], "brought_by": ["127.0.0.1"]}


_IN_NAMESPACE = """
ip link set lo up
ip address add 10.0.0.1/24 dev lo
ip address add 10.0.0.2/24 dev lo
unbound -d -c unbound.conf > unbound.log 2>&1 & unbound=$!
"$0" serve -c pldns.yaml > log 2>&1 & pldns=$!
for i in $(seq 1800); do
    grep -q "all workers are up" log && grep -q "start of service" unbound.log && break
    sleep 0.05
done
for i in $(seq 10); do dig +tries=1 +time=9 @10.0.0.1 "round$i.example" | grep -o "status: [A-Z]*"; done
for i in $(seq 100); do "$0" findings -c pldns.yaml | tee found | grep -q forward-loop && break; done
cat found
kill $unbound $pldns
wait
"""


def test_a_loop_through_a_server_that_drops_options_is_known_by_its_bursts(tmp_path: Path) -> None:
    """Unbound forwards back to pldns. In a network namespace, since a loopback address does not identify a server."""
    tool("unbound"), tool("dig")
    namespace = ("unshare", "--map-root-user", "--net")
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no network namespaces")
    (tmp_path / "pldns.yaml").write_text("""
dns: {listen: ["10.0.0.1:53"]}
admin: {listen: "127.0.0.1:8053"}
state: {directory: ./state}
upstreams: {public: {servers: ["udp://10.0.0.2"]}}
""")
    (tmp_path / "unbound.conf").write_text(f"""
server:
  interface: 10.0.0.2
  outgoing-interface: 10.0.0.2
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{tmp_path}"
  pidfile: "{tmp_path}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  access-control: 10.0.0.0/24 allow
forward-zone:
  name: "."
  forward-addr: 10.0.0.1
""")
    command = [*namespace, "sh", "-c", _IN_NAMESPACE, str(PLDNS)]
    given = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    ran = subprocess.run(
        command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    assert "status: NOERROR" not in ran.stdout
    assert "forward-loop" in ran.stdout, ran.stdout + ran.stderr
    assert "10.0.0.2" in ran.stdout


class Slow:
    """An upstream server that answers `address`, with a TTL of 1 s, after `delay` seconds; never once it is `dead`."""

    def __init__(self) -> None:
        self.address, self.delay = "192.0.2.1", 0.0
        self.dead = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(4096))[0]:
            query, client = dns.message.from_wire(received[0]), received[1]
            reply = dns.message.make_response(query, recursion_available=True)
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "A", self.address))
            if not self.dead:
                threading.Timer(self.delay, self._socket.sendto, (reply.to_wire(), client)).start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


def test_a_client_gets_a_stale_answer_from_a_slow_server_and_an_error_from_a_dead_one(start: Start) -> None:
    def given(name: str) -> tuple[list[str], list[int], float]:
        began = time.monotonic()
        reply = ask(daemon.port, name)
        return [rdata.address for rrset in reply.answer for rdata in rrset], extended(reply), time.monotonic() - began

    with closing(Slow()) as slow:
        daemon = start(upstreams={"public": {"servers": [f"udp://127.0.0.1:{slow.port}"]}})
        until(lambda: daemon.get("/livez")[0] == 200)
        assert given("www.example")[:2] == (["192.0.2.1"], [])
        slow.delay, slow.address = 1.0, "192.0.2.2"
        until(lambda: given("www.example")[0] == ["192.0.2.2"])

        def replies_within(seconds: str) -> float | None:
            labels = {"upstream": "public", "server": f"udp://127.0.0.1:{slow.port}", "le": seconds}
            return daemon.metric("upstream_request_duration_seconds_bucket", **labels)

        until(lambda: (replies_within("2.048"), replies_within("0.512")) == (2.0, 1.0))
        slow.delay = 2.5
        stale = until(lambda: (got := given("www.example"))[1] and got)
        assert stale[:2] == (["192.0.2.2"], [3])
        assert stale[2] > 1.7
        slow.dead = True
        nothing = given("other.example")
        assert nothing[:2] == ([], [22])


@contextmanager
def signed_zone(folder: Path) -> Iterator[int]:
    """Run Knot DNS with a zone that it signs; yields the port."""
    port = free_port()
    (folder / "signed.example.zone").write_text(
        "$ORIGIN signed.example.\n$TTL 300\n@ SOA ns h 1 3600 300 86400 300\n@ NS ns\nns A 192.0.2.1\n"
        "www A 192.0.2.80\n"
    )
    (folder / "knot.conf").write_text(f"""
server:
    listen: 127.0.0.1@{port}
    rundir: "{folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}"
policy:
  - id: quick
    algorithm: ecdsap256sha256
    nsec3: on
template:
  - id: default
    storage: "{folder}"
    dnssec-signing: on
    dnssec-policy: quick
zone:
  - domain: signed.example
    file: signed.example.zone
log:
  - target: stderr
    any: info
""")
    with running(tool("knotd"), "-c", folder / "knot.conf", log=folder / "knot.log"):
        until(lambda: "server started" in (folder / "knot.log").read_text())
        until(lambda: ask(port, "signed.example", "DNSKEY", want_dnssec=True).answer)
        yield port


@pytest.mark.parametrize(
    ("name", "rtype", "wanted"),
    [
        ("www.signed.example", "A", "; fully validated www.signed.example. IN A 192.0.2.80"),
        ("none.signed.example", "A", "; negative response, fully validated"),
        ("www.signed.example", "AAAA", "; negative response, fully validated"),
    ],
)
def test_a_validating_client_of_pldns_validates_public_names(
    start: Start, tmp_path: Path, name: str, rtype: str, wanted: str
) -> None:
    folder = tmp_path / "knot"
    folder.mkdir()
    with signed_zone(folder) as port:
        daemon = start(upstreams={"public": {"servers": [f"udp://127.0.0.1:{port}"]}})
        until(lambda: daemon.get("/livez")[0] == 200)
        keys = ask(port, "signed.example", "DNSKEY").answer[0]
        anchors = folder / "anchors"
        entries = (key.to_text().split(" ", 3) for key in keys if key.flags & 1)
        anchors.write_text(
            "trust-anchors {\n"
            + "".join(f'  "signed.example" static-key {a} {b} {c} "{d}";\n' for a, b, c, d in entries)
            + "};\n"
        )
        for _ in range(2):
            place = ["@127.0.0.1", "-p", str(daemon.port), "-a", str(anchors), "+root=signed.example", "+nottl"]
            ran = subprocess.run([tool("delv"), *place, name, rtype], capture_output=True, text=True, check=False)
            assert wanted in " ".join(ran.stdout.split()), ran.stdout + ran.stderr
