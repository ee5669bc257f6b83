"""The exchange in fake time: each event, late replies, and deadlines for any order of events."""

import dns.flags
import dns.message
import dns.rrset
import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.cache import UpstreamFailure
from resolver.forward.exchange import Exchange, Listen
from resolver.forward.round_trip import FIRST_WAIT
from resolver.forward.tries import Try
from resolver.forward.turns import CROWD
from resolver.settings import MAX_UPSTREAM_SECONDS, Server, UpstreamGroup
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply
from resolver.wire.relay import Message
from tests.resolver.forward.exchanges import (
    KEY,
    ONE,
    START,
    THREE,
    TWO,
    NoDriver,
    Servers,
    answered,
    exchange,
    other_key,
    reply,
    tried,
    turn,
    whole,
)
from zones.clocks import SteadyTime


def after(seconds: float) -> SteadyTime:
    return SteadyTime(START + seconds)


def test_a_reply_that_matches_ends_it() -> None:
    it, query = exchange(ONE)
    message = answered(it.reply(query, reply(query), after(0.1)))
    assert message
    assert message.answer[0].rdatas == (bytes((192, 0, 2, 80)),)
    assert it.open == []


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("proof", [False, True])
def test_a_reply_to_a_query_with_do_keeps_its_proofs(*, proof: bool, do: bool) -> None:
    """A validating client needs the proof that no closer name exists, where a wildcard made the address."""
    it, query = exchange(ONE, key=other_key(KEY, do=do))
    message = dns.message.from_wire(reply(query))
    if proof:
        message.authority.append(dns.rrset.from_text("a.example.com.", 60, "IN", "NSEC", "c.example.com. A"))
    action = it.reply(query, message.to_wire(), after(0.1))
    assert isinstance(action, PlainReply) == (not do or not proof)
    found = answered(action)
    assert found
    assert found.answer[0].rdatas == (bytes((192, 0, 2, 80)),)
    assert len(found.authority) == (do and proof)


def test_the_query_is_what_the_key_says() -> None:
    _, query = exchange(ONE, key=other_key(KEY, do=True))
    made = dnslib.DNSRecord.parse(whole(query))
    assert str(made.q.qname) == "www.example.com."
    assert made.header.rd
    assert made.ar[0].edns_do
    assert made.ar[0].edns_len == codes.PAYLOAD


@pytest.mark.parametrize("forgery", [{"name": "www.example.net"}, {"qtype": "AAAA"}], ids=["name", "type"])
def test_a_reply_over_udp_that_does_not_match_is_ignored_and_the_right_one_still_taken(forgery: dict[str, str]) -> None:
    it, query = exchange(ONE, TWO)
    for packet in (reply(query, **forgery), b"", whole(query)):  # type: ignore[arg-type]
        assert it.reply(query, packet, after(0.1)) is Listen.MISMATCH
    assert answered(it.reply(query, reply(query), after(0.2)))


@pytest.mark.parametrize("transport", ["tcp", "tls", "https"])
def test_a_reply_on_a_stream_that_does_not_match_fails_the_server_at_once(transport: str) -> None:
    first = Server(transport, "192.0.2.9", 853)  # type: ignore[arg-type]
    it, query = exchange(first, TWO)
    assert turn(it.reply(query, reply(query, name="www.example.net"), START)) == (TWO, "udp")
    it, query = exchange(first, tries=1)
    failure = it.reply(query, reply(query, name="www.example.net"), START)
    assert failure == UpstreamFailure(codes.NETWORK_ERROR, "192.0.2.9 port 853: the reply does not match the query")


# -- late replies


def test_a_reply_to_an_earlier_try_is_taken() -> None:
    it, first = exchange(ONE, TWO)
    second = tried(it.timeout(it.deadline))
    third = tried(it.timeout(it.deadline))
    assert [query.server.server for query in (first, second, third)] == [ONE, TWO, ONE]
    assert it.open == [first, second, third]
    assert answered(it.reply(first, reply(first), after(1.5)))


