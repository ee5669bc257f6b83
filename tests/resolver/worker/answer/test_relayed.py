"""Addresses that are passed on as an upstream sent them: the same answer as a whole walk gives."""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rrset
import pytest

from resolver.forward.cache import Key
from resolver.wire import plain_reply, relay
from resolver.wire.plain_reply import PlainReply
from resolver.wire.query import parse
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.walk import UpstreamQuestion
from zones.clocks import SteadyTime
from zones.dns import record, zonefile
from zones.dns.name import from_text
from zones.networks.prefixes import NONE, NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]
KEY = Key("public", from_text("www.example"), record.A)
HERE, WAY = NetworkIndex(0), ClientTransport("udp", 1232)


def plain(*addresses: str, ttl: int = 60, ad: bool = False) -> PlainReply:
    message = dns.message.make_response(dns.message.make_query("www.example", "A"), recursion_available=True)
    message.flags |= dns.flags.AD if ad else 0
    message.answer.append(dns.rrset.from_text("www.example.", ttl, "IN", "A", *addresses))
    found = plain_reply.read(message.to_wire(), relay.question(KEY.name, KEY.type))
    assert found
    return found


def both(pipeline: "Pipeline", packet: bytes, reply: PlainReply) -> tuple[Compiled | None, Compiled]:
    """Return the answer that is passed on, and that of a walk."""
    query, now, engine = parse(packet), SteadyTime(pipeline.now), pipeline.engine
    question = engine.answer(query, HERE, now, {})
    assert isinstance(question, UpstreamQuestion)
    walked = engine.answer(query, HERE, now, {question.key: reply.message()})
    assert isinstance(walked, Compiled)
    return pipeline.responder._relayed.answer(query, HERE, now, question, reply), walked


@pytest.mark.parametrize("options", [(), ("noedns",), ("ad",), ("cd",), ("do",), ("noedns", "ad")])
def test_a_passed_on_answer_is_the_one_of_a_walk(
    build: Build, ask: Callable[..., bytes], options: tuple[str, ...]
) -> None:
    pipeline = build()
    for ttl, ad, addresses in product((60, 0, 86_400), (True, False), (("192.0.2.1",), ("192.0.2.1", "192.0.2.2"))):
        packet = ask("www.example", "A", *options)
        made, walked = both(pipeline, packet, plain(*addresses, ttl=ttl, ad=ad))
        assert made
        assert made.reply(packet) == walked.reply(packet)
        for name in (
            "ttls",
            "opt",
            "end",
            "deps",
            "cell",
            "born",
            "expires",
            "until",
            "expendable",
            "fallback",
            "prefetch",
        ):
            assert getattr(made, name) == getattr(walked, name), name
        assert made.cell is walked.cell


def test_private_addresses_of_a_guarded_group_need_a_walk(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build("upstreams: {public: {rebinding: {answers: strip}}}", {}, {"public": ""})
    made, walked = both(pipeline, ask("www.example"), plain("10.0.0.1"))
    assert made is None
    assert walked.ttls == ()
    assert both(pipeline, ask("www.example"), plain("192.0.2.1"))[0]


def test_rotating_addresses_and_long_ttls_need_a_walk(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build("dns: {rotate: true}")
    assert both(pipeline, ask("www.example"), plain("192.0.2.1", "192.0.2.2"))[0] is None
    assert both(pipeline, ask("www.example"), plain("192.0.2.1"))[0]
    assert both(pipeline, ask("www.example"), plain("192.0.2.1", ttl=86_401))[0] is None


def test_the_target_of_a_served_alias_and_a_fallback_need_a_walk(build: Build, ask: Callable[..., bytes]) -> None:
    zone = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\nw CNAME www.example.\n"
    estate = "endpoints: [{name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}]"
    pipeline = build(
        "zones: {files: [z.zone]}\nsources: [{name: e, type: files, path: ./e}]", {"z.zone": zone, "e/a.yaml": estate}
    )
    for name in ("w.corp.example", "none.privatelink.blob.core.windows.net"):
        question = pipeline.engine.answer(parse(ask(name)), HERE, SteadyTime(pipeline.now), {})
        assert isinstance(question, UpstreamQuestion)
        assert question.deps == ()


def test_an_endpoints_name_needs_a_walk_for_a_client_in_no_network(build: Build, ask: Callable[..., bytes]) -> None:
    """The answer carries a reason then. An endpoint that comes later changes the answers that were passed on."""
    estate = "endpoints: [{name: one, network: spoke, records: [{fqdn: db.partner.example, ips: [10.1.0.4]}]}]"
    spoke = "networks: [{name: spoke, clients: [10.0.0.0/8]}]\nsources: [{name: e, type: files, path: ./e}]"
    pipeline = build(spoke, {"e/a.yaml": estate})
    questions = [
        pipeline.engine.answer(parse(ask(f"{label}.partner.example")), NONE, SteadyTime(pipeline.now), {})
        for label in ("db", "www")
    ]
    endpoint, other = questions
    assert isinstance(endpoint, UpstreamQuestion)
    assert isinstance(other, UpstreamQuestion)
    assert endpoint.deps == ()
    assert {from_text("www.partner.example"), from_text("*.partner.example"), from_text("*.example")} <= {*other.deps}


def test_a_change_while_an_upstream_is_asked_makes_a_walk(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build()
    responder, packet = pipeline.responder, ask("www.example")
    held: list[Callable[..., None]] = []
    responder.fetcher._ask = lambda _key, done, _client: held.append(done)
    replies: list[bytes] = []
    for change in (False, True):
        pipeline.answers.clear()
        pipeline.cache.flush(KEY.name, subtree=False)
        assert responder.take(
            packet, pipeline.clients.peer(b"\x7f\0\0\1"), WAY, lambda octets, _: replies.append(octets)
        )
        if change:
            zone = "$ORIGIN www.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ A 10.0.0.9\n"
            pipeline_zone(pipeline, zone)
        held.pop()(KEY, plain("192.0.2.1"))
    answers = [dns.message.from_wire(octets).answer[0][0].to_text() for octets in replies]
    assert answers == ["192.0.2.1", "10.0.0.9"]


def pipeline_zone(pipeline: "Pipeline", text: str) -> None:
    made = zonefile.parse(text, "z")
    for name, rrsets in made.names.items():
        touched = pipeline.table.apply_static(made.origin, name, rrsets, is_open=False)
        pipeline.answers.evict(touched.names, touched.subtrees)


def test_clients_that_wait_for_one_reply_share_its_answer(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build()
    held: list[Callable[..., None]] = []
    pipeline.responder.fetcher._ask = lambda _key, done, _client: held.append(done)
    replies: list[bytes] = []
    for _ in range(3):
        client = pipeline.clients.peer(b"\x7f\0\0\1")
        pipeline.responder.take(ask("www.example"), client, WAY, lambda octets, _: replies.append(octets))
    reply = plain("192.0.2.1")
    for done in held:
        done(KEY, reply)
    assert len(set(replies)) == 1
    assert len(replies) == 3
    assert (len(pipeline.cache), len(pipeline.answers)) == (1, 1)
    assert pipeline.engine.hits == 2, "the first reply is no hit"
