"""Names that a sibling shows to be an upstream's: the same question as a walk gives, and a walk for all others."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from resolver.wire.query import Query, parse
from resolver.worker.answer.outside_names import OutsideNames
from resolver.worker.answer.walk import UpstreamQuestion
from zones.clocks import SteadyTime
from zones.dns import zonefile
from zones.networks.prefixes import NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]
Ask = Callable[..., bytes]
HERE, OTHER = NetworkIndex(0), NetworkIndex(1)
ESTATE = """
endpoints:
- {name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}
- {name: two, group: sites, records: [{fqdn: app.corp.test, ips: [10.1.0.5]}]}
"""
CONFIG = """
sources: [{name: e, type: files, path: ./e}]
zones: {files: [z.zone], private_only: [intern.example]}
dns: {drop: {names: [bad.example]}}
upstreams: {onprem: {suffixes: [far.example]}}
"""
ZONE = "$ORIGIN file.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\nwww A 10.0.0.1\n"


@pytest.fixture
def pipeline(build: Build) -> "Pipeline":
    return build(CONFIG, {"e/a.yaml": ESTATE, "z.zone": ZONE}, {"public": "", "onprem far.example": ""})


def outside(pipeline: "Pipeline") -> OutsideNames:
    return pipeline.responder._outside


def walked(pipeline: "Pipeline", query: Query, network: NetworkIndex = HERE) -> UpstreamQuestion | None:
    answer = pipeline.engine.answer(query, network, SteadyTime(pipeline.now), {})
    return answer if isinstance(answer, UpstreamQuestion) else None


def taught(pipeline: "Pipeline", ask: Ask, name: str, rtype: str = "A") -> None:
    """Let a walk find out about a name."""
    query = parse(ask(name, rtype))
    question = walked(pipeline, query)
    assert question
    outside(pipeline).question(query, HERE)
    outside(pipeline).learn(query, HERE, question)


NAMES = [
    "b.example", "B.Example", "deep.b.example", "bad.example", "intern.example", "far.example", "file.example",
    "localhost", "a.localhost", "example", "x.blob.core.windows.net", "acct.blob.core.windows.net",
    "x.privatelink.blob.core.windows.net", "app.corp.test", "b.corp.test", "health.pldns", "use-application-dns.net",
    "1.0.0.10.in-addr.arpa", "resolver.arpa", "www.file.example", "www.far.example", "x.www.file.example", "b.test",
    "b.free.net",
]  # fmt: skip


@pytest.mark.parametrize(
    "first",
    ["a.example", "a.free.net", "z.net", "z.test", "z.corp.test", "z.arpa", "z.far.example", "z.core.windows.net"],
)
@pytest.mark.parametrize("options", [(), ("norec",), ("cd",), ("do",)])
def test_whatever_was_learnt_a_question_is_the_one_of_a_walk(
    pipeline: "Pipeline", ask: Ask, first: str, options: tuple[str, ...]
) -> None:
    taught(pipeline, ask, first)
    for name in NAMES:
        for rtype in ("A", "AAAA", "TXT"):
            query = parse(ask(name, rtype, *options))
            found = outside(pipeline).question(query, HERE)
            assert found is None or found == walked(pipeline, query), name


def test_a_sibling_needs_no_walk(pipeline: "Pipeline", ask: Ask) -> None:
    taught(pipeline, ask, "a.free.net")
    question = outside(pipeline).question(parse(ask("b.free.net")), HERE)
    assert question
    assert question == walked(pipeline, parse(ask("b.free.net")))
    assert outside(pipeline).question(parse(ask("b.free.net")), OTHER) is None, "another network may have endpoints"
    assert outside(pipeline).question(parse(ask("b.free.net", "AAAA")), HERE) is None


def test_a_change_of_any_name_makes_walks_again(pipeline: "Pipeline", ask: Ask) -> None:
    taught(pipeline, ask, "a.free.net")
    made = zonefile.parse("$ORIGIN b.free.net.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ A 10.0.0.9\n", "z")
    for name, rrsets in made.names.items():
        touched = pipeline.table.apply_static(made.origin, name, rrsets, is_open=False)
        pipeline.answers.evict(touched.names, touched.subtrees)
    assert outside(pipeline).question(parse(ask("b.free.net")), HERE) is None
    assert walked(pipeline, parse(ask("b.free.net"))) is None


def test_what_the_cache_has_needs_a_walk(pipeline: "Pipeline", ask: Ask) -> None:
    taught(pipeline, ask, "a.free.net")
    query = parse(ask("b.free.net"))
    question = outside(pipeline).question(query, HERE)
    assert question
    pipeline.reply(ask("b.free.net"))  # its failure is cached
    assert outside(pipeline).question(query, HERE) is None


def test_nothing_is_learnt_about_names_beside_something_that_is_held(pipeline: "Pipeline", ask: Ask) -> None:
    for name in ("z.privatelink.blob.core.windows.net", "z.blob.core.windows.net"):
        question = walked(pipeline, parse(ask(name)))
        if question:
            outside(pipeline).learn(parse(ask(name)), HERE, question)
        assert outside(pipeline).question(parse(ask(f"y{name}")), HERE) is None
