"""What one query costs, in instructions of the interpreter: a guard that no machine's speed has a part in.

The bounds are some 30 % above what it took when they were set. Seconds are measured in `bench`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from bench.paths import Paths, packet
from resolver.clients import Client
from resolver.options import Way
from resolver.ratelimit import Verdict
from tests.resolver.net.test_hits import FORMS, HERE, Pair
from zones.name import from_text

CLIENT, WAY = Client(HERE, 0), Way("udp", 1232)


class Effort:
    """Instructions so far."""

    count = 0


@contextmanager
def counted() -> Iterator[Effort]:
    """Counts the instructions of all Python code that runs meanwhile."""
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
    left: list[tuple[int, Verdict]] = []
    exact = [{b"%d and a question" % i: (b"a reply", float("inf"), [0]) for i in range(50)}]
    for i in range(50):
        pair.client.sendto(b"id%d and a question" % i, pair.server.getsockname())
    with counted() as effort:
        assert plain.answer(pair.slots, pair.place, {HERE: 0}, exact, 0.0, None, left) == 50
    pair.close()
    assert not left
    assert effort.count / 50 < 200


@pytest.mark.parametrize(
    ("text", "first", "again"),
    [
        ("acct000007.blob.core.windows.net", 5_600, 1_350),
        ("acct000007.privatelink.blob.core.windows.net", 4_000, 1_400),
        ("none.privatelink.blob.core.windows.net", 6_600, 1_850),
    ],
)
def test_a_question_at_first_and_again(paths: Paths, text: str, first: int, again: int) -> None:
    paths.fresh()
    sibling = text.replace("7", "8").replace("none", "nope")
    for name in (text, sibling):
        if text.startswith("none"):
            paths.publish(from_text(name))
    replies: list[bytes] = []
    paths.responder.take(packet(from_text(sibling), 1), CLIENT, WAY, replies.append)
    for bound in (first, again):
        with counted() as effort:
            paths.responder.take(packet(from_text(text), 1), CLIENT, WAY, replies.append)
        assert effort.count < bound
    assert len(replies) == 3
