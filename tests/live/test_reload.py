"""A running daemon whose configuration, zone files, certificates and resolv.conf change."""

import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
import trustme
import yaml

from resolver.process.sandbox import landlock
from tests.live.daemon import PATIENCE, PLDNS, Daemon, until

pytestmark = pytest.mark.live

NAME = "acct.blob.core.windows.net"
ZONE = "$ORIGIN corp.example.\n@ 60 IN SOA ns. root. 1 2 3 4 5\nwww 60 IN A {}\n"


def write(path: Path, text: str) -> None:
    """Replace a file by a rename, as an editor does."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)


def estate(address: str, name: str = NAME) -> str:
    endpoint = {"name": name, "target": "t", "group": "blob", "records": [{"fqdn": name, "ips": [address]}]}
    return yaml.safe_dump({"endpoints": [endpoint]})


class Upstream:
    """An upstream server that answers every question with one address, and counts the questions."""

    def __init__(self, address: str) -> None:
        self.asked = 0
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._address = address
        self.uri = f"udp://127.0.0.1:{self._sock.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                packet, client = self._sock.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            query = dns.message.from_wire(packet)
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            if query.question[0].rdtype == 1:
                reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", self._address))
            self._sock.sendto(reply.to_wire(), client)

    def close(self) -> None:
        self._sock.close()


@pytest.fixture(scope="module")
def upstreams() -> Iterator[tuple[Upstream, Upstream]]:
    pair = Upstream("192.0.2.1"), Upstream("192.0.2.2")
    yield pair
    for each in pair:
        each.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certificate(folder: Path, authority: trustme.CA, name: str) -> None:
    issued = authority.issue_cert(name)
    write(folder / "cert.pem", b"".join(each.bytes() for each in issued.cert_chain_pems).decode())
    write(folder / "key.pem", issued.private_key_pem.bytes().decode())


class Reloading(Daemon):
    """A daemon whose configuration the test changes."""

    def configure(self, **sections: Any) -> None:  # noqa: ANN401 - sections of a configuration
        """Write the configuration with other sections; None removes one."""
        given = {**self.config, **sections}
        if "dns" in sections:
            given["dns"] = {**self.config["dns"], **sections["dns"]}
        write(self.path, yaml.safe_dump({key: value for key, value in given.items() if value is not None}))

    def reload(self, *, succeeds: bool = True) -> str:
        """Run `pldns reload` and return what it writes."""
        done = subprocess.run(
            [PLDNS, "reload", "-c", self.path], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done.stdout + done.stderr

    def total(self, name: str) -> float:
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"pldns_{name}"))

    @property
    def last(self) -> dict[str, Any]:
        configuration: dict[str, Any] = self.get("/v1/status")[1]["configuration"]
        return configuration


@pytest.fixture(scope="module")
def daemon(
    tmp_path_factory: pytest.TempPathFactory, upstreams: tuple[Upstream, Upstream], authority: trustme.CA
) -> Iterator[Reloading]:
    folder = tmp_path_factory.mktemp("reload")
    write(folder / "endpoints" / "a.yaml", estate("10.0.0.4"))
    write(folder / "zones" / "corp.zone", ZONE.format("10.0.0.1"))
    certificate(folder, authority, "first.example")
    tls = {"listen": [f"127.0.0.1:{_free()}"], "certificate": "cert.pem", "key": "key.pem"}
    made = Reloading(
        folder,
        {
            "dns": {"tls": tls},
            "sources": [{"name": "lab", "type": "files", "path": "./endpoints"}],
            "zones": {"files": ["zones/*.zone"]},
            "upstreams": {"public": {"servers": [upstreams[0].uri], "cookies": False}},
        },
    )
    made.start().ready()
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text(), made.log.read_text()


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def restored(daemon: Reloading) -> Iterator[None]:
    """End each test with the first configuration in effect. A reload takes half a second: none where none is needed."""
    serial = daemon.last["serial"]
    yield
    write(daemon.directory / "zones" / "corp.zone", ZONE.format("10.0.0.1"))
    write(daemon.path, yaml.safe_dump(daemon.config))
    if daemon.last["serial"] != serial:
        daemon.reload()


def test_a_reload_without_a_change_evicts_nothing(daemon: Reloading, upstreams: tuple[Upstream, Upstream]) -> None:
    assert daemon.addresses("www.kept.example") == {"192.0.2.1"}
    asked, evicted = upstreams[0].asked, daemon.total("answers_evicted_total")
    queries = daemon.total("dns_requests_total")
    assert "says the same as before" in daemon.reload()
    assert daemon.last["last_reload"]["outcome"] == "unchanged"
    assert daemon.addresses("www.kept.example") == {"192.0.2.1"}
    assert upstreams[0].asked == asked
    assert daemon.total("answers_evicted_total") == evicted
    until(lambda: daemon.total("dns_requests_total") > queries)


def test_each_section_takes_effect(daemon: Reloading, upstreams: tuple[Upstream, Upstream]) -> None:
    assert daemon.addresses("www.moved.example") == {"192.0.2.1"}
    write(daemon.directory / "more" / "b.yaml", estate("10.0.0.9", "more.blob.core.windows.net"))
    write(daemon.directory / "zones" / "second.zone", ZONE.format("10.0.0.3").replace("corp", "second"))
    daemon.configure(
        dns={"drop": {"names": ["dropped.example"]}},
        sources=[*daemon.config["sources"], {"name": "more", "type": "files", "path": "./more"}],
        networks=[{"name": "lab", "clients": ["127.0.0.0/8"]}],
        upstreams={"public": {"servers": [upstreams[1].uri], "cookies": False}},
        zones={"files": ["zones/*.zone"], "private_only": ["internal.example"], "defaults": {"ttl": "77s"}},
        catalogue={"suffixes": [{"public": "own.example", "private": "privatelink.own.example"}]},
        names=[{"name": "named.own.example", "endpoint": NAME}],
    )
    assert "is in effect" in daemon.reload()
    (answer,) = daemon.ask("more.blob.core.windows.net").answer[1:] or daemon.ask("more.blob.core.windows.net").answer
    assert (answer[0].address, answer.ttl) == ("10.0.0.9", 77)
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    assert daemon.addresses("www.second.example") == {"10.0.0.3"}
    assert daemon.addresses("www.moved.example") == {"192.0.2.2"}
    assert daemon.addresses("named.own.example") == {"10.0.0.4"}
    assert daemon.ask("x.dropped.example").rcode() == dns.rcode.REFUSED
    assert daemon.ask("x.internal.example").rcode() == dns.rcode.NXDOMAIN
    assert [each["name"] for each in daemon.get("/v1/networks")[1]["items"]] == ["lab"]
    assert [each["name"] for each in daemon.get("/v1/sources")[1]["items"]] == ["lab", "more"]
    (daemon.directory / "zones" / "second.zone").unlink()
    daemon.configure()
    daemon.reload()
    assert daemon.addresses("more.blob.core.windows.net") == {"192.0.2.1"}
    assert daemon.addresses("www.second.example") == {"192.0.2.1"}


def test_a_source_outside_the_sandbox_of_control_is_read(daemon: Reloading, tmp_path: Path) -> None:
    control, workers = daemon.children()["control"], daemon.children()["worker"]
    crashes = daemon.log.read_text().count("restarting in")
    write(tmp_path / "estate" / "c.yaml", estate("10.0.0.8", "far.blob.core.windows.net"))
    far = {"name": "far", "type": "files", "path": str(tmp_path / "estate")}
    daemon.configure(sources=[*daemon.config["sources"], far])
    assert "is in effect" in daemon.reload()
    until(lambda: daemon.addresses("far.blob.core.windows.net") == {"10.0.0.8"})
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    assert daemon.children()["worker"] == workers
    assert (daemon.children()["control"] != control) == bool(landlock.version())
    daemon.ready()
    assert daemon.log.read_text().count("restarting in") == crashes


def test_a_refused_reload_says_every_mistake_and_changes_nothing(daemon: Reloading) -> None:
    serial, refused = daemon.last["serial"], daemon.total('config_reloads_total{result="refused"}')
    daemon.configure(dns={"allow": ["nonsense"], "workers": 0}, zones={"files": ["zones/none.zone"]})
    said = daemon.reload(succeeds=False)
    for word in ("dns.allow[0]", "dns.workers", "zones/none.zone"):
        assert word in said
        assert word in daemon.log.read_text()
        assert any(word in line for line in daemon.last["last_reload"]["mistakes"])
    assert daemon.last["serial"] == serial
    until(lambda: daemon.last["file_changed"])
    assert daemon.total("config_last_reload_successful") == 0
    assert daemon.total('config_reloads_total{result="refused"}') == refused + 1
    assert daemon.addresses(NAME) == {"10.0.0.4"}


def test_sighup_reloads_and_what_cannot_change_is_named(daemon: Reloading) -> None:
    serial = daemon.last["serial"]
    daemon.configure(dns={"workers": 2, "drop": {"names": ["windows.net"]}})
    daemon.signal(signal.SIGHUP)
    until(lambda: "dns.workers: a reload cannot change this" in str(daemon.last["last_reload"]))
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    daemon.configure(dns={"drop": {"names": ["windows.net"]}})
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.ask(NAME).rcode() == dns.rcode.REFUSED)
    until(lambda: daemon.last["serial"] == serial + 1)


def test_edits_of_zone_files_are_taken_when_they_are_right(daemon: Reloading) -> None:
    zone = daemon.directory / "zones" / "corp.zone"
    write(zone, ZONE.format("10.0.0.2"))
    until(lambda: daemon.addresses("www.corp.example") == {"10.0.0.2"})
    write(zone, ZONE.format("10.0.0.3") + "www A nonsense\n")
    (finding,) = until(lambda: daemon.get("/v1/findings?code=source-unreadable")[1]["items"])
    assert "corp.zone:4" in finding["evidence"]["message"]
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    until(lambda: daemon.children()["control"] not in ([], [control]))
    daemon.ready()
    assert daemon.addresses("www.corp.example") == {"10.0.0.2"}
    write(zone, ZONE.format("10.0.0.3").replace("corp", "other"))
    until(lambda: "pldns reload" in str(daemon.get("/v1/findings?code=source-unreadable")[1]))
    assert daemon.addresses("www.corp.example") == {"10.0.0.2"}
    write(zone, ZONE.format("10.0.0.5"))
    until(lambda: daemon.addresses("www.corp.example") == {"10.0.0.5"})
    assert daemon.get("/v1/findings?code=source-unreadable")[1]["items"] == []


def test_files_that_come_and_go_below_a_pattern_are_noticed(daemon: Reloading) -> None:
    folder, serial = daemon.directory / "zones", daemon.last["serial"]
    write(folder / "late.zone", ZONE.format("10.0.0.6").replace("corp", "late"))
    write(folder / "bad.zone", "nonsense\n")
    until(lambda: daemon.addresses("www.late.example") == {"10.0.0.6"})
    (finding,) = until(lambda: daemon.get("/v1/findings?code=source-unreadable")[1]["items"])
    assert finding["subject"] == str(folder / "bad.zone")
    until(lambda: "bad.zone" in daemon.log.read_text())
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    write(folder / "bad.zone", ZONE.format("10.0.0.7").replace("corp", "bad"))
    until(lambda: daemon.addresses("www.bad.example") == {"10.0.0.7"})
    assert daemon.addresses("www.late.example") == {"10.0.0.6"}
    (folder / "late.zone").unlink()
    (folder / "bad.zone").unlink()
    until(lambda: daemon.addresses("www.late.example") == daemon.addresses("www.bad.example") == {"192.0.2.1"})
    assert daemon.addresses("www.corp.example") == {"10.0.0.1"}
    assert daemon.last["serial"] == serial
    assert daemon.get("/v1/findings?code=source-unreadable")[1]["items"] == []


def test_processes_that_restart_have_the_accepted_configuration(daemon: Reloading) -> None:
    daemon.configure(dns={"drop": {"names": ["dropped.example"]}})
    daemon.reload()
    daemon.configure(dns={"drop": {"names": ["windows.net"]}})
    until(lambda: daemon.last["file_changed"])
    for pid in [pid for pids in daemon.children().values() for pid in pids]:
        os.kill(pid, signal.SIGKILL)
    until(lambda: daemon.get("/readyz")[0] == 200)
    assert until(lambda: daemon.addresses(NAME)) == {"10.0.0.4"}
    assert daemon.ask("x.dropped.example").rcode() == dns.rcode.REFUSED
    assert daemon.last["file_changed"] is True


def test_connections_survive_and_no_query_is_lost(daemon: Reloading) -> None:
    """A stream of queries over UDP and one connection each over TCP and DoT, while good and bad reloads alternate."""
    query = dns.message.make_query(NAME, "A").to_wire()
    tls_port = int(daemon.config["dns"]["tls"]["listen"][0].rpartition(":")[2])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stopping, lost = threading.Event(), list[str]()

    def stream() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.connect(("127.0.0.1", daemon.port))
            while not stopping.wait(0.002):
                sock.send(query)
                try:
                    if "10.0.0.4" not in dns.message.from_wire(sock.recv(4096)).to_text():
                        lost.append("wrong")
                except TimeoutError:
                    lost.append("lost")

    thread = threading.Thread(target=stream)
    with (
        socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE) as tcp,
        context.wrap_socket(socket.create_connection(("127.0.0.1", tls_port), timeout=PATIENCE)) as tls,
    ):
        thread.start()
        try:
            for turn in range(2):
                if turn % 2:
                    daemon.configure(dns={"workers": 0})
                else:
                    daemon.configure(networks=[{"name": f"n{turn}", "clients": ["127.0.0.0/8"]}])
                daemon.reload(succeeds=not turn % 2)
                for connection in (tcp, tls):
                    connection.sendall(len(query).to_bytes(2, "big") + query)
                    assert "10.0.0.4" in dns.query.receive_tcp(connection)[0].to_text()
        finally:
            stopping.set()
            thread.join()
    assert lost == []


def _served(daemon: Reloading) -> bytes:
    """Return the certificate that a new connection over TLS gets."""
    port = int(daemon.config["dns"]["tls"]["listen"][0].rpartition(":")[2])
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE).encode()


def test_certificates_are_checked_and_taken_with_a_reload(daemon: Reloading, authority: trustme.CA) -> None:
    before = _served(daemon)
    certificate(daemon.directory, authority, "second.example")
    daemon.reload()
    second = until(lambda: (found := _served(daemon)) != before and found)
    write(daemon.directory / "cert.pem", "no certificate")
    assert "cert.pem" in daemon.reload(succeeds=False)
    assert _served(daemon) == second
    (worker,) = daemon.children()["worker"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: daemon.children()["worker"] not in ([], [worker]))
    assert _served(daemon) == second  # a new worker gets the accepted certificate, not what lies in the file
    certificate(daemon.directory, authority, "third.example")


def test_files_in_a_config_map_are_read_when_its_link_is_swapped(
    start: Callable[..., Daemon], tmp_path: Path, upstreams: tuple[Upstream, Upstream]
) -> None:
    mount = tmp_path / "mount"
    daemon = Reloading(tmp_path, {"reload": {"watch": True}, "upstreams": {"public": {"servers": [upstreams[0].uri]}}})

    def publish(version: str, **sections: Any) -> None:  # noqa: ANN401 - sections of a configuration
        """Publish the files of a ConfigMap as the kubelet does: in a new folder, to which a link is swapped."""
        (mount / version).mkdir(parents=True)
        zones = {"files": ["./*.zone"], **sections.pop("zones", {})}
        (mount / version / "pldns.yaml").write_text(yaml.safe_dump({**daemon.config, "zones": zones, **sections}))
        for number in range(int(version[-1])):
            name = f"z{number}"
            (mount / version / f"{name}.zone").write_text(ZONE.format(f"10.0.0.{number}").replace("corp", name))
        (mount / "..tmp").symlink_to(version)
        (mount / "..tmp").rename(mount / "..data")
        for file in (mount / version).iterdir():
            if not (mount / file.name).is_symlink():
                (mount / file.name).symlink_to(f"..data/{file.name}")

    daemon.config["state"] = {"directory": str(tmp_path / "state")}
    publish("..1")
    daemon.path = mount / "pldns.yaml"
    daemon.command[-1] = str(daemon.path)
    daemon.start().ready()
    try:
        assert daemon.addresses("www.example") == {"192.0.2.1"}
        publish("..2", zones={"private_only": ["example"]})
        until(lambda: daemon.ask("www.example").rcode() == dns.rcode.NXDOMAIN)
        publish("..3", zones={"nonsense": 1})
        until(lambda: (daemon.last["last_reload"] or {}).get("outcome") == "refused")
        assert daemon.ask("www.example").rcode() == dns.rcode.NXDOMAIN
        until(lambda: daemon.addresses("www.z2.example") == {"10.0.0.2"})  # without a reload
    finally:
        daemon.stop()


SERVERS_OF_THE_SYSTEM = 'mount --bind "$1" /etc && shift && exec "$@"'


def test_a_reload_reads_the_name_servers_of_the_system_again(tmp_path: Path) -> None:
    """Without servers for public names, those in /etc/resolv.conf are asked, also after another program replaced it."""
    etc = tmp_path / "etc"
    etc.mkdir(mode=0o755)
    for name in ("passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache"):
        if (file := Path("/etc", name)).exists():
            (etc / name).write_bytes(file.read_bytes())
    write(etc / "resolv.conf", "nameserver 192.0.2.1\n")
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*namespace, "mount", "--bind", etc, "/etc"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    daemon = Reloading(tmp_path, {"upstreams": {}})
    daemon.command = [*namespace, "sh", "-c", SERVERS_OF_THE_SYSTEM, "sh", str(etc), *daemon.command]

    def asked() -> set[str]:
        return {item["server"] for item in daemon.get("/v1/upstreams")[1]["items"]}

    daemon.start().ready()
    try:
        assert asked() == {"udp://192.0.2.1:53"}
        write(etc / "resolv.conf", "nameserver 192.0.2.2\nnameserver 192.0.2.3\n")
        assert "is in effect" in daemon.reload()
        until(lambda: asked() == {"udp://192.0.2.2:53", "udp://192.0.2.3:53"})
    finally:
        daemon.stop()
    assert "Traceback" not in daemon.log.read_text()
