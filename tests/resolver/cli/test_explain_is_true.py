"""What `pldns explain` says is what clients get, whatever happened before: with a daemon, and from what it saved."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import dns.message
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from resolver.admin.resources.explanation import Asked, Explanation, Origin, explanation
from resolver.admin.resources.question import question
from resolver.admin.resources.replies import reply
from resolver.channel.trace import CacheState
from resolver.cli.offline_explanation import explanations
from resolver.config import file as config
from resolver.control.estate.provenance import Standing
from resolver.control.estate.saved_inventory import pieces_of
from resolver.control.guard.sync_state import SyncDecision, SyncState
from resolver.control.state import decisions_file, inventory_file
from resolver.control.state.decisions_file import Decisions
from resolver.settings import Accepted
from resolver.worker.access.clients import packed
from tests.conftest import FakeUpstream, Pipeline, world
from zones.azure import arm
from zones.azure.resource import Resources
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import ROOT
from zones.dns.parsed_zones import ParsedZones

VNET: Final = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks"
SETTINGS: Final = f"""
sources:
  - {{name: cloud, type: azure, guard: off}}
  - {{name: estate, type: files, path: ./endpoints, guard: off}}
networks:
  - {{name: weu, clients: [127.0.1.0/24], vnets: [{VNET}/weu], reach: [{VNET}/neu, {VNET}/mid]}}
  - {{name: neu, clients: [127.0.2.0/24], vnets: [{VNET}/neu], except: [b.blob.core.windows.net]}}
dns: {{allow: [127.0.1.0/24, 127.0.2.0/24, 127.0.3.0/24]}}
zones:
  files: [./corp.zone]
  overrides: {{privatelink.vaultcore.azure.net: {{on_miss: nxdomain}}}}
conflicts:
  pins: [{{name: b.blob.core.windows.net, endpoint: e2-one, reason: moving}}]
  policies: {{refused.blob.core.windows.net: refuse, merged.blob.core.windows.net: merge}}