def test_after_the_last_try_replies_are_awaited_until_the_end() -> None:
    it, query = exchange(ONE, tries=1)
    assert it.deadline == after(MAX_UPSTREAM_SECONDS)
    assert answered(it.reply(query, reply(query), after(4.7)))
    it, query = exchange(ONE, TWO, tries=2)
    second = tried(it.timeout(it.deadline))
    assert it.error(second, "Connection refused", after(0.7)) is Listen.ON, "the first server may still answer"
    assert it.deadline == it.end
    assert answered(it.reply(query, reply(query), after(2.2)))


def test_a_late_error_reply_of_an_earlier_try_leaves_the_latest_one_running() -> None:
    it, first = exchange(ONE, TWO)
    second = tried(it.timeout(it.deadline))
    assert it.reply(first, reply(first, "SERVFAIL"), after(0.7)) is Listen.ON
    assert it.open == [second]
    assert answered(it.reply(second, reply(second), after(0.8)))


def test_a_late_reply_counts_as_an_answer_of_the_server() -> None:
    servers = Servers()
    for number in range(5):
        it, first = servers.exchange(ONE, now=START + 10 * number)
        it.timeout(it.deadline)
        it.reply(first, reply(first), SteadyTime(START + 10 * number + 1.5))
    assert not servers.of(ONE).down
    it, _ = servers.exchange(ONE)
    assert 1.5 < it.deadline - START < 2.5, "its tries follow its round-trip time"


def test_even_after_the_end_a_reply_can_be_read() -> None:
    it, query = exchange(ONE, tries=1)
    assert isinstance(it.timeout(it.end), UpstreamFailure)
    assert answered(it.reply(query, reply(query), after(6.0)))


# -- the time of each try


def test_one_server_is_tried_three_times_and_longer_each_time() -> None:
    servers = Servers()
    it, _ = servers.exchange(ONE)
    waits, now = [], START
    while True:
        waits.append(round(it.deadline - now, 3))
        now = it.deadline
        action = it.timeout(now)
        if isinstance(action, UpstreamFailure):
            assert action == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "192.0.2.1 port 53: no reply")
            break
        assert isinstance(action, Try)
    assert waits == [FIRST_WAIT, 1.9, 1.9], "half of what is left, so that the last try has its time too"
    assert now == pytest.approx(START + MAX_UPSTREAM_SECONDS)
    assert not servers.of(ONE).down, "one question is one failure"
    it, _ = servers.exchange(ONE, tries=1, now=START + 5)
    it.timeout(it.deadline)
    assert servers.of(ONE).down


def test_a_group_may_have_less_time_and_other_numbers_of_tries() -> None:
    it, _ = exchange(ONE, timeout=2.0, tries=1)
    assert it.deadline == after(2.0)
    it, _ = exchange(ONE, TWO, tries=1)
    assert turn(it.timeout(it.deadline)) == (TWO, "udp"), "each server is asked"
    assert it.timeout(it.deadline) == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "192.0.2.2 port 53: no reply")


@given(
    servers=st.integers(1, 12),
    events=st.lists(st.sampled_from(["timeout", "error", "tc", "noise"]), min_size=60, max_size=60),
)
def test_with_any_events_every_server_has_a_turn_and_the_exchange_ends_in_time(servers: int, events: list[str]) -> None:
    it, query = exchange(*[Server("udp", "192.0.2.1", port) for port in range(servers)])
    asked, now = {query.server.server}, START
    for event in events:
        assert now < it.deadline <= START + MAX_UPSTREAM_SECONDS + 0.001
        if event == "timeout" or query not in it.open:
            now = it.deadline
            action = it.timeout(now)
        elif event == "error":
            action = it.error(query, "Connection refused", now)
        else:
            packet = whole(query) if event == "noise" else reply(query, tc=True)
            action = it.reply(query, packet, now)
        if isinstance(action, UpstreamFailure):
            assert len(asked) == servers
            return
        if isinstance(action, Try):
            query = action
            asked.add(query.server.server)
    assert "noise" in events


