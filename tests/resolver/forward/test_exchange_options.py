"""EDNS, cookies and padding in the queries of an exchange."""

import dns.message
import dnslib
import pytest

from resolver.forward.edns_lessons import KEPT
from resolver.forward.exchange import Exchange, Listen
from resolver.forward.server_cookie import PAUSE
from resolver.settings import Server, UpstreamGroup
from resolver.wire import codes
from tests.resolver.forward.exchanges import (
    KEY,
    ONE,
    START,
    TWO,
    NoDriver,
    Servers,
    answered,
    exchange,
    options,
    other_key,
    reply,
    tried,
    turn,
    whole,
)
from zones.clocks import SteadyTime
from zones.dns.name import from_text

OTHER = other_key(KEY, name=from_text("other.example.com"))
DO = other_key(KEY, do=True)
_COOKIE, _MARK = codes.OPTION_COOKIE, codes.OPTION_LOOP
MARK = b"ten octets"


def has_opt(query: object) -> bool:
    return bool(dnslib.DNSRecord.parse(whole(tried(query))).ar)  # type: ignore[arg-type]


# -- EDNS


@pytest.mark.parametrize("rcode", ["NOTIMP", "FORMERR"])
def test_an_error_to_edns_is_remembered_for_the_name_and_not_for_the_server(rcode: str) -> None:
    servers = Servers()
    it, query = servers.exchange(ONE, TWO)
    again = tried(it.reply(query, reply(query, rcode), START))
    assert turn(again) == (ONE, "udp")
    assert not has_opt(again)
    assert answered(it.reply(again, reply(again), START))
    for key, wanted in ((KEY, False), (OTHER, True)):
        assert has_opt(servers.exchange(ONE, key=key)[1]) == wanted
    assert has_opt(servers.exchange(ONE, key=other_key(OTHER, do=True))[1])
    assert has_opt(servers.exchange(ONE, now=START + KEPT)[1]), "it is tried again"


def test_a_question_with_do_is_first_asked_again_with_edns_and_without_options() -> None:
    """Some servers answer FORMERR to an unknown option; without EDNS they could not send signatures."""
    it, query = exchange(ONE, key=DO, mark=MARK)
    assert options(query).keys() == {_COOKIE, _MARK}
    bare = tried(it.reply(query, reply(query, "FORMERR"), START))
    assert (has_opt(bare), options(bare)) == (True, {})
    assert dns.message.from_wire(whole(bare)).ednsflags & codes.DO
    assert not has_opt(it.reply(bare, reply(bare, "FORMERR"), START))


def test_a_query_without_edns_does_not_extend_the_time_without_edns() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    again = tried(it.reply(query, reply(query, "FORMERR"), START))
    it.reply(again, reply(again), START)
    it, query = servers.exchange(ONE, now=START + 800)
    assert answered(it.reply(query, reply(query), SteadyTime(START + 800)))
    assert has_opt(servers.exchange(ONE, now=START + KEPT)[1]), "however often the name is asked"


@pytest.mark.parametrize("rcode", ["NOTIMP", "FORMERR"])
def test_a_server_that_fails_with_and_without_edns_is_still_asked_with_edns_later(rcode: str) -> None:
    servers = Servers()
    it, query = servers.exchange(ONE, TWO)
    again = tried(it.reply(query, reply(query, rcode), START))
    assert turn(it.reply(again, reply(again, rcode), START)) == (TWO, "udp")
    assert has_opt(servers.exchange(ONE)[1])


def test_without_an_answer_the_second_try_goes_without_options() -> None:
    servers = Servers()
    it, first = servers.exchange(ONE, key=DO, mark=MARK)
    second = tried(it.timeout(it.deadline))
    third = tried(it.timeout(it.deadline))
    assert [options(query).keys() for query in (first, second, third)] == [{_MARK, _COOKIE}, set(), {_MARK, _COOKIE}]
    assert dns.message.from_wire(whole(second)).ednsflags & codes.DO
    assert answered(it.reply(second, reply(second), START))
    assert options(servers.exchange(ONE, mark=MARK)[1]) == {}, "it is remembered for the name"
    assert options(servers.exchange(ONE, key=OTHER, mark=MARK)[1]).keys() == {_MARK, _COOKIE}


