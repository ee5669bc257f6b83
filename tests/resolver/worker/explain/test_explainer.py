"""Traces: their rows, steps and cache states. `tests/test_scenarios.py` compares each with the reply on the wire."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dns.message
import pytest

from resolver.channel.trace import Access, CacheState, Route, Row, ServerState, Trace
from resolver.host_port import HostPort
from resolver.worker.explain.explainer import ExplainedQuery, explain
from tests.conftest import query
from zones.dns.name import Name, to_text

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]
SETTINGS = """
sources: [{name: estate, type: files, path: ./endpoints}]
networks: [{name: east, clients: [127.0.0.0/8]}, {name: west, clients: [10.2.0.0/16], reach: [/subscriptions/s]}]
dns: {drop: {clients: [10.66.0.0/16], names: [ads.example]}}
zones:
  files: [./corp.zone]
  private_only: [only.example]
  overrides: {privatelink.queue.core.windows.net: {on_miss: "forward:onprem"}}
"""
FILES = {
    "endpoints/a.yaml": "endpoints: [{name: one, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}]",
    "corp.zone": (
        "$ORIGIN corp.test.\n$TTL 60\n@ SOA ns h 1 2 3 4 30\n@ NS ns\nfiles CNAME acct.blob.core.windows.net.\n"
        "* A 192.0.2.9\n"
    ),
}
UPSTREAMS = {"public": "www.example 60 A 192.0.2.80\n!ad", "onprem host.test": "a.host.test 60 A 192.0.2.1"}


@pytest.fixture
def pldns(build: Build) -> "Pipeline":
    return build(SETTINGS, FILES, UPSTREAMS)


def rows(trace: Trace) -> list[str]:
    return [f"{to_text(step.name)}: {step.row}" for step in trace.steps]


def test_a_chain_has_a_step_for_each_name(pldns: "Pipeline") -> None:
    trace = pldns.explain(query("files.corp.test"))
    assert rows(trace) == [
        "files.corp.test: zone file", "acct.blob.core.windows.net: endpoint alias",
        "acct.privatelink.blob.core.windows.net: endpoint address",
    ]  # fmt: skip
    assert [to_text(step.zones[0]) if step.zones else "" for step in trace.steps] == [
        "corp.test", "", "privatelink.blob.core.windows.net",
    ]  # fmt: skip
    assert trace.network == "east"
    assert trace.message is not None


@pytest.mark.parametrize(
    ("name", "rtype", "client", "row"),
    [
        ("acct.blob.core.windows.net", "TXT", "127.0.0.1", Row.ALIAS),
        ("acct.privatelink.blob.core.windows.net", "TXT", "127.0.0.1", Row.OTHER_TYPES),
        ("x.corp.test", "A", "127.0.0.1", Row.REST_OF_ZONE_FILE),
        ("4.0.1.10.in-addr.arpa", "PTR", "127.0.0.1", Row.POINTER),
        ("x.ads.example", "A", "127.0.0.1", Row.DROPPED),
        ("x.only.example", "A", "127.0.0.1", Row.PRIVATE_ONLY),
        ("localhost", "A", "127.0.0.1", Row.SPECIAL),
        ("www.example", "AXFR", "127.0.0.1", Row.EARLY),
        ("www.example", "A", "192.0.2.1", Row.ACCESS),
        ("x.privatelink.queue.core.windows.net", "A", "127.0.0.1", Row.MISS_POLICY),
        ("www.example", "A", "127.0.0.1", Row.UPSTREAM),
    ],
)
def test_every_step_names_its_row_of_the_table(pldns: "Pipeline", name: str, rtype: str, client: str, row: Row) -> None:
    trace = pldns.explain(query(name, rtype), client)
    assert (trace.steps[0].row if trace.steps else trace.row) is row


def test_a_client_that_is_dropped_gets_no_reply(pldns: "Pipeline") -> None:
    trace = pldns.explain(query("www.example"), "10.66.0.1")
    assert (trace.access, trace.row, trace.message) == (Access.DROPPED, Row.ACCESS, None)


def test_the_group_that_would_be_asked_is_named_with_the_reason(pldns: "Pipeline") -> None:
    routes = {
        "x.privatelink.queue.core.windows.net": ("onprem", Route.POLICY, b""),
        "a.host.test": ("onprem", Route.SUFFIX, b"\4host\4test\0"),
        "www.example": ("public", Route.DEFAULT, b""),
    }
    for name, expected in routes.items():
        use = pldns.explain(query(name)).steps[-1].upstream
        assert use is not None
        assert (use.group, use.route, use.suffix) == expected
        assert (use.state, use.asked, use.rcode) == (CacheState.MISS, False, None)
    assert [each.asked for each in pldns.upstreams.values()] == [[], []]


def test_the_state_of_the_cache_is_told(pldns: "Pipeline") -> None:
    def state(name: str) -> tuple[CacheState, float, float]:
        use = pldns.explain(query(name)).steps[-1].upstream
        assert use is not None
        return use.state, round(use.age), round(use.left)

    pldns.ask("www.example")
    pldns.now += 20
    assert state("www.example") == (CacheState.HIT, 20, 40)
    pldns.now += 60
    assert state("www.example") == (CacheState.EXPIRED, 80, -20)
    pldns.upstreams["public"].__init__("!silent www.example\n!silent gone.example")  # type: ignore[misc]
    pldns.ask("www.example")
    pldns.ask("gone.example")
    assert state("www.example") == (CacheState.STALE, 80, -20)
    assert state("gone.example") == (CacheState.FAILED, 0, 5)


def test_a_compiled_answer_is_what_clients_get(pldns: "Pipeline") -> None:
    """Also when the reply that it was made from has left the cache."""
    packet = query("www.example")
    reply = pldns.reply(packet)
    pldns.cache.flush(Name(b"\0"), subtree=True)
    trace = pldns.explain(packet)
    assert trace.message == reply
    assert trace.kept is not None
    assert (trace.kept.age, trace.kept.left) == (0, 60)


def test_a_rotating_answer_does_not_take_its_turn(build: Build) -> None:
    estate = "endpoints: [{name: one, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4, 10.1.0.5]}]}]"
    settings = SETTINGS.replace("dns: {", "dns: {rotate: true, ")
    pldns = build(settings, {**FILES, "endpoints/a.yaml": estate}, UPSTREAMS)
    packet = query("acct.privatelink.blob.core.windows.net")
    pldns.reply(packet)
    for _ in range(3):
        assert pldns.explain(packet).message == pldns.reply(packet)


def test_upstream_servers_are_asked_on_request_only(pldns: "Pipeline") -> None:
    traces: list[Trace] = []
    servers = (ServerState("udp://192.0.2.1:53", up=True, round_trip=0.01),)
    before = list(pldns.counters.values())
    asked = ExplainedQuery(query("www.example"), b"\x7f\0\0\1")
    explain(pldns.parts, asked, lambda _: servers, traces.append, lambda key, done, _: done(key, pldns.exchanged(key)))
    (trace,) = traces
    use = trace.steps[-1].upstream
    assert use is not None
    assert (use.asked, use.state, use.servers) == (True, CacheState.HIT, servers)
    assert trace.message is not None
    assert dns.message.from_wire(trace.message).answer[0].to_text() == "www.example. 60 IN A 192.0.2.80"
    assert (list(pldns.counters.values()), len(pldns.cache), len(pldns.answers)) == (before, 0, 0)


def test_a_listener_may_decide_the_network(build: Build) -> None:
    settings = SETTINGS.replace("dns: {", 'dns: {listen: ["127.0.0.1:5399"], listeners: {"127.0.0.1:5399": west}, ')
    pldns, at = build(settings, FILES, UPSTREAMS), HostPort("127.0.0.1", 5399)
    traces: list[Trace] = []
    for listener in (None, at):
        asked = ExplainedQuery(query("acct.blob.core.windows.net"), b"\x7f\0\0\1", "tcp", listener)
        explain(pldns.parts, asked, lambda _: (), traces.append)
    assert [trace.network for trace in traces] == ["east", "west"]
