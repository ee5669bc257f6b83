"""The exchange in fake time: each event, and deadlines for any order of events."""

from collections.abc import Iterator
from itertools import count

import dns.edns
import dns.message
import dns.rcode
import dns.rrset
import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.exchange import TOTAL, Exchange, Send
from resolver.forward.health import Health
from resolver.settings import Server
from resolver.wire import codes
from resolver.wire.relay import Message
from zones.clocks import SteadyTime
from zones.dns import record
from zones.dns.name import from_text

KEY = Key("public", from_text("www.example.com"), record.A, do=True)
ONE, TWO, THREE = (Server("udp", f"192.0.2.{i}", 53) for i in (1, 2, 3))
START = SteadyTime(1000.0)


def exchange(*servers: Server, ids: Iterator[int] | None = None) -> tuple[Exchange, Send]:
    numbers = ids or count(7)
    health = Health(lambda below: 0 if below == 256 else next(numbers))
    it = Exchange(KEY, servers, START, lambda _: next(numbers), health)
    send = it.start(START)
    assert isinstance(send, Send)
    return it, send


def reply_to(
    send: Send, rcode: str = "NOERROR", *, tc: bool = False, name: str = "", qtype: str = "", id_: int = 0
) -> bytes:
    query = dnslib.DNSRecord.parse(send.packet)
    reply = query.reply(ra=1)
    reply.header.rcode = getattr(dnslib.RCODE, rcode)
    reply.header.tc = int(tc)
    reply.header.id ^= id_
    if name:
        reply.q.qname = dnslib.DNSLabel(name)
    if qtype:
        reply.q.qtype = getattr(dnslib.QTYPE, qtype)
    if rcode == "NOERROR" and not tc:
        reply.add_answer(*dnslib.RR.fromZone("www.example.com 60 A 192.0.2.80"))
    return bytes(reply.pack())


def turn(action: object) -> tuple[Server, str]:
    assert isinstance(action, Send)
    return action.server, action.transport


def test_a_reply_that_matches_ends_it() -> None:
    it, send = exchange(ONE)
    message = it.reply(reply_to(send), SteadyTime(START + 0.1))
    assert isinstance(message, Message)
    assert message.answer[0].rdatas == (bytes((192, 0, 2, 80)),)


def test_the_query_is_what_the_key_says_with_a_fresh_id_for_each_attempt() -> None:
    it, first = exchange(ONE, ids=iter([0xABCD, 0x1234]))
    second = it.timeout(first.deadline)
    assert isinstance(second, Send)
    queries = [dnslib.DNSRecord.parse(send.packet) for send in (first, second)]
    assert [query.header.id for query in queries] == [0xABCD, 0x1234]
    assert str(queries[0].q.qname) == "www.example.com."
    assert queries[0].header.rd
    assert queries[0].ar[0].edns_do
    assert queries[0].ar[0].edns_len == codes.PAYLOAD


@pytest.mark.parametrize(
    "forgery",
    [{"id_": 1}, {"name": "www.example.net"}, {"qtype": "AAAA"}],
    ids=["another id", "another name", "another type"],
)
def test_a_reply_that_does_not_match_is_ignored_and_the_right_one_still_taken(forgery: dict[str, str]) -> None:
    it, send = exchange(ONE, TWO)
    assert it.reply(reply_to(send, **forgery), START + 0.1) is None  # type: ignore[arg-type]
    assert it.reply(b"", SteadyTime(START + 0.1)) is None
    assert it.reply(send.packet, SteadyTime(START + 0.1)) is None
    assert isinstance(it.reply(reply_to(send), SteadyTime(START + 0.2)), Message)


def test_the_id_of_an_earlier_attempt_no_longer_matches() -> None:
    it, first = exchange(ONE)
    it.timeout(first.deadline)
    assert it.reply(reply_to(first), SteadyTime(first.deadline + 0.1)) is None


def test_one_server_is_tried_three_times_and_longer_each_time() -> None:
    it, action = exchange(ONE)
    waits, now = [], START
    while isinstance(action, Send):
        waits.append(round(action.deadline - now, 3))
        now = action.deadline
        following = it.timeout(now)
        if isinstance(following, UpstreamFailure):
            assert following == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "192.0.2.1 port 53: no reply")
            break
        assert isinstance(following, Send)
        action = following
    assert waits == [1.2, 1.6, 2.0]
    assert now == pytest.approx(START + TOTAL)


