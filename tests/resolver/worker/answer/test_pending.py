"""Queries that wait for an upstream: deadlines, failures, stale answers and renewal."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from resolver.forward.cache import FAILURE_TTL, Key, UpstreamFailure
from resolver.forward.deadlines import TICK
from resolver.settings import MAX_UPSTREAM_SECONDS
from resolver.wire import codes
from resolver.wire.relay import Message
from resolver.worker.access.clients import Client
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.fetcher import Result
from resolver.worker.answer.pending import IMPATIENCE, PATIENCE
from resolver.worker.answer.responder import Responder
from tests.replies import Replies
from zones.clocks import steady_clock, wall_clock
from zones.dns.name import from_text
from zones.dns.record import CNAME, RRset
from zones.networks.prefixes import NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]

WWW = RRset(from_text("www.example"), 1, 60, (b"\xc0\0\2\x50",))


def ede(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)]


class _Timer:
    def cancel(self) -> None:
        """Not called: the timer ends when nothing waits."""


_CLIENT = Client(b"\x0a\0\0\1", NetworkIndex(0))


class Waiting:
    """A responder whose upstreams and timers wait for the test."""

    def __init__(self, pipeline: "Pipeline") -> None:
        self.pipeline = pipeline
        self.asked: list[tuple[Key, Callable[[Result], None]]] = []
        self.timers = list[Callable[[], None]]()
        self.replies = Replies()
        clock = Clock(steady_clock(lambda: pipeline.now), wall_clock(lambda: pipeline.now), self.later)
        parts = replace(pipeline.parts, clock=clock)
        self.responder = Responder(parts, lambda key, done, _: self.asked.append((key, partial(done, key))))

    def later(self, _seconds: float, call: Callable[[], None]) -> "_Timer":
        self.timers.append(call)
        return _Timer()

    def take(self, packet: bytes) -> None:
        assert self.responder.take(packet, _CLIENT, ClientTransport("udp", codes.PAYLOAD), self.replies.take)

    def wait(self, seconds: float) -> None:
        """Let time pass, and a little more."""
        self.pipeline.now += seconds + 2 * TICK
        timers, self.timers = self.timers, []
        for call in timers:
            call()

    def late(self) -> None:
        self.wait(IMPATIENCE)
        self.wait(PATIENCE - IMPATIENCE)

    def idle(self) -> bool:
        """Return whether nothing waits, and no timer runs in vain."""
        self.wait(TICK)
        return not self.responder.pending and not self.timers


def message(*answer: RRset, rcode: int = 0) -> Message:
    return Message(rcode, aa=False, ad=False, ra=True, tc=False, answer=answer)


def alias(owner: str, target: str) -> RRset:
    return RRset(from_text(owner), CNAME, 60, (from_text(target),))


@pytest.fixture
def waiting(build: Build) -> Waiting:
    return Waiting(build())


def test_a_query_waits_for_its_upstream_and_is_answered_once(
    waiting: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    waiting.take(ask("www.example"))
    assert (waiting.replies, waiting.responder.pending, len(waiting.timers)) == ([], 1, 1)
    waiting.asked[0][1](message(WWW))
    assert len(waiting.replies) == 1
    assert waiting.idle()
    assert decode(waiting.replies[0]).answer[0].ttl == 60
    waiting.take(ask("www.example", "A", "noedns"))
    assert len(waiting.replies) == 2
    assert len(waiting.asked) == 1


def test_all_hops_together_have_one_deadline(
    waiting: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    waiting.take(ask("a.example"))
    waiting.wait(IMPATIENCE)
    waiting.asked[0][1](message(alias("a.example", "b.example")))
    assert len(waiting.asked) == 2
    waiting.wait(PATIENCE - IMPATIENCE - 0.1)
    assert not waiting.replies
    waiting.wait(0.1)
    assert ede(decode(waiting.replies[0])) == [codes.NO_REACHABLE_AUTHORITY]
    assert waiting.responder.pending == 0
    waiting.asked[1][1](message(WWW))
    assert len(waiting.replies) == 1, "a late reply is for the next query"


def test_a_late_reply_is_cached(waiting: Waiting, ask: Callable[..., bytes]) -> None:
    waiting.take(ask("www.example"))
    waiting.late()
    waiting.asked[0][1](message(WWW))
    waiting.take(ask("www.example"))
    assert len(waiting.replies) == 2
    assert len(waiting.asked) == 1


def test_a_bug_is_a_servfail_and_the_next_query_is_answered(
    waiting: Waiting,
    ask: Callable[..., bytes],
    decode: Callable[[bytes], dns.message.Message],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    waiting.take(ask("www.example"))
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr("resolver.worker.answer.engine.Engine.answer", lambda *_: 1 / 0)
        waiting.take(ask("www.other.test"))
        waiting.asked[0][1](message(WWW))
    for reply in waiting.replies:
        assert decode(reply).rcode() == dns.rcode.SERVFAIL
    assert len(waiting.replies) == 2
    assert len(caplog.records) == 2
    assert waiting.idle()
    waiting.take(ask("www.example"))
    assert decode(waiting.replies[2]).rcode() == dns.rcode.NOERROR


def test_servfail_says_that_recursion_is_available_and_refused_does_not(build: Build) -> None:
    broken = build("", {}, {"public": "!servfail broken.example"})
    no_server = build("", {}, {"public": "!closed"})
    for pipeline in (broken, no_server):
        reply = pipeline.ask("broken.example")
        assert (reply.rcode(), bool(reply.flags & dns.flags.RA)) == (dns.rcode.SERVFAIL, True)
    refused = broken.ask("www.example", "AXFR")
    assert (refused.rcode(), bool(refused.flags & dns.flags.RA)) == (dns.rcode.REFUSED, False)


def test_a_query_that_waits_too_long_gets_servfail_with_ra(
    waiting: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    waiting.take(ask("www.example"))
    waiting.late()
    reply = decode(waiting.replies[0])
    assert (reply.rcode(), bool(reply.flags & dns.flags.RA)) == (dns.rcode.SERVFAIL, True)


def test_an_upstream_that_cannot_be_asked_is_a_servfail(build: Build, ask: Callable[..., bytes]) -> None:
    waiting = Waiting(build())
    waiting.responder.fetcher._ask = lambda *_: 1 / 0  # type: ignore[assignment]
    waiting.take(ask("www.example"))
    assert len(waiting.replies) == 1
    assert waiting.idle()


def test_a_client_waits_less_than_five_seconds() -> None:
    """Clients give up after 5 s. The servers have their time within that of all hops together."""
    assert MAX_UPSTREAM_SECONDS < PATIENCE < 5


@pytest.mark.parametrize(
    "result",
    [UpstreamFailure(codes.NETWORK_ERROR, "refused"), message(rcode=codes.SERVFAIL), message(rcode=codes.REFUSED)],
)
def test_a_failure_is_cached_for_some_seconds(
    build: Build, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message], result: Result
) -> None:
    pipeline = build()
    waiting = Waiting(pipeline)
    for options in ((), ("noedns",), ()):
        waiting.take(ask("www.example", "A", *options))
        if len(waiting.replies) == 0:
            waiting.asked[0][1](result)
    assert [decode(reply).rcode() for reply in waiting.replies] == [dns.rcode.SERVFAIL] * 3
    assert ede(decode(waiting.replies[2])) == ede(decode(waiting.replies[0])) != []
    assert (len(waiting.asked), len(waiting.responder.answers)) == (1, 0)
    pipeline.now += FAILURE_TTL
    waiting.take(ask("www.example"))
    waiting.asked[1][1](message(WWW))
    assert decode(waiting.replies[3]).rcode() == dns.rcode.NOERROR


def test_a_failure_of_the_worker_itself_is_not_cached(waiting: Waiting, ask: Callable[..., bytes]) -> None:
    for i in range(2):
        waiting.take(ask("www.example"))
        waiting.asked[i][1](UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "too many questions", lasting=False))
    assert len(waiting.replies) == 2


# -- stale answers, and answers that are about to expire


@pytest.fixture
def expired(build: Build, ask: Callable[..., bytes]) -> Waiting:
    """The answer for www.example had a TTL of 60 seconds and has expired."""
    pipeline = build()
    waiting = Waiting(pipeline)
    waiting.take(ask("www.example"))
    waiting.asked.pop()[1](message(WWW))
    waiting.replies.clear()
    pipeline.now += 61
    return waiting


def test_without_any_upstream_the_stale_answer_is_given(
    expired: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    expired.take(ask("www.example"))
    expired.asked[0][1](UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "no reply"))
    stale = decode(expired.replies[0])
    assert (stale.rcode(), stale.answer[0].ttl, ede(stale)) == (dns.rcode.NOERROR, 30, [codes.STALE_ANSWER])
    expired.take(ask("www.example", "A", "ad"))
    assert ede(decode(expired.replies[1])) == [codes.STALE_ANSWER], "upstreams are not asked again for some seconds"
    assert len(expired.asked) == 1
    expired.pipeline.now += FAILURE_TTL
    expired.take(ask("www.example"))
    expired.asked[1][1](message(WWW))
    fresh = decode(expired.replies[2])
    assert (fresh.answer[0].ttl, ede(fresh)) == (60, [])


def test_when_upstreams_are_slow_the_stale_answer_is_given_and_the_question_goes_on(
    expired: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    expired.take(ask("www.example"))
    expired.wait(IMPATIENCE)
    assert ede(decode(expired.replies[0])) == [codes.STALE_ANSWER]
    assert expired.responder.pending == 0
    expired.asked[0][1](message(WWW))
    expired.take(ask("www.example"))
    assert decode(expired.replies[1]).answer[0].ttl == 60
    assert len(expired.asked) == 1


def test_a_stale_answer_is_given_for_a_later_alias_too_once_upstreams_were_slow(
    build: Build, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    pipeline = build()
    waiting = Waiting(pipeline)
    waiting.take(ask("www.example"))
    waiting.asked[0][1](message(WWW))
    pipeline.now += 61
    waiting.take(ask("a.example"))
    waiting.wait(IMPATIENCE)
    waiting.asked[1][1](message(alias("a.example", "www.example")))
    assert waiting.asked[2][0].name == from_text("www.example"), "the question goes on"
    reply = decode(waiting.replies[1])
    assert ([rrset.ttl for rrset in reply.answer], ede(reply)) == ([60, 30], [codes.STALE_ANSWER])
    assert waiting.idle()


def test_when_upstreams_are_slow_a_query_without_stale_answer_waits_on(
    waiting: Waiting, ask: Callable[..., bytes]
) -> None:
    waiting.take(ask("www.example"))
    waiting.wait(IMPATIENCE)
    assert waiting.replies == []
    waiting.asked[0][1](message(WWW))
    assert len(waiting.replies) == 1


@pytest.mark.parametrize(("age", "stale"), [(86_399, True), (86_400, False)])
def test_an_answer_that_expired_too_long_ago_is_not_given(
    expired: Waiting, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message], age: int, stale: bool
) -> None:
    expired.pipeline.now += age - 1
    expired.take(ask("www.example"))
    expired.asked[0][1](UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "no reply"))
    assert decode(expired.replies[0]).rcode() == (dns.rcode.NOERROR if stale else dns.rcode.SERVFAIL)


def test_a_query_shortly_before_expiry_renews_the_answer_once(
    build: Build, ask: Callable[..., bytes], decode: Callable[[bytes], dns.message.Message]
) -> None:
    pipeline = build()
    waiting = Waiting(pipeline)
    for options in ((), ("noedns",)):
        waiting.take(ask("www.example", "A", *options))
        if waiting.asked:
            waiting.asked[0][1](message(WWW))
    pipeline.now += 53
    waiting.take(ask("www.example"))
    assert len(waiting.asked) == 1, "not before the last tenth of its lifetime"
    pipeline.now += 2
    for options in ((), ("noedns",), ()):
        waiting.take(ask("www.example", "A", *options))
    assert len(waiting.asked) == 3, "both compiled answers, until the renewed one has come"
    waiting.asked[1][1](message(WWW))
    assert pipeline.counters.cell("cache_prefetches_total") == [2]
    assert decode(waiting.replies[-1]).answer[0].ttl == 5
    pipeline.now += 6
    waiting.take(ask("www.example"))
    assert len(waiting.asked) == 3
    assert decode(waiting.replies[-1]).answer[0].ttl == 54


def test_endless_aliases_are_servfail(waiting: Waiting, ask: Callable[..., bytes]) -> None:
    waiting.take(ask("n0.example"))
    for i in range(40):
        if waiting.replies:
            break
        waiting.asked[i][1](message(alias(f"n{i}.example", f"n{i + 1}.example")))
    assert len(waiting.replies) == 1
    assert len(waiting.asked) == 12
