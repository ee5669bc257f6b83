"""Addresses on links: upstream servers at a link-local address, and a listen address that exists only later.

In a network namespace, where the test may make interfaces.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.live.daemon import PATIENCE, PLDNS
from tests.peers import tool

pytestmark = pytest.mark.live

_IN_NAMESPACE = """
python=$1
script="import sys, urllib.request as r; print(r.urlopen('http://127.0.0.1:8053/v1/' + sys.argv[1]).read().decode())"
get() { "$python" -c "$script" $1; }
ip link set lo up
ip link add near type veth peer name far || exit 77
ip link set near up
ip link set far up
ip address add fe80::2/64 dev near nodad
ip address add fe80::1/64 dev far nodad
unbound -d -c unbound.conf > unbound.log 2>&1 & unbound=$!
"$0" serve -c pldns.yaml > log 2>&1 & pldns=$!
for i in $(seq 1800); do
    grep -q "all workers are up" log && grep -q "admin interface on" log && grep -q "start of s" unbound.log && break
    sleep 0.05
done
get status > before.json
ip address add 10.77.0.1/24 dev near
for i in $(seq 100); do
    get status > after.json
    grep -q '"absent_addresses": *\\[\\]' after.json && break
done
for way in udp tcp tls https; do dig +tries=2 +time=9 +short @10.77.0.1 www.$way.example; done
get upstreams > upstreams.json
kill $unbound $pldns
wait
"""


def test_link_local_servers_and_an_address_that_comes_later(tmp_path: Path) -> None:
    tool("unbound"), tool("dig")
    namespace = ("unshare", "--map-root-user", "--net")
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no network namespaces")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pair = authority.issue_cert("dns.example")
    pair.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    (tmp_path / "pldns.yaml").write_text("""
dns: {listen: ["10.77.0.1:53", "127.0.0.1:53"], bind: wait}
admin: {listen: "127.0.0.1:8053"}
state: {directory: ./state}
upstreams:
  public: {servers: ["udp://[fe80::1%near]"]}
  udp: {servers: ["udp://[fe80::1%near]"], suffixes: [udp.example], source: "fe80::2%near"}
  tcp: {servers: ["tcp://[fe80::1%near]"], suffixes: [tcp.example], source: "fe80::2%near"}
  tls: {servers: ["tls://[fe80::1%near]#dns.example"], suffixes: [tls.example], ca: ca.pem}
  https:
    {servers: ["https://dns.example/dns-query"], bootstrap: ["fe80::1%near"], suffixes: [https.example], ca: ca.pem}
""")
    data = "\n".join(f'  local-data: "www.{way}.example. 60 A 192.0.2.{i}"' for i, way in enumerate(WAYS))
    (tmp_path / "unbound.conf").write_text(f"""
server:
  interface: fe80::1%far@53
  interface: fe80::1%far@853
  interface: fe80::1%far@443
  tls-port: 853
  https-port: 443
  tls-service-key: "pair.pem"
  tls-service-pem: "pair.pem"
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{tmp_path}"
  pidfile: "unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  access-control: fe80::/10 allow
  local-zone: "example." static
{data}
""")
    given = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    command = [*namespace, "sh", "-c", _IN_NAMESPACE, str(PLDNS), sys.executable]
    ran = subprocess.run(
        command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    if ran.returncode == 77:
        pytest.skip("this system allows no virtual interfaces")
    log = (tmp_path / "log").read_text()
    assert ran.stdout.split() == [f"192.0.2.{i}" for i in range(len(WAYS))], ran.stdout + ran.stderr + log
    assert "listening on 10.77.0.1:53, which this machine does not have yet" in log
    before, after = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("before", "after"))
    assert (before["absent_addresses"], after["absent_addresses"]) == (["10.77.0.1:53"], [])
    assert "listening on 10.77.0.1:53: this machine has the address now" in log
    servers = {each["server"] for each in json.loads((tmp_path / "upstreams.json").read_text())["items"]}
    assert servers == {f"{scheme}://[fe80::1%near]:{port}" for scheme, port in WAYS.items()}


WAYS = {"udp": 53, "tcp": 53, "tls": 853, "https": 443}