@given(
    servers=st.integers(1, 12),
    events=st.lists(st.sampled_from(["timeout", "error", "tc", "noise"]), min_size=60, max_size=60),
)
def test_with_any_events_every_server_has_a_turn_and_the_exchange_ends_in_time(servers: int, events: list[str]) -> None:
    it, action = exchange(*[Server("udp", "192.0.2.1", port) for port in range(servers)])
    asked, now = set(), START
    for event in events:
        asked.add(action.server)
        assert now < action.deadline <= START + TOTAL + 0.001
        if event == "timeout":
            now = action.deadline
            result = it.timeout(now)
        elif event == "error":
            result = it.error("Connection refused", now)
        elif event == "noise":
            noise = it.reply(action.packet, now)
            assert noise is None
            continue
        else:
            following = it.reply(reply_to(action, tc=True), now)
            assert following is not None
            result = following
        if not isinstance(result, Send):
            assert isinstance(result, UpstreamFailure)
            assert len(asked) == servers
            return
        action = result
    assert events.count("noise") > 0


def test_servers_are_asked_in_order_and_again_when_they_are_few() -> None:
    it, first = exchange(ONE, TWO)
    turns = [turn(first)]
    turns += [turn(it.error("Connection refused", START)) for _ in range(3)]
    assert [server for server, _ in turns] == [ONE, TWO, ONE, TWO]
    assert it.error("Connection refused", START) == UpstreamFailure(
        codes.NETWORK_ERROR, "192.0.2.2 port 53: Connection refused"
    )


def test_a_turn_that_fails_at_once_leaves_its_time_to_the_others() -> None:
    it, first = exchange(ONE, TWO, THREE)
    assert first.deadline - START == pytest.approx(1.6)
    second = it.error("Connection refused", START)
    assert isinstance(second, Send)
    assert second.deadline - START == pytest.approx(2.4)


def test_after_a_malformed_reply_comes_tcp_and_then_the_next_server() -> None:
    it, send = exchange(ONE, TWO)
    over_tcp = it.reply(reply_to(send)[:-1], START)
    assert turn(over_tcp) == (ONE, "tcp")
    assert isinstance(over_tcp, Send)
    assert turn(it.reply(reply_to(over_tcp)[:-1], START)) == (TWO, "udp")
    assert not it._health.is_down(ONE)


def test_a_referral_is_no_answer() -> None:
    it, send = exchange(ONE, TWO)
    referral = dns.message.make_response(dns.message.from_wire(send.packet))
    referral.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "NS", "ns.example.com."))
    second = it.reply(referral.to_wire(), START)
    assert turn(second) == (TWO, "udp")
    assert isinstance(second, Send)
    referral.id = int.from_bytes(second.packet[:2], "big")
    last = it.reply(referral.to_wire(), START)
    assert last == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "192.0.2.2 port 53: the reply is a referral")
    it, send = exchange(ONE)
    denial = dns.message.make_response(dns.message.from_wire(send.packet))
    for rtype, rdata in (("NS", "ns.example.com."), ("SOA", "a. b. 1 2 3 4 5")):
        denial.authority.append(dns.rrset.from_text("example.com.", 60, "IN", rtype, rdata))
    assert isinstance(it.reply(denial.to_wire(), START), Message), "no data, with the zone's servers (RFC 2308 §2.2)"


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTAUTH", "YXRRSET"])
def test_a_server_that_sends_an_error_is_not_asked_again_in_the_exchange(rcode: str) -> None:
    it, send = exchange(ONE, TWO)
    second = it.reply(reply_to(send, rcode), START)
    assert turn(second) == (TWO, "udp")
    assert turn(it.timeout(SteadyTime(START + 1))) == (TWO, "udp")


@pytest.mark.parametrize("rcode", ["NOTIMP", "FORMERR"])
def test_a_server_without_edns_support_is_asked_without_edns_from_then_on(rcode: str) -> None:
    it, send = exchange(ONE, TWO)
    again = it.reply(reply_to(send, rcode), START)
    assert turn(again) == (ONE, "udp")
    assert isinstance(again, Send)
    plain = dnslib.DNSRecord.parse(again.packet)
    assert plain.ar == []
    assert isinstance(it.reply(reply_to(again), START), Message)
    assert it._health.is_plain(ONE, SteadyTime(START + 899))
    assert not it._health.is_plain(ONE, SteadyTime(START + 900))
    following = Exchange(KEY, (ONE,), START, lambda _: 1, it._health).start(START)
    assert isinstance(following, Send)
    assert dnslib.DNSRecord.parse(following.packet).ar == []