def test_a_query_that_waits_in_a_queue_does_not_use_up_its_time_nor_count_against_the_server() -> None:
    server = Server("https", "192.0.2.9", 443, "dns.example", path="/")
    servers = Servers()
    it, query = servers.exchange(server, TWO)
    query.sent = None  # as the carrier does
    second = tried(it.timeout(it.deadline))
    assert second.server.server == TWO
    it.sent(query, after(1.0))
    assert not query.late
    for _ in range(4):
        it, query = servers.exchange(server, tries=1)
        query.sent = None
        it.timeout(it.end)
    assert not servers.of(server).down
    it, query = servers.exchange(server)
    query.sent = None
    it.sent(query, after(0.5))
    assert it.deadline == after(0.5 + FIRST_WAIT)


# -- the order of servers


def test_servers_are_asked_in_order_and_again_when_they_are_few() -> None:
    it, query = exchange(ONE, TWO)
    turns = [turn(query)]
    for _ in range(3):
        query = tried(it.error(query, "Connection refused", START))
        turns.append(turn(query))
    assert [server for server, _ in turns] == [ONE, TWO, ONE, TWO]
    assert it.error(query, "Connection refused", START) == UpstreamFailure(
        codes.NETWORK_ERROR, "192.0.2.2 port 53: Connection refused"
    )


def test_the_second_server_of_a_race_is_asked_soon_and_that_is_no_failure() -> None:
    it, first = exchange(ONE, TWO, policy="race")
    assert it.deadline - START == pytest.approx(0.15)
    assert turn(it.timeout(it.deadline)) == (TWO, "udp")
    assert not first.late
    assert answered(it.reply(first, reply(first), after(0.2)))


def test_after_a_malformed_reply_comes_tcp_and_then_the_next_server() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE, TWO)
    over_tcp = tried(it.reply(query, reply(query)[:-1], START))
    assert turn(over_tcp) == (ONE, "tcp")
    assert turn(it.reply(over_tcp, reply(over_tcp)[:-1], START)) == (TWO, "udp")
    assert not servers.of(ONE).down


def test_a_referral_is_no_answer() -> None:
    def referral(query: Try, *records: tuple[str, str]) -> bytes:
        message = dns.message.make_response(dns.message.from_wire(whole(query)))
        for rtype, rdata in records:
            message.authority.append(dns.rrset.from_text("example.com.", 60, "IN", rtype, rdata))
        return message.to_wire()

    servers = ("NS", "ns.example.com.")
    it, query = exchange(ONE, TWO)
    second = tried(it.reply(query, referral(query, servers), START))
    assert turn(second) == (TWO, "udp")
    last = it.reply(second, referral(second, servers), START)
    assert last == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "192.0.2.2 port 53: the reply is a referral")
    it, query = exchange(ONE)
    denial = referral(query, servers, ("SOA", "a. b. 1 2 3 4 5"))
    assert answered(it.reply(query, denial, START)), "no data, with the zone's servers (RFC 2308 §2.2)"


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTAUTH", "YXRRSET"])
def test_a_server_that_sends_an_error_is_not_asked_again_in_the_exchange(rcode: str) -> None:
    it, query = exchange(ONE, TWO)
    assert turn(it.reply(query, reply(query, rcode), START)) == (TWO, "udp")
    assert turn(it.timeout(it.deadline)) == (TWO, "udp")


def test_an_error_that_another_server_does_not_have_is_a_failure_unless_configured_otherwise() -> None:
    lenient = Server("udp", "192.0.2.9", 53, count_errors=False)
    for server, failing in ((ONE, True), (lenient, False)):
        servers = Servers()
        for _ in range(2):
            it, query = servers.exchange(server, TWO)
            second = tried(it.reply(query, reply(query, "SERVFAIL"), START))
            it.reply(second, reply(second), START)
        assert servers.of(server).down == failing


