"""Repeated packets, answered by the module as plain Python and as compiled."""

import importlib.util
import socket
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.wire import render
from resolver.worker.access.rate_limit import RateVerdict
from resolver.worker.answer.answer_cache import Form
from resolver.worker.answer.compiled import FOREVER, Compiled
from resolver.worker.net import mmsg, packet_cache
from zones.clocks import SteadyTime

HERE = socket.inet_aton("127.0.0.1")
ANSWER = Compiled(render.Body(b"", b"", ()), 0, (), [0], SteadyTime(0.0), FOREVER, expendable=False, fallback=None)


def plain(module: ModuleType) -> ModuleType:
    """Return the module from its source, even where it is compiled."""
    source = Path(mmsg.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.py")
    spec = importlib.util.spec_from_file_location(f"plain_{module.__name__}", source)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def nothing(_packet: bytes, _network: int) -> None:
    """Make no immediate reply."""


def form(reply: bytes, until: SteadyTime = FOREVER) -> Form:
    """What the exact map holds for a packet with this reply."""
    return reply, until, [0], ANSWER


FORMS = [(mmsg, packet_cache), (plain(mmsg), plain(packet_cache))]


class Pair:
    """A server socket with its batch, and a client socket."""

    def __init__(self, batches: ModuleType) -> None:
        if not mmsg.AVAILABLE:
            pytest.skip("there are no batches here")
        self.server, self.client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.server, self.client):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)  # noqa: FBT003 - the socket module has it so
        self.slots = batches.Batch(self.server)
        self.layout = packet_cache.AddressLayout(4, 4, socket.htons(self.server.getsockname()[1]))

    def replies(self) -> list[bytes]:
        """Return the replies. On loopback, they arrive at once."""
        got = []
        try:
            while True:
                got.append(self.client.recv(4096))
        except BlockingIOError:
            return got

    def close(self) -> None:
        self.server.close()
        self.client.close()


def exchanged(
    pair: Pair, answer: ModuleType, packets: list[bytes], exact: list[dict[bytes, Form]]
) -> tuple[int, list[bytes], list[bytes]]:
    """Return how many packets were read, the packets without a reply, and the replies."""
    left: list[tuple[int, RateVerdict]] = []
    for packet in packets:
        pair.client.sendto(packet, pair.server.getsockname())
    count = answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 5.0, None, left)
    slow = [pair.slots.packet(slot) for slot, _ in left]
    pair.slots.flush()
    return count, slow, pair.replies()


@given(st.lists(st.binary(min_size=2, max_size=600), min_size=1, max_size=40), st.data())
def test_the_compiled_module_answers_like_plain_python(packets: list[bytes], data: st.DataObject) -> None:
    known = data.draw(st.lists(st.sampled_from(packets)))
    until = st.sampled_from((0.0, 5.0, 6.0, FOREVER))
    forms = {packet[2:]: (data.draw(st.binary(min_size=10)), data.draw(until)) for packet in known}
    seen = []
    for batches, answer in FORMS:
        pair = Pair(batches)
        exact = [{packet: form(reply, SteadyTime(end)) for packet, (reply, end) in forms.items()}]
        seen.append((*exchanged(pair, answer, packets, exact), [cell[0] for _, _, cell, _ in exact[0].values()]))
        pair.close()
    assert seen[0] == seen[1]
    count, slow, replies, cells = seen[0]
    assert count == len(packets)
    quick = [p for p in packets if len(p) <= mmsg.ROOM and forms.get(p[2:], (b"", 0.0))[1] > 5.0]
    assert slow == [p for p in packets if p not in quick]
    assert replies == [p[:2] + forms[p[2:]][0] for p in quick]
    assert sum(cells) == len(quick)


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_a_rate_limited_packet_is_left_with_its_verdict(batches: ModuleType, answer: ModuleType) -> None:
    pair = Pair(batches)
    words = iter((RateVerdict.PASS, RateVerdict.SLIP, RateVerdict.DROP))
    left: list[tuple[int, RateVerdict]] = []
    for _ in range(3):
        pair.client.sendto(b"id and question", pair.server.getsockname())
    exact = [{b" and question": form(b" and answer")}]
    answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 0.0, lambda *_: next(words), left)
    pair.slots.flush()
    assert left == [(1, RateVerdict.SLIP), (2, RateVerdict.DROP)]
    assert pair.replies() == [b"id and answer"]
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_a_new_packet_gets_an_immediate_reply_where_one_can_be_made(batches: ModuleType, answer: ModuleType) -> None:
    pair = Pair(batches)
    asked: list[tuple[bytes, int]] = []

    def first(packet: bytes, network: int) -> bytes | None:
        asked.append((packet, network))
        return b" and answer" if b"quick" in packet else None

    packets = [b"id and a quick question", b"ID and a hard question"]
    for packet in packets:
        pair.client.sendto(packet, pair.server.getsockname())
    left: list[tuple[int, RateVerdict]] = []
    answer.answer(pair.slots, pair.layout, {HERE: 0}, [{}], first, 0.0, None, left)
    pair.slots.flush()
    assert asked == [(packet, 0) for packet in packets]
    assert left == [(1, RateVerdict.PASS)]
    assert pair.replies() == [b"id and answer"]
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_replies_left_by_a_failed_batch_never_exceed_the_slots(batches: ModuleType, answer: ModuleType) -> None:
    """The kernel reads queued replies in place, so too many of them would overrun the headers."""
    pair = Pair(batches)
    exact = [{b"%d and question" % i: form(b"%d and answer" % i) for i in range(200)}]
    calls = 0

    def breaking(*_: object) -> RateVerdict:
        nonlocal calls
        calls += 1
        if calls == 60:
            raise ArithmeticError
        return RateVerdict.PASS

    for _ in range(3):
        calls = 0
        for i in range(64):
            pair.client.sendto(b"id%d and question" % i, pair.server.getsockname())
        with pytest.raises(ArithmeticError):
            answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 0.0, breaking, [])
    count, slow, replies = exchanged(pair, answer, [b"ID7 and question"], exact)
    assert (count, slow, replies) == (1, [], [b"ID7 and answer"])
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
@pytest.mark.parametrize("network", [None, -2, -3, -4])
def test_only_known_clients_are_answered(batches: ModuleType, answer: ModuleType, network: int | None) -> None:
    pair = Pair(batches)
    left: list[tuple[int, RateVerdict]] = []
    pair.client.sendto(b"id and question", pair.server.getsockname())
    known = {} if network is None else {HERE: network}
    exact: list[dict[bytes, Form]] = [{b" and question": form(b"x")}] * 5
    answer.answer(pair.slots, pair.layout, known, exact, nothing, 0.0, None, left)
    pair.slots.flush()
    assert left == [(0, RateVerdict.PASS)]
    assert not pair.replies()
    pair.close()