def test_a_query_without_edns_does_not_extend_the_time_without_edns() -> None:
    it, _ = exchange(ONE)
    it._health.learn_plain(ONE, START)
    later = Exchange(KEY, (ONE,), SteadyTime(START + 800), lambda _: 1, it._health)
    send = later.start(SteadyTime(START + 800))
    assert isinstance(send, Send)
    assert isinstance(later.reply(reply_to(send), SteadyTime(START + 800)), Message)
    assert not it._health.is_plain(ONE, SteadyTime(START + 900)), "it is tried again, however often the server is asked"


def test_a_query_in_progress_when_edns_is_found_to_fail_is_sent_again_too() -> None:
    it, send = exchange(ONE)
    it._health.learn_plain(ONE, START)
    again = it.reply(reply_to(send, "FORMERR"), START)
    assert isinstance(again, Send)
    assert dnslib.DNSRecord.parse(again.packet).ar == []


@pytest.mark.parametrize("rcode", ["NOTIMP", "FORMERR"])
def test_a_server_that_fails_with_and_without_edns_is_still_asked_with_edns_later(rcode: str) -> None:
    it, send = exchange(ONE, TWO)
    again = it.reply(reply_to(send, rcode), START)
    assert isinstance(again, Send)
    assert turn(it.reply(reply_to(again, rcode), START)) == (TWO, "udp")
    assert not it._health.is_plain(ONE, START)


def test_an_error_that_another_server_does_not_have_is_a_failure_unless_configured_otherwise() -> None:
    lenient = Server("udp", "192.0.2.9", 53, count_errors=False)
    for server, failing in ((ONE, True), (lenient, False)):
        it, send = exchange(server, TWO)
        for _ in range(2):
            second = it.reply(reply_to(send, "SERVFAIL"), START)
            assert isinstance(second, Send)
            it.reply(reply_to(second), START)
            it = Exchange(KEY, (server, TWO), START, lambda _: 1, it._health)
            following = it.start(START)
            assert isinstance(following, Send)
            send = following
        assert it._health.is_down(server) == failing


def test_an_error_of_every_server_is_not_a_failure() -> None:
    it, send = exchange(ONE, TWO)
    for _ in range(3):
        second = it.reply(reply_to(send, "SERVFAIL"), START)
        assert isinstance(second, Send)
        assert isinstance(it.reply(reply_to(second, "SERVFAIL"), START), Message)
        it = Exchange(KEY, (ONE, TWO), START, lambda _: 1, it._health)
        following = it.start(START)
        assert isinstance(following, Send)
        send = following
    assert not it._health.is_down(ONE)
    assert not it._health.is_down(TWO)


def test_a_question_in_random_case_takes_only_a_reply_in_that_case() -> None:
    it = Exchange(KEY, (ONE,), START, lambda below: int(below == 2), Health(lambda _: 0), mixed_case=True)
    send = it.start(START)
    assert isinstance(send, Send)
    assert send.packet[12:29] == b"\3WWW\7EXAMPLE\3COM\0"
    right = reply_to(send)
    assert it.reply(right[:12] + right[12:29].lower() + right[29:], START) is None
    assert isinstance(it.reply(right, START), Message)


def test_a_cookie_is_sent_and_the_servers_own_comes_back_to_it() -> None:
    def cookies(send: Send) -> list[bytes]:
        return [o.to_wire() or b"" for o in dns.message.from_wire(send.packet).options if o.otype == dns.edns.COOKIE]

    def said(send: Send, cookie: bytes, rcode: int = 0) -> bytes:
        reply = dns.message.make_response(dns.message.from_wire(send.packet))
        reply.use_edns(0, options=[dns.edns.GenericOption(dns.edns.COOKIE, cookie)])
        reply.set_rcode(dns.rcode.Rcode(rcode))
        return reply.to_wire()

    it, send = exchange(ONE)
    (ours,) = cookies(send)
    assert len(ours) == 8
    again = it.reply(said(send, ours + b"S" * 16, codes.BADCOOKIE), START)
    assert isinstance(again, Send)
    assert cookies(again) == [ours + b"S" * 16]
    message = it.reply(said(again, ours + b"T" * 16), START)
    assert isinstance(message, Message)
    assert message.cookie == b"", "it is no part of what is kept"
    forged = Exchange(KEY, (ONE,), START, lambda _: 1, it._health)
    following = forged.start(START)
    assert isinstance(following, Send)
    assert cookies(following) == [ours + b"T" * 16]
    assert forged.reply(said(following, b"X" * 24), START) is None, "a cookie that does not begin with ours: a forgery"
    assert it._health.cookie(ONE) == ours + b"T" * 16