def test_an_error_of_every_server_is_not_a_failure() -> None:
    servers = Servers()
    for _ in range(3):
        it, query = servers.exchange(ONE, TWO)
        second = tried(it.reply(query, reply(query, "SERVFAIL"), START))
        assert answered(it.reply(second, reply(second, "SERVFAIL"), START))
    assert not servers.of(ONE).down
    assert not servers.of(TWO).down


def test_when_every_server_refuses_the_last_refusal_is_the_reply() -> None:
    it, query = exchange(ONE, TWO)
    second = tried(it.reply(query, reply(query, "REFUSED"), START))
    message = it.reply(second, reply(second, "SERVFAIL"), START)
    assert isinstance(message, Message)
    assert message.rcode == codes.SERVFAIL


def test_nxdomain_is_an_answer() -> None:
    it, query = exchange(ONE, TWO)
    message = it.reply(query, reply(query, "NXDOMAIN"), START)
    assert isinstance(message, Message)
    assert message.rcode == codes.NXDOMAIN


def test_a_question_in_random_case_takes_only_a_reply_in_that_case() -> None:
    it, query = exchange(ONE, mixed_case=True)
    assert whole(query)[12:29] == b"\3WWW\7EXAMPLE\3COM\0"
    right = reply(query)
    assert it.reply(query, right[:12] + right[12:29].lower() + right[29:], START) is Listen.MISMATCH
    assert answered(it.reply(query, right, START))


# -- TCP


def test_a_truncated_reply_is_asked_again_of_the_same_server_over_tcp() -> None:
    it, query = exchange(ONE, TWO)
    over_tcp = tried(it.reply(query, reply(query, tc=True), START))
    assert turn(over_tcp) == (ONE, "tcp")
    assert answered(it.reply(over_tcp, reply(over_tcp), START))


def test_a_truncated_reply_without_a_question_leads_to_tcp() -> None:
    it, query = exchange(ONE, TWO)
    empty = b"\0\7\x83\x80" + bytes(8)
    assert dns.message.from_wire(empty).flags & dns.flags.TC
    assert turn(it.reply(query, empty, START)) == (ONE, "tcp")


def test_failure_over_tcp_goes_on_to_the_next_server() -> None:
    it, query = exchange(ONE, TWO)
    over_tcp = tried(it.reply(query, reply(query, tc=True), START))
    assert turn(it.reply(over_tcp, reply(over_tcp, tc=True), START)) == (TWO, "udp")


def test_a_server_configured_for_tcp_is_asked_over_tcp() -> None:
    assert turn(exchange(Server("tcp", "192.0.2.1", 53))[1])[1] == "tcp"


def test_a_group_without_servers_fails() -> None:
    it = Exchange(KEY, UpstreamGroup("public", ()), (), START, lambda _: 0, NoDriver())
    assert it.start(START) == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "upstream public has no servers")


def test_every_server_has_a_turn_before_the_end_whatever_the_round_trip_times() -> None:
    servers = Servers()
    for server in (ONE, TWO, THREE):
        servers.of(server).answered(SteadyTime(START - 4.0), START)
    it, query = servers.exchange(ONE, TWO, THREE)
    asked = [query.server.server]
    while isinstance(action := it.timeout(it.deadline), Try):
        asked.append(action.server.server)
    assert asked == [ONE, TWO, THREE]


def test_a_crowded_server_is_asked_a_question_twice_and_not_three_times() -> None:
    """Names that nobody answers would else keep a server busy with repetitions."""
    servers = Servers()
    for number in range(CROWD):
        servers.exchange(ONE, key=other_key(KEY, type=number))
    it, query = servers.exchange(ONE)
    assert isinstance(it.timeout(it.deadline), Try)
    assert it.timeout(it.deadline) is Listen.ON
    assert it.deadline == it.end
    assert answered(it.reply(query, reply(query), after(2.0)))
    assert servers.of(ONE).outstanding == CROWD + 1, "the other try of this question is still open"
