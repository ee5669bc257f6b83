"""The forwarder against fake upstream servers on loopback, over real sockets."""

import asyncio
import random
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import dnslib
import pytest

from resolver.forward.admission import Limits
from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.client import random_ids, udp
from resolver.forward.client.forwarder import Forwarder
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Server, UpstreamGroup
from resolver.wire import codes
from resolver.wire.plain_reply import Reply
from resolver.wire.relay import Message
from tests.resolver.forward.client.conftest import Make
from tests.resolver.forward.client.upstreams import (
    ADDRESS,
    FakeUpstream,
    address,
    answer,
    ask,
    asking,
    key,
    read,
    settle,
    until,
)


async def test_a_question_gets_its_answer(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    assert address(await ask(resolver)) == ADDRESS
    assert str(upstream.asked[0].q.qname) == "www.example.com."
    assert (resolver.queries, resolver.replies, len(resolver)) == (1, 1, 0)


async def test_forged_replies_are_counted_and_the_right_one_is_taken(upstream: FakeUpstream, make: Make) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        right = answer(query)
        other = dnslib.DNSRecord.question("www.example.net")
        other.header.id = query.header.id
        return [bytes((right[0] ^ 1,)) + right[1:], answer(other), b"\x00", b"\xff" * 3000, right]

    upstream.respond = respond
    resolver = make(upstream.server)
    assert address(await ask(resolver)) == ADDRESS
    assert resolver.mismatches == 4


async def test_a_reply_from_another_port_never_arrives(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        second.udp.sendto(answer(query, records=2), ("127.0.0.1", upstream.ports[-1]))
        return [answer(query)]

    upstream.respond = respond
    resolver = make(upstream.server)
    result = await ask(resolver)
    assert isinstance(result, Message)
    assert len(result.answer[0].rdatas) == 1
    assert resolver.mismatches == 0


async def test_a_reply_that_comes_twice_is_only_taken_once(upstream: FakeUpstream, make: Make) -> None:
    upstream.respond = lambda query, _: [answer(query), answer(query)]
    resolver = make(upstream.server)
    for i in range(5):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    await settle()
    assert resolver.replies == 5
    assert resolver.mismatches == 5


async def test_a_truncated_reply_is_fetched_over_tcp(upstream: FakeUpstream, make: Make) -> None:
    upstream.respond = lambda query, transport: [
        answer(query, tc=True) if transport == "udp" else answer(query, records=300)
    ]
    resolver = make(upstream.server)
    result = await ask(resolver)
    assert isinstance(result, Message)
    assert len(result.answer[0].rdatas) == 300
    assert (resolver.tcp, upstream.connections) == (1, 1)


async def test_a_server_configured_for_tcp_is_never_asked_over_udp(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(Server("tcp", "127.0.0.1", upstream.port))
    assert address(await ask(resolver)) == ADDRESS
    assert upstream.asked == []


@pytest.mark.parametrize("fault", ["another question", "another id"])
async def test_a_reply_over_tcp_that_does_not_match_fails_the_server_at_once(
    upstream: FakeUpstream, second: FakeUpstream, make: Make, fault: str
) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        other = dnslib.DNSRecord.question("a.example" if fault == "another question" else str(query.q.qname))
        other.header.id = query.header.id ^ (fault == "another id")
        return [answer(other)]

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(Server("tcp", "127.0.0.1", upstream.port), second.server)
    assert address(await ask(resolver)) == ADDRESS
    assert resolver.timeouts == 0
    assert len(second.asked) == 1


async def test_a_connection_closed_early_goes_on_to_the_next_server(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda query, transport: [answer(query, tc=True)] if transport == "udp" else []
    resolver = make(upstream.server, second.server)
    assert address(await ask(resolver)) == ADDRESS
    assert len(second.asked) == 1
    assert resolver.errors == 1


async def test_a_closed_port_goes_on_to_the_next_server(refusing: Server, upstream: FakeUpstream, make: Make) -> None:
    resolver = make(refusing, upstream.server)
    assert address(await ask(resolver)) == ADDRESS
    assert resolver.errors == 1
    assert resolver.timeouts == 0


async def test_a_silent_server_is_given_up_for_the_next(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, second.server)
    assert address(await ask(resolver)) == ADDRESS
    assert resolver.timeouts == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_when_no_server_listens_the_failure_names_the_server(transport: str, make: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        servers = [Server("udp", "127.0.0.1", port)] if transport == "udp" else [Server("tcp", "127.0.0.1", port)]
        result = await ask(make(*servers))
    assert result == UpstreamFailure(codes.NETWORK_ERROR, f"127.0.0.1 port {port}: Connection refused")


async def test_a_server_that_cannot_be_reached_at_all_goes_on_to_the_next(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(Server("udp", "255.255.255.255", 53), upstream.server)  # connect fails: broadcast is not allowed
    assert address(await ask(resolver)) == ADDRESS


async def test_after_servfail_the_next_server_is_asked_and_the_last_servfail_is_the_reply(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda query, _: [answer(query, codes.SERVFAIL)]
    resolver = make(upstream.server, second.server)
    assert address(await ask(resolver)) == ADDRESS
    second.respond = upstream.respond
    result = await ask(resolver)
    assert isinstance(result, Message)
    assert result.rcode == codes.SERVFAIL


async def test_an_unknown_group_fails(make: Make) -> None:
    result = await ask(make(), key(group="nowhere"))
    assert result == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "upstream nowhere has no servers")


async def test_equal_questions_in_flight_are_asked_once(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    results = [asking(resolver, key()) for _ in range(50)]
    assert len(resolver) == 1
    assert {address(await result) for result in results} == {ADDRESS}
    assert len(upstream.asked) == 1
    await ask(resolver)
    assert len(upstream.asked) == 2


async def test_one_waiter_that_raises_does_not_harm_the_others(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    caught: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context["exception"]))

    def bad(_key: Key, _result: Reply | UpstreamFailure) -> None:
        raise ZeroDivisionError

    resolver.ask(key(), bad)
    assert address(await ask(resolver)) == ADDRESS
    assert [type(exception) for exception in caught] == [ZeroDivisionError]


async def test_a_hundred_queries_in_a_row_come_from_as_many_ports(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    for i in range(100):
        await ask(resolver, key(f"{i}.example.com"))
    assert len(set(upstream.ports)) >= 80
    assert len({query.header.id for query in upstream.asked}) >= 80


async def test_ports_stay_unpredictable_when_every_socket_is_open(
    upstream: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer than 80 different ports would occur by chance once in some hundred runs.
    monkeypatch.setattr(random_ids, "below", random.Random(1).randrange)  # noqa: S311 - a test's seed
    resolver = make(upstream.server)
    for i in range(500):
        await ask(resolver, key(f"{i}.example.com"))
    assert len(set(upstream.ports[-100:])) >= 80


async def test_a_socket_is_replaced_after_a_few_uses(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server, sockets=1)
    for i in range(3 * udp.USES):
        await ask(resolver, key(f"{i}.example.com"))
    assert set(Counter(upstream.ports).values()) == {udp.USES}


async def test_a_socket_carries_several_queries_whose_replies_come_in_any_order(
    upstream: FakeUpstream, make: Make
) -> None:
    held: list[tuple[bytes, int]] = []

    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        held.append((answer(query), upstream.ports[-1]))
        if len(held) == 50:
            for packet, port in reversed(held):
                upstream.udp.sendto(packet, ("127.0.0.1", port))
        return []

    upstream.respond = respond
    resolver = make(upstream.server, sockets=2)
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(50)]
    for result in results:
        assert address(await result) == ADDRESS
    assert len(set(upstream.ports)) <= 8
    assert len({(query.header.id, port) for query, port in zip(upstream.asked, upstream.ports, strict=True)}) == 50
    assert (resolver.timeouts, resolver.mismatches) == (0, 0)


async def test_beyond_the_bound_the_oldest_question_is_shed(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server, questions=2, waiters=1)
    names = "a.example", "b.example", "c.example", "b.example", "b.example"
    results = [asking(resolver, key(name)) for name in names]
    shed = [isinstance(await result, UpstreamFailure) for result in results]
    assert shed == [True, False, False, False, True]
    assert resolver.shed == 2
    assert address(await ask(resolver, key("a.example"))) == ADDRESS


async def test_a_client_that_asks_for_dead_names_makes_room_for_itself(upstream: FakeUpstream, make: Make) -> None:
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, of_one_client=3, questions=8)
    other = asking(resolver, key("patient.example"), b"\x0a\0\0\2")
    dead = [asking(resolver, key(f"{i}.example"), b"\x0a\0\0\1") for i in range(10)]
    await settle()
    assert [result.done() for result in dead] == [True] * 7 + [False] * 3
    assert not other.done()
    failure = await dead[0]
    assert isinstance(failure, UpstreamFailure)
    assert (failure.text, failure.lasting) == ("too many questions of this client are waiting", False)


async def test_names_that_nobody_answers_do_not_delay_others(upstream: FakeUpstream, make: Make) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        return [] if str(query.q.qname).startswith("dead") else [answer(query)]

    upstream.respond = respond
    resolver = make(upstream.server, sockets=20)
    dead = [asking(resolver, key(f"dead{i}.example")) for i in range(100)]
    for i in range(20):
        assert address(await ask(resolver, key(f"good{i}.example"))) == ADDRESS
    assert resolver.shed == 0
    assert not any(result.done() for result in dead)
    assert not resolver.health.of(upstream.server).down
    resolver.close()


# -- late replies


async def test_a_reply_that_comes_after_its_try_is_used(upstream: FakeUpstream, make: Make) -> None:
    held: list[bytes] = []

    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        held.append(answer(query))
        if len(upstream.asked) == 2:
            upstream.udp.sendto(held[0], ("127.0.0.1", upstream.ports[0]))
        return []

    upstream.respond = respond
    resolver = make(upstream.server)
    assert address(await ask(resolver)) == ADDRESS
    assert (resolver.timeouts, resolver.mismatches, resolver.late) == (1, 0, 0)
    assert upstream.ports[0] != upstream.ports[1]


async def test_a_reply_that_comes_after_the_failure_fills_the_cache(upstream: FakeUpstream, make: Make) -> None:
    late: list[tuple[Key, Reply]] = []
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, timeout=0.1, late=lambda *reply: late.append(reply))
    assert isinstance(await ask(resolver), UpstreamFailure)
    upstream.udp.sendto(answer(upstream.asked[0]), ("127.0.0.1", upstream.ports[0]))
    await until(lambda: late)
    assert (late[0][0], address(read(late[0][1]))) == (key(), ADDRESS)
    assert resolver.late == 1
    upstream.udp.sendto(answer(upstream.asked[0]), ("127.0.0.1", upstream.ports[0]))
    assert isinstance(await ask(resolver, key("other.example")), UpstreamFailure)
    assert len(late) == 1


async def test_failed_questions_that_still_listen_are_bounded(upstream: FakeUpstream, make: Make) -> None:
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, timeout=0.05, lingering=5)
    results = [asking(resolver, key(f"{i}.example")) for i in range(20)]
    for result in results:
        assert isinstance(await result, UpstreamFailure)
    assert len(resolver._failed) == 5


async def test_close_fails_what_waits_and_closes_the_sockets(upstream: FakeUpstream, make: Make) -> None:
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, Server("tcp", "127.0.0.1", upstream.port), sockets=1)
    over_tcp = make(Server("tcp", "127.0.0.1", upstream.port))
    results = [asking(resolver, key("a.example")), asking(resolver, key("b.example")), asking(over_tcp, key())]
    await settle()
    resolver.close()
    over_tcp.close()
    for result in results:
        assert await result == UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "shutting down", lasting=False)
    assert len(resolver) == len(over_tcp) == 0
    carriers = [*resolver._carriers, *over_tcp._carriers]
    assert [len(carrier) for carrier in carriers] == [0, 0]


@contextmanager
def descriptors(spare: int) -> Iterator[None]:
    """Limit the process to this many more descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_descriptors_open_sockets_go_on_serving(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    with descriptors(3):
        results = [asking(resolver, key(f"{i}.example.com")) for i in range(40)]
        for result in results:
            assert address(await result) == ADDRESS
    assert resolver.errors == 0


async def test_without_descriptors_a_question_fails_and_later_ones_succeed(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    with descriptors(0):
        result = await ask(resolver)
    text = f"127.0.0.1 port {upstream.port}: Too many open files"
    assert result == UpstreamFailure(codes.NETWORK_ERROR, text, lasting=False), "no server said it: it is not kept"
    assert address(await ask(resolver)) == ADDRESS


async def test_forged_replies_do_not_count_against_the_server(upstream: FakeUpstream, make: Make) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        right = answer(query)
        return [bytes((right[0] ^ 1,)) + right[1:]] * 10 + [right]

    upstream.respond = respond
    resolver = make(upstream.server)
    for i in range(5):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert not resolver.health.of(upstream.server).down


async def test_a_group_with_a_rate_sheds_what_is_beyond_it(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server, rate=5)
    results = [await ask(resolver, key(f"{i}.example.com")) for i in range(12)]
    shed = [result for result in results if isinstance(result, UpstreamFailure)]
    assert len(upstream.asked) == 5, "never more in any second"
    assert len(shed) == 7
    assert shed[0].text == "upstream public is asked no more often than 5 times a second"
    assert not shed[0].lasting
    assert resolver.shed == len(shed)


async def test_a_rate_counts_all_that_is_sent_and_not_only_questions(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda query, _: [answer(query, codes.SERVFAIL)]
    resolver = make(upstream.server, second.server, rate=3)
    assert address(await ask(resolver, key("a.example"))) == ADDRESS
    result = await ask(resolver, key("b.example"))
    assert isinstance(result, Message), "what the first server said"
    assert result.rcode == codes.SERVFAIL
    assert len(upstream.asked) + len(second.asked) == 3
    assert not resolver.health.of(second.server).down


@pytest.mark.parametrize("policy", ["sequential", "race"])
@pytest.mark.parametrize("servers", [1, 2, 3])
async def test_no_server_is_asked_the_same_more_than_three_times(
    upstream: FakeUpstream, second: FakeUpstream, third: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch,
    policy: str, servers: int,
) -> None:  # fmt: skip
    """RFC 9520 §3.1: probes and races included."""
    monkeypatch.setattr("resolver.forward.health.FIRST_RETRY", 0.0)
    monkeypatch.setattr("resolver.forward.round_trip.LONGEST_HEDGE", 0.01)
    fakes = [upstream, second, third][:servers]
    for fake in fakes:
        fake.respond = lambda *_: []
    resolver = make(*(fake.server for fake in fakes), policy=policy, timeout=0.3)
    for i in range(6):
        assert isinstance(await ask(resolver, key(f"{i}.example.com")), UpstreamFailure)
    await until(lambda: not resolver._probes)
    for fake in fakes:
        counts = Counter(str(query.q.qname) for query in fake.asked)
        assert set(counts) == {f"{i}.example.com." for i in range(6)}, "all are asked, down or not"
        assert max(counts.values()) <= 3


async def test_a_malformed_reply_over_udp_is_fetched_over_tcp_and_is_not_a_failure(
    upstream: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda query, transport: [answer(query)[: -3 if transport == "udp" else None]]
    resolver = make(upstream.server)
    for i in range(3):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert (resolver.tcp, len(upstream.asked)) == (3, 3)
    upstream.respond = lambda query, _: [answer(query)[:-3]]
    for i in range(3):
        result = await ask(resolver, key(f"{i}.example.net"))
        assert result == UpstreamFailure(
            codes.NETWORK_ERROR, f"127.0.0.1 port {upstream.port}: malformed reply: cut off"
        )
    assert not resolver.health.of(upstream.server).down


async def test_one_group_cannot_have_all_questions_in_flight(upstream: FakeUpstream) -> None:
    upstream.respond = lambda *_: []
    groups = [
        UpstreamGroup("public", (upstream.server,)),
        UpstreamGroup("onprem", (upstream.server,), ("corp.example",)),
    ]
    resolver = Forwarder(UpstreamGroups(groups), asyncio.get_running_loop(), limits=Limits(10, of_one_group=4))
    dead = [asking(resolver, key(f"{i}.example.com")) for i in range(6)]
    await settle()
    assert [result.done() for result in dead] == [True] * 2 + [False] * 4
    upstream.respond = lambda query, _: [answer(query)] if "corp" in str(query.q.qname) else []
    assert address(await ask(resolver, key("a.corp.example", group="onprem"))) == ADDRESS
    resolver.close()
    for result in dead:
        assert isinstance(await result, UpstreamFailure)


async def test_ten_thousand_equal_questions_are_one_query(upstream: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server)
    results = [asking(resolver, key()) for _ in range(10_000)]
    for result in results:
        assert address(await result) == ADDRESS
    assert len(upstream.asked) == 1
    assert resolver.shed == 0


async def test_queries_come_from_the_configured_address(upstream: FakeUpstream) -> None:
    for transport in ("udp", "tcp"):
        server = Server(transport, "127.0.0.1", upstream.port)
        group = UpstreamGroup("public", (server,), source="127.0.0.9")
        resolver = Forwarder(UpstreamGroups([group]), asyncio.get_running_loop())
        assert address(await ask(resolver)) == ADDRESS
        resolver.close()
    assert upstream.hosts == ["127.0.0.9", "127.0.0.9"]


async def test_the_state_of_every_server_is_reported(upstream: FakeUpstream, second: FakeUpstream, make: Make) -> None:
    resolver = make(upstream.server, second.server)
    assert address(await ask(resolver)) == ADDRESS
    first, other = resolver.report()
    assert (first.server, first.up, first.answers) == (f"udp://127.0.0.1:{upstream.port}", True, 1)
    assert (other.server, other.up, other.answers) == (f"udp://127.0.0.1:{second.port}", True, 0)