def test_a_reply_without_the_cookie_that_the_server_gives_is_fetched_over_tcp() -> None:
    it, send = exchange(ONE)
    ours = it._health.cookie(ONE)
    it._health.learn_cookie(ONE, ours + b"S" * 16)
    over_tcp = it.reply(reply_to(send), START)
    assert turn(over_tcp) == (ONE, "tcp")
    assert isinstance(over_tcp, Send)
    assert ours + b"S" * 16 in over_tcp.packet
    assert isinstance(it.reply(reply_to(over_tcp), START), Message)
    assert it._health.cookie(ONE) == ours, "it gives none any more: the next reply without one counts"


def test_a_server_that_only_repeats_the_client_cookie_has_no_cookie() -> None:
    it, send = exchange(ONE)
    echo = dns.message.make_response(dns.message.from_wire(send.packet))
    echo.use_edns(0, options=[dns.edns.GenericOption(dns.edns.COOKIE, it._health.cookie(ONE))])
    assert isinstance(it.reply(echo.to_wire(), START), Message)
    assert not it._health.has_cookie(ONE)


def test_a_server_that_repeats_badcookie_is_asked_over_tcp_the_third_time() -> None:
    it, action = exchange(ONE, TWO)
    turns = []
    for _ in range(3):
        badcookie = dns.message.make_response(dns.message.from_wire(action.packet))
        badcookie.use_edns(0)
        badcookie.set_rcode(dns.rcode.BADCOOKIE)
        following = it.reply(badcookie.to_wire(), START)
        assert isinstance(following, Send)
        action = following
        turns.append(turn(action))
    assert turns == [(ONE, "udp"), (ONE, "tcp"), (TWO, "udp")]


def test_when_every_server_refuses_the_last_refusal_is_the_reply() -> None:
    it, send = exchange(ONE, TWO)
    second = it.reply(reply_to(send, "REFUSED"), START)
    assert isinstance(second, Send)
    message = it.reply(reply_to(second, "SERVFAIL"), START)
    assert isinstance(message, Message)
    assert message.rcode == codes.SERVFAIL


def test_nxdomain_is_an_answer() -> None:
    it, send = exchange(ONE, TWO)
    message = it.reply(reply_to(send, "NXDOMAIN"), START)
    assert isinstance(message, Message)
    assert message.rcode == codes.NXDOMAIN


def test_a_truncated_reply_is_asked_again_of_the_same_server_over_tcp() -> None:
    it, send = exchange(ONE, TWO)
    over_tcp = it.reply(reply_to(send, tc=True), START)
    assert turn(over_tcp) == (ONE, "tcp")
    assert isinstance(over_tcp, Send)
    assert isinstance(it.reply(reply_to(over_tcp), START), Message)


def test_failure_over_tcp_goes_on_to_the_next_server() -> None:
    it, send = exchange(ONE, TWO)
    over_tcp = it.reply(reply_to(send, tc=True), START)
    assert isinstance(over_tcp, Send)
    assert turn(it.reply(reply_to(over_tcp, tc=True), START)) == (TWO, "udp")


def test_a_server_configured_for_tcp_is_asked_over_tcp() -> None:
    assert turn(exchange(Server("tcp", "192.0.2.1", 53))[1])[1] == "tcp"


def test_a_group_without_servers_fails() -> None:
    failure = Exchange(KEY, (), START, lambda _: 0, Health(lambda _: 0)).start(START)
    assert failure == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "upstream public has no servers")


@pytest.mark.parametrize("name", ["a.b", "www.example.com", "a" * 60 + "." + "b" * 60 + ".example"])
@pytest.mark.parametrize("mark", [b"", b"ten octets"])
def test_encrypted_queries_are_padded_to_blocks(name: str, mark: bytes) -> None:
    for transport, padded in (("udp", False), ("tcp", False), ("tls", True), ("https", True)):
        server = Server(transport, "192.0.2.1", 853)  # type: ignore[arg-type]
        key = Key("public", from_text(name), record.A)
        send = Exchange(key, (server,), START, lambda _: 1, Health(lambda _: 0), mark=mark).start(START)
        assert isinstance(send, Send)
        assert (len(send.packet) % 128 == 0) == padded
        assert dns.message.from_wire(send.packet).edns == 0
