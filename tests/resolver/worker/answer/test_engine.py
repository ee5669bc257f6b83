"""The engine: which names an answer depends on, how long it holds, and that it agrees with the table.

`tests/scenarios` has the decision table with an example of each row.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from resolver.forward.cache import Key, UpstreamFailure
from resolver.wire import codes
from resolver.wire.query import parse
from resolver.wire.relay import Message
from resolver.worker.answer.compiled import PAST, Compiled
from resolver.worker.answer.walk import UpstreamQuestion
from tests.resolver.forward.exchanges import other_key
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text
from zones.dns.record import CNAME, RRSIG, SOA, A, RRset
from zones.networks.prefixes import NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline
Build = Callable[..., "Pipeline"]
SOURCE = "sources: [{name: estate, type: files, path: ./endpoints}]"
ACCT = "{name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}"
ESTATE = {"endpoints/a.yaml": f"endpoints: [{ACCT}]"}


def compiled(
    pipeline: "Pipeline", packet: bytes, fetched: dict[Key, Message | UpstreamFailure] | None = None
) -> Compiled:
    answer = pipeline.engine.answer(parse(packet), NetworkIndex(0), SteadyTime(pipeline.now), fetched or {})
    assert isinstance(answer, Compiled)
    return answer


def reply(*answer: RRset, rcode: int = 0, authority: tuple[RRset, ...] = ()) -> Message:
    return Message(rcode, aa=False, ad=False, ra=True, tc=False, answer=answer, authority=authority)


def names(*texts: str) -> set[Name]:
    return {from_text(text) for text in texts}


# -- what an answer depends on, and how long it lives


def test_an_answer_depends_on_every_owner_in_its_chain(build: Build, ask: Callable[..., bytes]) -> None:
    chain = "files.example 60 CNAME www.files.example\nwww.files.example 60 CNAME acct.blob.core.windows.net"
    pipeline = build(SOURCE, ESTATE, {"public": chain})
    pipeline.reply(ask("files.example"))
    answer = next(iter(pipeline.answers))
    assert set(answer.deps) >= names(
        "files.example", "www.files.example", "acct.blob.core.windows.net", "acct.privatelink.blob.core.windows.net"
    )
    assert len(answer.deps) == len(set(answer.deps))


def test_a_zone_files_record_evicts_the_answer_of_an_endpoint_at_the_same_name(build: Build) -> None:
    pipeline = build(SOURCE, ESTATE)
    assert pipeline.ask("acct.blob.core.windows.net").answer[0].rdtype == CNAME
    apex = from_text("blob.core.windows.net")
    soa = RRset(apex, SOA, 60, (b"\0\0" + bytes(20),))
    name = from_text("acct.blob.core.windows.net")
    for origin, owner, rrsets in ((apex, apex, (soa,)), (apex, name, (RRset(name, A, 60, (bytes(4),)),))):
        touched = pipeline.table.apply_static(origin, owner, rrsets, is_open=False)
        pipeline.answers.evict(touched.names, touched.subtrees)
        pipeline.ask("acct.blob.core.windows.net")
    assert [rrset.rdtype for rrset in pipeline.ask("acct.blob.core.windows.net").answer] == [A]


def test_fallbacks_and_questions_of_unusual_types_are_expendable(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build(SOURCE, ESTATE, {"public": "*. 60 A 192.0.2.1\n*. 60 CAA 0 issue x"})

    def expendable(*arguments: str) -> bool:
        pipeline.answers.clear()
        pipeline.reply(ask(*arguments))
        (answer,) = pipeline.answers
        return answer.expendable

    assert not expendable("acct.blob.core.windows.net")
    assert not expendable("acct.blob.core.windows.net", "HTTPS")
    assert not expendable("www.example")
    assert expendable("acct.blob.core.windows.net", "TYPE65280")
    assert expendable("www.example", "CAA")
    assert expendable("x.privatelink.blob.core.windows.net")
    assert expendable("a.localhost")
    assert expendable("www.example", "AXFR")
    assert expendable("www.example", "A", "class=ANY")


def test_an_upstreams_nxdomain_and_an_answer_below_a_dname_are_expendable(
    build: Build, ask: Callable[..., bytes]
) -> None:
    """Clients can invent names with such answers without end."""
    zone = "$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\nold 60 DNAME new\nx.new 60 A 10.0.0.1\n"
    pipeline = build("zones: {files: [z.zone]}", {"z.zone": zone}, {"public": "www.example 60 A 192.0.2.1"})
    for name, expendable in (
        ("none.example", True), ("x.old.corp.example", True), ("x.new.corp.example", False), ("www.example", False),
    ):  # fmt: skip
        pipeline.answers.clear()
        pipeline.reply(ask(name))
        (answer,) = pipeline.answers
        assert answer.expendable == expendable, name


def test_answers_to_one_query_only_are_not_cached(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build("", {}, {"public": "!servfail broken.example\n!nosoa nosoa.example\nzero.example 0 A 192.0.2.1"})
    for arguments in (("broken.example",), ("nosoa.example",), ("zero.example",), ("other.example", "A", "norec")):
        pipeline.reply(ask(*arguments))
    assert len(pipeline.answers) == 0


def test_a_fetched_answer_that_is_not_cached_is_used_and_not_kept(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build()
    key = Key("public", from_text("www.example"), A)
    question = pipeline.engine.answer(parse(ask("www.example")), NetworkIndex(0), SteadyTime(pipeline.now), {})
    assert isinstance(question, UpstreamQuestion)
    assert question.key == key
    zero = RRset(from_text("www.example"), A, 0, (bytes(4),))
    answer = compiled(pipeline, ask("www.example"), {key: reply(zero)})
    assert answer.until == PAST
    assert answer.expires <= pipeline.now


def test_an_answer_expires_with_the_reply_that_it_was_made_from(build: Build, ask: Callable[..., bytes]) -> None:
    """TTLs count in whole seconds, expiry does not."""
    pipeline = build("", {}, {"public": "www.example 10 A 192.0.2.1"})
    pipeline.reply(ask("www.example"))
    pipeline.now += 9.9
    answer = compiled(pipeline, ask("www.example", "A", "noedns"))
    assert answer.expires == 1010.0


def test_an_answer_depends_on_the_targets_whose_addresses_it_has(build: Build, ask: Callable[..., bytes]) -> None:
    zone = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ MX 1 mail\n@ MX 2 acct.blob.core.windows.net.\n"
    pipeline = build(SOURCE + "\nzones: {files: [z.zone]}", ESTATE | {"z.zone": zone})
    assert [rrset.rdtype for rrset in pipeline.ask("corp.example", "MX").additional] == [CNAME, A]
    origin, mail = from_text("corp.example"), from_text("mail.corp.example")
    touched = pipeline.table.apply_static(origin, mail, (RRset(mail, A, 60, (bytes(4),)),), is_open=False)
    assert pipeline.answers.evict(touched.names, touched.subtrees) == 1
    assert [rrset.rdtype for rrset in pipeline.ask("corp.example", "MX").additional] == [A, CNAME, A]
    private = from_text("acct.privatelink.blob.core.windows.net")
    pipeline.answers.evict(pipeline.table.apply(private, b"").names)
    assert [rrset.rdtype for rrset in pipeline.ask("corp.example", "MX").additional] == [A]


# -- upstreams


@pytest.mark.parametrize("rcode", [codes.FORMERR, codes.SERVFAIL, codes.NOTIMP, codes.REFUSED, 9, codes.BADVERS, 23])
def test_an_upstreams_error_is_a_servfail(
    build: Build, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message], rcode: int
) -> None:
    pipeline = build()
    key = Key("public", from_text("www.example"), A)
    packet = ask("www.example")
    answer = compiled(pipeline, packet, {key: reply(rcode=rcode)})
    message = decode(packet[:2] + answer.head + packet[12:-11] + answer.current)
    assert message.rcode() == dns.rcode.SERVFAIL
    assert [o.to_text() for o in message.options] == [
        f"EDE 22 (No Reachable Authority): the upstream answered {codes.rcode_text(rcode)}"
    ]


def test_proofs_go_to_clients_that_validate_and_to_no_others(build: Build) -> None:
    data = "www.example 60 A 192.0.2.1\nexample 60 SOA a. b. 1 2 3 4 60"
    pipeline = build("", {}, {"public": data})
    key, name = Key("public", from_text("a.example"), A, True), from_text("a.example")  # noqa: FBT003 - the field is `do`
    nsec = RRset(from_text("example"), codes.NSEC, 60, (from_text("www.example") + b"\0\1\x40",))
    positive = reply(RRset(name, A, 60, (bytes(4),)), authority=(nsec,))
    pipeline.cache.put(key, positive, SteadyTime(pipeline.now))
    pipeline.cache.put(other_key(key, do=False), positive, SteadyTime(pipeline.now))
    assert [rrset.rdtype for rrset in pipeline.ask("a.example", "A", "do").authority] == [codes.NSEC]
    assert pipeline.ask("a.example", "A").authority == []


def test_the_proof_of_a_wildcard_alias_stays_when_the_chain_leads_to_an_endpoint(build: Build) -> None:
    """RFC 4035 §5.3.4: without it the alias is bogus for a validating resolver behind pldns."""
    pipeline = build(SOURCE, ESTATE)
    name, target = from_text("x.example"), from_text("acct.blob.core.windows.net")

    def signature(covered: int, labels: int) -> bytes:
        return covered.to_bytes(2, "big") + bytes((13, labels)) + bytes(14) + from_text("example") + bytes(4)

    nsec = RRset(from_text("example"), codes.NSEC, 30, (from_text("www.example") + b"\0\1\x40",))
    nsec_signature = RRset(from_text("example"), RRSIG, 30, (signature(codes.NSEC, 1),))
    alias = RRset(name, CNAME, 60, (target,)), RRset(name, RRSIG, 60, (signature(CNAME, 1),))
    for do in (True, False):
        pipeline.cache.put(
            Key("public", name, A, do), reply(*alias, authority=(nsec, nsec_signature)), SteadyTime(pipeline.now)
        )
    proven = pipeline.ask("x.example", "A", "do")
    assert [rrset.rdtype for rrset in proven.answer] == [CNAME, RRSIG, CNAME, A]
    assert [rrset.rdtype for rrset in proven.authority] == [codes.NSEC, RRSIG]
    assert pipeline.ask("x.example", "A").authority == []


def test_an_upstreams_chain_goes_on_below_a_cut_that_its_own_group_serves(build: Build) -> None:
    zone = "$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\nchild NS ns.child\nns.child 60 A 10.0.0.1\n"
    data = "a.child.corp.example 60 CNAME b.child.corp.example\nb.child.corp.example 60 A 10.0.0.2\n!ad"
    pipeline = build("zones: {files: [z.zone]}", {"z.zone": "$TTL 60\n" + zone}, {"onprem child.corp.example": data})
    message = pipeline.ask("a.child.corp.example", "A", "ad")
    assert len(message.answer) == 2
    assert message.flags & dns.flags.AD
    assert pipeline.upstreams["onprem"].asked == ["a.child.corp.example A"]


def test_a_name_that_a_dname_makes_too_long_is_yxdomain(build: Build) -> None:
    target = ".".join(["x" * 60] * 4)
    zone = f"$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\nold 60 DNAME {target}.\n"
    pipeline = build("zones: {files: [z.zone]}", {"z.zone": zone})
    reply = pipeline.ask("short.long.old.corp.example")
    assert reply.rcode() == dns.rcode.YXDOMAIN
    assert reply.flags & dns.flags.AA
    assert [(str(rrset.name), rrset.rdtype) for rrset in reply.answer] == [("old.corp.example.", dns.rdatatype.DNAME)]


def test_an_upstreams_record_for_an_owned_name_is_never_sent(build: Build, ask: Callable[..., bytes]) -> None:
    data = "files.example 60 CNAME acct.blob.core.windows.net\nacct.blob.core.windows.net 60 A 192.0.2.1"
    pipeline = build(SOURCE, ESTATE, {"public": data + "\nacct.blob.core.windows.net 60 AAAA 2001:db8::1"})
    for rtype in ("A", "AAAA", "HTTPS", "ANY", "TXT"):
        for options in ((), ("do",), ("cd", "noedns"), ("norec",)):
            packet = pipeline.reply(ask("files.example", rtype, *options))
            assert packet is not None
            assert b"\xc0\0\2\1" not in packet
            assert b"\x20\1\x0d\xb8" not in packet


# -- labels


def test_labels_never_come_from_a_query(build: Build) -> None:
    rows = {"endpoints/a.yaml": (
        "endpoints:\n"
        "- {name: a, records: [{fqdn: '*.apps.internal.example', ips: [10.0.0.1]}]}\n"
        "- {name: b, records: [{fqdn: db.internal.example, ips: [10.0.0.2]}]}\n"
        "- {name: c, group: blob, records: [{fqdn: '*.env.azurewebsites.net', ips: [10.0.0.3]}]}\n"
    )}  # fmt: skip
    pipeline = build(SOURCE, rows, {"public": "*. 60 A 192.0.2.1"})
    for i in range(20):
        for name in (
            f"n{i}.apps.internal.example", f"n{i}.env.azurewebsites.net", f"n{i}.privatelink.azurewebsites.net",
            f"n{i}.example", f"n{i}.localhost", f"privatelink.n{i}.azmk8s.io", f"{i}.0.0.10.in-addr.arpa",
        ):  # fmt: skip
            for rtype in ("A", "PTR", "TXT"):
                pipeline.ask(name, rtype)
    pipeline.table.unsynced = True
    pipeline.answers.clear()
    for i in range(20):
        pipeline.ask(f"privatelink.n{i}.azmk8s.io")
    cells = [labels for metric, labels, _ in pipeline.counters.values() if metric.startswith("dns_responses")]
    zones = {labels[1] for labels in cells}
    assert zones <= {"", "(alone)", "(reverse)", "privatelink.azurewebsites.net"}


# -- endpoints that have not been read for too long


STALE_WORLD = """
sources: [{name: estate, type: files, path: ./endpoints}]
zones:
  files: [./corp.zone]
  private_only: [only.example]
  overrides:
    privatelink.vaultcore.azure.net: {on_miss: nxdomain}
    privatelink.queue.core.windows.net: {on_miss: servfail}
