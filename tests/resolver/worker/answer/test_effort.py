"""The cost of one query in bytecode instructions, which does not depend on the speed of the machine.

The bounds are some 30 % above the counts at the time when they were set. `bench` measures seconds.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from bench.paths import Paths, packet
from resolver.forward.cache import Key
from resolver.wire import plain_reply
from resolver.worker.access.clients import Client
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateVerdict
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.fetcher import Done
from resolver.worker.answer.responder import Responder
from tests.replies import Replies
from tests.resolver.worker.net.test_packet_cache import FORMS, HERE, Pair, form, nothing
from zones.dns.name import from_text
from zones.networks.prefixes import NetworkIndex

CLIENT, WAY = Client(HERE, NetworkIndex(0)), ClientTransport("udp", 1232)


class Effort:
    """Number of instructions so far."""

    count = 0


@contextmanager
def counted() -> Iterator[Effort]:
    """Count the instructions of all Python code that runs in the block."""
    effort = Effort()

    def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - as typeshed has it
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        effort.count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield effort
    finally:
        sys.settrace(before)


@pytest.fixture(scope="module")
def paths() -> Paths:
    return Paths()


def test_a_repeated_packet() -> None:
    batches, plain = FORMS[1]
    pair = Pair(batches)
    left: list[tuple[int, RateVerdict]] = []
    exact = [{b"%d and a question" % i: form(b"a reply") for i in range(50)}]
    for i in range(50):
        pair.client.sendto(b"id%d and a question" % i, pair.server.getsockname())
    with counted() as effort:
        assert plain.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 0.0, None, left) == 50
    pair.close()
    assert not left
    assert effort.count / 50 < 200


def effort(paths: Paths, name: str) -> int:
    """Return the number of instructions from a packet to its reply."""
    octets, replies = packet(from_text(name), 1), Replies()
    with counted() as effort:
        if not paths.responder.repeat(octets, NetworkIndex(0), replies.take):
            paths.responder.take(octets, CLIENT, WAY, replies.take)
    assert len(replies) == 1
    return effort.count


@pytest.mark.parametrize(
    ("below", "bounds"),
    [
        ("blob.core.windows.net", (11_400, 780, 100)),
        ("privatelink.blob.core.windows.net", (5_800, 720, 100)),
    ],
)
def test_a_question_of_a_new_kind_then_of_a_sibling_then_again(
    paths: Paths, below: str, bounds: tuple[int, ...]
) -> None:
    paths.fresh()
    for name, bound in zip(("acct000007", "acct000008", "acct000008"), bounds, strict=True):
        assert effort(paths, f"{name}.{below}") < bound


def test_a_question_that_an_upstream_answered_before(paths: Paths) -> None:
    paths.fresh()
    for name, bound in (("nope", 10_000), ("none", 7_400), ("none", 1_550)):
        text = f"{name}.privatelink.blob.core.windows.net"
        paths.publish(from_text(text))
        assert effort(paths, text) < bound


def test_a_question_that_no_client_has_asked_before(paths: Paths) -> None:
    """The worker's share of a miss: from the packet to the question, and from the plain reply to the client's."""
    paths.fresh()
    asked: list[tuple[Key, Done]] = []
    responder = Responder(replace(paths.parts, answers=AnswerCache(1)), lambda key, done, _: asked.append((key, done)))
    for number, bound in ((1, 6_700), (2, 3_300)):
        octets, replies = packet(from_text(f"n{number}.free.example"), 1), Replies()
        question = octets[12:-11]
        address = b"\xc0\x0c" + question[-4:] + bytes(3) + b"<\0\4\xc6\x33\x64\1"
        plain = octets[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + address
        with counted() as effort:
            responder.take(octets, CLIENT, WAY, replies.take)
            key, done = asked.pop()
            reply = plain_reply.read(plain, question)
            assert reply
            done(key, reply)
        assert len(replies) == 1
        assert effort.count < bound, number