def test_a_server_that_has_sent_a_cookie_gets_it_with_every_try() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    it.reply(query, reply(query, cookie=options(query)[_COOKIE] + b"S" * 8), START)
    it, _ = servers.exchange(ONE, now=START + 1)
    assert _COOKIE in options(tried(it.timeout(it.deadline))), "a reply to a query without it could be forged"


def test_a_group_may_have_no_edns_no_cookies_and_no_mark() -> None:
    assert not has_opt(exchange(ONE, edns="off", mark=MARK)[1])
    assert options(exchange(ONE, cookies=False, mark=MARK)[1]).keys() == {_MARK}
    group = UpstreamGroup("public", (ONE,), mark=False)
    it = Exchange(KEY, group, [Servers().of(ONE)], START, lambda _: 0, NoDriver(), mark=MARK)
    assert options(tried(it.start(START))).keys() == {_COOKIE}


# -- cookies


def test_a_cookie_is_sent_and_the_servers_own_comes_back_to_it() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    ours = options(query)[_COOKIE]
    assert len(ours) == 8
    again = tried(it.reply(query, reply(query, "BADCOOKIE", cookie=ours + b"S" * 16), START))
    assert options(again)[_COOKIE] == ours + b"S" * 16
    message = answered(it.reply(again, reply(again, cookie=ours + b"T" * 16), START))
    assert message
    assert message.cookie == b"", "it is no part of what is kept"
    assert options(servers.exchange(ONE)[1])[_COOKIE] == ours + b"T" * 16


def test_after_a_wrong_cookie_comes_tcp_and_then_no_cookie_for_a_while() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    over_tcp = tried(it.reply(query, reply(query, cookie=b"X" * 24), START))
    assert turn(over_tcp) == (ONE, "tcp")
    assert answered(it.reply(over_tcp, reply(over_tcp, cookie=b"X" * 24), START))
    it, query = servers.exchange(ONE, now=START + 1)
    assert _COOKIE not in options(query)
    assert answered(it.reply(query, reply(query, cookie=b"X" * 24), START))
    assert _COOKIE in options(servers.exchange(ONE, now=START + PAUSE)[1])


def test_a_reply_without_the_cookie_that_the_server_gives_is_fetched_over_tcp() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    ours = options(query)[_COOKIE]
    it.reply(query, reply(query, cookie=ours + b"S" * 16), START)
    it, query = servers.exchange(ONE)
    over_tcp = tried(it.reply(query, reply(query), START))
    assert turn(over_tcp) == (ONE, "tcp")
    assert options(over_tcp)[_COOKIE] == ours + b"S" * 16
    assert answered(it.reply(over_tcp, reply(over_tcp), START))
    it, query = servers.exchange(ONE)
    assert options(query)[_COOKIE] == ours, "it gives none any more: the next reply without one counts"
    assert answered(it.reply(query, reply(query), START))


def test_a_server_that_only_repeats_the_client_cookie_has_no_cookie() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    assert answered(it.reply(query, reply(query, cookie=options(query)[_COOKIE]), START))
    assert not servers.of(ONE).cookie.known


def test_a_server_that_repeats_badcookie_is_asked_over_tcp_the_third_time() -> None:
    it, query = exchange(ONE, TWO)
    turns = []
    for _ in range(3):
        query = tried(it.reply(query, reply(query, "BADCOOKIE", cookie=b""), START))
        turns.append(turn(query))
    assert turns == [(ONE, "udp"), (ONE, "tcp"), (TWO, "udp")]


def test_a_forged_reply_with_another_question_is_no_reason_to_give_up_cookies() -> None:
    servers = Servers()
    it, query = servers.exchange(ONE)
    assert it.reply(query, reply(query, name="a.example", cookie=b"X" * 24), START) is Listen.MISMATCH
    assert _COOKIE in options(servers.exchange(ONE)[1])


# -- padding


@pytest.mark.parametrize("name", ["a.b", "www.example.com", "a" * 60 + "." + "b" * 60 + ".example"])
@pytest.mark.parametrize("mark", [b"", MARK])
def test_encrypted_queries_are_padded_to_blocks(name: str, mark: bytes) -> None:
    for transport, padded in (("udp", False), ("tcp", False), ("tls", True), ("https", True)):
        server = Server(transport, "192.0.2.1", 853)  # type: ignore[arg-type]
        _, query = exchange(server, key=other_key(KEY, name=from_text(name)), mark=mark)
        assert (len(whole(query)) % 128 == 0) == padded
        assert dns.message.from_wire(whole(query)).edns == 0