"""
FILES: Final = {
    "endpoints/a.yaml": "endpoints: [{name: fixed, records: [{fqdn: a.blob.core.windows.net, ips: [10.9.0.4]}]}]",
    "corp.zone": (
        "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 30\nalias CNAME a.blob.core.windows.net.\n"
        "held A 192.168.0.1\n*.any A 192.168.0.2\n"
    ),
}
UPSTREAM: Final = """
*. 60 A 192.0.2.80
files.example. 60 CNAME b.blob.core.windows.net.
b.blob.core.windows.net. 60 CNAME b.privatelink.blob.core.windows.net.
kv.vault.azure.net. 60 CNAME kv.privatelink.vaultcore.azure.net.
"""
NAMES: Final = (
    "a.blob.core.windows.net", "b.blob.core.windows.net", "refused.blob.core.windows.net",
    "merged.blob.core.windows.net", "kv.vault.azure.net", "*.env.azurewebsites.net", "x.env.azurewebsites.net",
    "db.partner.example", "held.corp.example", "x.any.corp.example",
)  # fmt: skip
"""FQDNs of endpoints."""
QUESTIONS: Final = [
    (name.replace("*", "y"), rtype)
    for name, rtype in (
        *((name, "A") for name in NAMES), ("a.blob.core.windows.net", "AAAA"), ("alias.corp.example", "A"),
        ("files.example", "A"), ("a.privatelink.blob.core.windows.net", "A"),
        ("z.privatelink.vaultcore.azure.net", "A"), ("4.0.0.10.in-addr.arpa", "PTR"),
        ("www.example", "A"), ("localhost", "A"), ("db.partner.example", "MX"),
    )
]  # fmt: skip
Query = tuple[tuple[str, str], str]
"""A name and a type, and the address of a client."""
CLIENTS: Final = ("127.0.1.5", "127.0.2.5", "127.0.3.5", "127.0.4.5")

queries = st.tuples(st.sampled_from(QUESTIONS[:4]) | st.sampled_from(QUESTIONS), st.sampled_from(CLIENTS))
endpoints = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["e1", "e2", "e3"]),
        "state": st.sampled_from(["Approved", "Approved", "Approved", "Pending"]),
        "vnet": st.sampled_from([f"{VNET}/{name}" for name in ("weu", "neu", "mid")]),
        "fqdn": st.sampled_from(NAMES[:4]) | st.sampled_from(NAMES),
        "ips": st.sampled_from([["10.0.0.4"], ["10.0.0.5"], ["10.0.0.6", "10.0.0.7"]]),
    }
)
events: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(
        st.just("sync"),
        st.sampled_from(["one", "two"]),
        st.lists(endpoints, min_size=1, max_size=3, unique_by=lambda each: str(each["name"])),
    ),
    st.tuples(st.just("sync"), st.sampled_from(["one", "two"]), st.just([])),
    st.tuples(st.just("advance"), st.sampled_from([1.0, 200.0, 1_000.0])),
    st.tuples(st.just("ask"), queries),
    st.tuples(
        st.just("pin"),
        st.sampled_from(NAMES[:4]),
        st.sampled_from(["e1-one", "e3-two", "fixed"]),
        st.sampled_from([None, "weu"]),
        st.sampled_from([None, 100.0]),
    ),
    st.tuples(st.just("write"), st.sampled_from(["10.9.0.4", "10.9.0.5"])),
)


@pytest.fixture(scope="module")
def accepted() -> Iterator[Accepted]:
    """A configuration, accepted once."""
    with tempfile.TemporaryDirectory() as folder:
        upstreams = {"public": ("udp://127.0.0.1:9",)}
        state = f"{SETTINGS}state: {{directory: {folder}/state}}\n"
        Path(folder, "state").mkdir()
        yield config.load(world(Path(folder), state, FILES, upstreams), {})


def asked(query: Query) -> Asked:
    (name, rtype), client = query
    return Asked(question(name, rtype), packed(client), "udp", None)


def given_resources(part: str, items: list[dict[str, Any]]) -> Resources:
    body = [
        {
            "name": f"{each['name']}-{part}", "state": each["state"], "vnet": each["vnet"], "target": each["ips"][0],
            "group": "blob",
            "records": [{"fqdn": each["fqdn"], "ips": each["ips"]}],
        }
        for each in items
    ]  # fmt: skip
    found = arm.read(msgspec.json.encode({"endpoints": body}), part, form="json")
    assert not found.faults
    return found


class Story:
    """A daemon without processes, to which things happen."""

    def __init__(self, accepted: Accepted) -> None:
        self._accepted = accepted
        self._folder = Path(accepted.path).parent
        self.write("10.9.0.4")
        upstream = FakeUpstream(UPSTREAM)
        self.pldns = Pipeline(accepted, {"public": upstream}, {9: upstream})
        self.pldns.now = 1_800_000_000.0
        self.pldns.start()

    @property
    def _now(self) -> WallTime:
        return WallTime(self.pldns.now)

    def write(self, address: str) -> None:
        """Write the file of the source `estate`, which is read at the end at the latest."""
        text = FILES["endpoints/a.yaml"].replace("10.9.0.4", address)
        (self._folder / "endpoints/a.yaml").write_text(text)

    def sync(self, part: str, given: list[dict[str, Any]]) -> None:
        """Let a subscription of the source `cloud` have exactly these endpoints. Those that go linger."""
        decision = SyncDecision({part: given_resources(part, given)}, {}, {}, SyncState())
        self.pldns.apply(self.pldns.estate.take_sync("cloud", decision, self._now, self._now))

    def pin(self, name: str, endpoint: str, network: str | None, seconds: float | None) -> None:
        """Let an operator pin a name, instead of an earlier pin of an operator."""
        until = None if seconds is None else WallTime(self.pldns.now + seconds)
        pins = (Pin(name, endpoint, network, until, reason="because", by="user root (0)"),)
        self.pldns.apply(self.pldns.estate.set_operator_pins(pins, self._now))

    def advance(self, seconds: float) -> None:
        self.pldns.now += seconds
        changed = self.pldns.estate.expire(self._now) | self.pldns.estate.reconsider_pins(self._now)
        self.pldns.estate.health.update_freshness(self._now)
        self.pldns.apply(changed)

    def ask(self, query: Query) -> None:
        """Compare the explanation of a question with the reply of the wire, which may be a compiled answer."""
        found, packet = self.explain(query)
        upstream = self.pldns.upstreams["public"]
        upstream.asked.clear()
        wire = self.pldns.reply(packet, query[1])
        assert wire is not None
        got = reply(dns.message.from_wire(wire, one_rr_per_rrset=False))
        if found.answer is not None:
            assert found.answer == got
            assert not upstream.asked or found.kept
            _agrees(found)
        else:
            use = found.steps[-1].upstream
            assert use is not None
            assert upstream.asked[0] == f"{use.name} {use.type}"

    def explain(self, query: Query) -> tuple[Explanation, bytes]:
        """Return what the daemon explains, and the packet of the question."""
        wanted = asked(query)
        packet = wanted.question.message.to_wire()
        trace = self.pldns.explain(packet, query[1])
        return explanation(self._accepted, self.pldns.estate, wanted, trace, Origin(0), self._now), packet

    def offline(self, queries: list[Query]) -> Iterator[Explanation]:
        """Yield what is explained without the daemon, from what it saves now."""
        decisions = Decisions(pins=self.pldns.estate.operator_pins)
        decisions_file.write(self._accepted.control.state_directory, decisions)
        inventory_file.write(self._accepted.control.state_directory, pieces_of(self.pldns.estate, self._now))
        return explanations(self._accepted, map(asked, queries), self._now, ParsedZones())

    def end(self, queries: list[Query]) -> None:
        """Explain all questions from what the daemon has saved as the daemon does, without what only it can know."""
        self.pldns.scan()
        for query in queries:
            self.ask(query)
        self.pldns.cache.flush(ROOT, subtree=True)
        self.pldns.answers.clear()
        for query, found in zip(queries, self.offline(queries), strict=True):
            assert _comparable(found) == _comparable(self.explain(query)[0]), query


def _agrees(found: Explanation) -> None:
    """Check that the private addresses of an answer are those of the claims that won."""
    assert found.answer is not None
    answered = {line.split()[-1] for line in found.answer.answer if line.split()[3] == "A"}
    won = {
        address
        for step in found.steps
        for claim in step.claims
        if claim.standing is Standing.WON
        for address in claim.addresses
    }
    private = {address for address in answered if address.startswith("10.")}
    assert private <= won
    if found.type == "A" and found.answer.rcode == "NOERROR":
        assert private == won
    assert (found.network.name is None) == (found.client in CLIENTS[2:])
    for step in found.steps:
        assert step.upstream is None or step.upstream.state is CacheState.HIT


def _comparable(found: Explanation) -> dict[str, Any]:
    shown = found.model_dump(exclude={"worker": True, "saved": True})
    for step in shown["steps"]:
        if step["upstream"]:
            del step["upstream"]["servers"]
    return shown


@given(happening=st.lists(events, max_size=15), queries=st.lists(queries, min_size=5, max_size=10))
@hypothesis(max_examples=60, deadline=None)
def test_explain_says_what_clients_get(
    accepted: Accepted, happening: list[tuple[Any, ...]], queries: list[Query]
) -> None:
    story = Story(accepted)
    for what, *arguments in happening:
        getattr(story, what)(*arguments)
    story.end(queries)


def test_incumbents_and_lingering_claims_are_known_without_a_daemon(accepted: Accepted) -> None:
    story = Story(accepted)
    items = [
        {"name": name, "state": "Approved", "vnet": f"{VNET}/weu", "fqdn": NAMES[7], "ips": [address]}
        for name, address in (("e2", "10.0.0.5"), ("e1", "10.0.0.4"))
    ]
    kept = {"name": "e3", "state": "Approved", "vnet": f"{VNET}/weu", "fqdn": NAMES[4], "ips": ["10.0.0.6"]}
    story.sync("one", [items[0], kept])
    story.advance(1.0)
    story.sync("one", items)
    contested, removed = story.offline([((NAMES[7], "A"), CLIENTS[0]), ((NAMES[4], "A"), CLIENTS[0])])
    assert [(claim.endpoint, claim.why) for claim in contested.steps[0].claims] == [
        ("e1-one", "e2-one is the incumbent: it had the name before"),
        ("e2-one", "the incumbent: it had the name before e1-one"),
    ]
    (claim,) = removed.steps[0].claims
    assert (claim.standing, claim.lingers_until) == (Standing.WON, "2027-01-15T08:05:01.000Z")