"""
STALE_ESTATE = {
    "endpoints/a.yaml": "endpoints: ["
    + ACCT
    + ', {name: star, records: [{fqdn: "*.happy.westeurope.azurecontainerapps.io", ips: [10.1.0.7]}]}]',
    "corp.zone": "$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n",
}


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "ede"),
    [
        ("acct.blob.core.windows.net", "A", "NOERROR", 3),
        ("acct.privatelink.blob.core.windows.net", "A", "NOERROR", 3),
        ("acct.privatelink.blob.core.windows.net", "AAAA", "NOERROR", 3),
        ("x.happy.westeurope.azurecontainerapps.io", "A", "NOERROR", 3),
        ("4.0.1.10.in-addr.arpa", "PTR", "NOERROR", 3),
        ("kv.privatelink.vaultcore.azure.net", "A", "NXDOMAIN", 19),
        ("q.privatelink.queue.core.windows.net", "A", "SERVFAIL", None),
        ("www.corp.example", "A", "NOERROR", None),
        ("none.corp.example", "A", "NXDOMAIN", None),
        ("x.only.example", "A", "NXDOMAIN", 15),
        ("www.example", "A", "NOERROR", None),
    ],
)
def test_answers_from_endpoints_say_that_they_may_be_stale(
    build: Build, name: str, rtype: str, rcode: str, ede: int | None
) -> None:
    pipeline = build(STALE_WORLD, STALE_ESTATE, {"public": "www.example 60 A 192.0.2.1"})

    def ede_codes(reply: dns.message.Message) -> list[int]:
        return [int(option.code) for option in reply.options if isinstance(option, dns.edns.EDEOption)]

    before = ede_codes(pipeline.ask(name, rtype))
    assert not {3, 19} & set(before)
    pipeline.answers.clear()
    pipeline.table.stale = True
    reply = pipeline.ask(name, rtype)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert ede_codes(reply) == ([] if ede is None else [ede])
