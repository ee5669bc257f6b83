"""A real Prometheus scrapes a daemon: every query of the dashboard and of the alerts is valid and finds data."""

import json
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from resolver.admin.metric_table import METRICS, PREFIX
from tests.live.daemon import Daemon, until
from tests.paths import ROOT
from tests.peers import tool
from tests.ports import free_port

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "pldns.json"
WITHOUT_DATA = {"sync_total": "a source of files has no syncs"}
"""Metrics that this daemon does not have, and why."""

Query = Callable[[str], list[Any]]


class Upstream:
    """An upstream server that gives every name one address."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while packet := self._socket.recvfrom(4096):
            if not packet[0]:
                return
            query = dns.message.from_wire(packet[0])
            reply = dns.message.make_response(query)
            if query.question[0].rdtype == dns.rdatatype.A:
                reply.answer.append(dns.rrset.from_text(query.question[0].name, 0, "IN", "A", "192.0.2.1"))
            self._socket.sendto(reply.to_wire(), packet[1])

    def close(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


def dashboard_queries() -> list[str]:
    """Return the queries of all panels, as Grafana sends them with the variables filled in."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [each.replace("$__rate_interval", "5s").replace("$instance", ".*") for each in found]


def alert_queries() -> list[str]:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    return [rule["expr"] for rule in rules]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with endpoints, a finding and an upstream server. Not started."""
    folder = tmp_path_factory.mktemp("scraped")
    endpoint = {"name": "one", "target": "acct1", "group": "blob", "records": [
        {"fqdn": "acct1.blob.core.windows.net", "ips": ["10.0.0.4"]}]}  # fmt: skip
    pending = {**endpoint, "name": "two", "state": "Pending"}
    (folder / "endpoints.json").write_text(json.dumps({"endpoints": [endpoint, pending]}))
    source = {"name": "estate", "type": "files", "path": "./endpoints.json"}
    with closing(Upstream()) as upstream:
        servers = {"public": {"servers": [f"udp://127.0.0.1:{upstream.port}"]}}
        yield Daemon(folder, {"sources": [source], "upstreams": servers})


@pytest.fixture(scope="module")
def query(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """The function that sends a query to a Prometheus that scrapes the daemon. It scrapes 5 s after its start."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    target = {"job_name": "pldns", "static_configs": [{"targets": [f"127.0.0.1:{daemon.admin}"]}]}
    config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": [target]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    options = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}")  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([tool("prometheus"), *options], stdout=log, stderr=log)
    try:
        yield lambda text: answer(port, text)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def scraped(daemon: Daemon, query: Query) -> Iterator[Daemon]:
    """The daemon, ready. Prometheus was started first, because it takes longer."""
    assert not query("up")
    try:
        yield daemon.start().ready()
    finally:
        daemon.stop()


def answer(port: int, text: str) -> list[Any]:
    """Return the result of an instant query; nothing while Prometheus starts. Raises for an invalid one."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return list(json.loads(reply.read())["data"]["result"])
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return []
        raise AssertionError(f"{text}: {error.read().decode()}") from None
    except OSError:
        return []


def ask_all(daemon: Daemon) -> None:
    for name, rtype in (
        ("acct1.blob.core.windows.net", "A"),
        ("nope.privatelink.blob.core.windows.net", "A"),
        ("a.example", "AAAA"),
    ):
        daemon.ask(name, rtype)
    daemon.ask("acct1.blob.core.windows.net", tcp=True)


def explained(text: str) -> bool:
    return any(f"{PREFIX}{name}{{" in text for name in WITHOUT_DATA)


def test_queries_name_metrics_that_exist() -> None:
    names = {f"{PREFIX}{metric.name}" for metric in METRICS}
    for text in (*dashboard_queries(), *alert_queries()):
        for name in re.findall(r"\bpldns_[a-z_]+", text):
            assert re.sub(r"_bucket$", "", name) in names, text


def test_the_text_passes_the_checks_of_prometheus(scraped: Daemon) -> None:
    ask_all(scraped)
    text = str(scraped.get("/metrics")[1])
    assert {family.name for family in plain(text)} >= {"pldns_dns_requests", "pldns_build_info"}
    ran = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    connection = HTTPConnection("127.0.0.1", scraped.admin)
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with closing(connection), connection.getresponse() as reply:
        assert {family.name for family in openmetrics(reply.read().decode())} >= {"pldns_dns_requests"}  # type: ignore[no-untyped-call]


def test_each_process_has_its_memory_cpu_and_descriptors(scraped: Daemon) -> None:
    families = {family.name: family for family in plain(str(scraped.get("/metrics")[1]))}
    for name in (
        "process_resident_memory_bytes",
        "process_cpu_seconds",
        "process_max_fds",
        "process_start_time_seconds",
    ):
        samples = {sample.labels["process"]: sample.value for sample in families[PREFIX + name].samples}
        assert samples.keys() == {"supervisor", "control", "worker 0"}
        assert all(value > 0 for value in samples.values()), name


@pytest.mark.parametrize(
    "arguments", [("check", "rules", str(ALERTS)), ("test", "rules", "tests/data/alerts_test.yaml")]
)
def test_the_alerts_pass_their_tests(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run([tool("promtool"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_has_a_test_that_fires_and_one_that_does_not() -> None:
    names = {rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]}
    tests = yaml.safe_load(Path(ROOT / "tests" / "data" / "alerts_test.yaml").read_text())["tests"]
    tried = [each for test in tests for each in test["alert_rule_test"]]
    assert {each["alertname"] for each in tried if each.get("exp_alerts")} == names
    assert {each["alertname"] for each in tried if not each.get("exp_alerts")} == names


def test_every_query_of_the_dashboard_finds_data(scraped: Daemon, query: Query) -> None:
    wanted = dashboard_queries()
    assert len(wanted) > 25

    missing = [text for text in wanted if not explained(text)]

    def all_found() -> bool:
        """Return whether each query has found data. One that has is not asked again."""
        ask_all(scraped)
        while missing and query(missing[0]):
            missing.pop(0)
        return not missing

    until(all_found)
    for text in alert_queries():
        query(text)
