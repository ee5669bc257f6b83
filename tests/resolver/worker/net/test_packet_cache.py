"""Packets that were asked before in just this form, as plain Python and as it was compiled."""

import importlib.util
import socket
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.worker.access.rate_limit import Verdict
from resolver.worker.answer.answer_cache import Form
from resolver.worker.net import mmsg, packet_cache

HERE = socket.inet_aton("127.0.0.1")
FOREVER = float("inf")


def plain(module: ModuleType) -> ModuleType:
    """The module from its source, whether it was compiled or not."""
    source = Path(mmsg.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.py")
    spec = importlib.util.spec_from_file_location(f"plain_{module.__name__}", source)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def nothing(_packet: bytes, _network: int) -> None:
    """No reply is made in no time."""


FORMS = [(mmsg, packet_cache), (plain(mmsg), plain(packet_cache))]


class Pair:
    """A socket with its batch, and a client."""

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
        """What has come back; on loopback that is at once."""
        got = []
        try:
            while True:
                got.append(self.client.recv(4096))
        except BlockingIOError:
            return got

    def close(self) -> None:
        self.server.close()
        self.client.close()


def told(
    pair: Pair, answer: ModuleType, packets: list[bytes], exact: list[dict[bytes, Form]]
) -> tuple[int, list[bytes], list[bytes]]:
    """How many were read, those that had no reply, and the replies that came."""
    left: list[tuple[int, Verdict]] = []
    for packet in packets:
        pair.client.sendto(packet, pair.server.getsockname())
    count = answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 5.0, None, left)
    slow = [pair.slots.packet(slot) for slot, _ in left]
    pair.slots.flush()
    return count, slow, pair.replies()


@given(st.lists(st.binary(min_size=2, max_size=600), min_size=1, max_size=40), st.data())
def test_both_forms_answer_alike(packets: list[bytes], data: st.DataObject) -> None:
    known = data.draw(st.lists(st.sampled_from(packets)))
    until = st.sampled_from((0.0, 5.0, 6.0, FOREVER))
    forms = {packet[2:]: (data.draw(st.binary(min_size=10)), data.draw(until)) for packet in known}
    seen = []
    for batches, answer in FORMS:
        pair = Pair(batches)
        exact = [{packet: (reply, end, [0]) for packet, (reply, end) in forms.items()}]
        seen.append((*told(pair, answer, packets, exact), [cell[0] for _, _, cell in exact[0].values()]))
        pair.close()
    assert seen[0] == seen[1]
    count, slow, replies, cells = seen[0]
    assert count == len(packets)
    quick = [p for p in packets if len(p) <= mmsg.ROOM and forms.get(p[2:], (b"", 0.0))[1] > 5.0]
    assert slow == [p for p in packets if p not in quick]
    assert replies == [p[:2] + forms[p[2:]][0] for p in quick]
    assert sum(cells) == len(quick)


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_what_the_rate_limit_stops_is_left_with_its_word(batches: ModuleType, answer: ModuleType) -> None:
    pair = Pair(batches)
    words = iter((Verdict.PASS, Verdict.SLIP, Verdict.DROP))
    left: list[tuple[int, Verdict]] = []
    for _ in range(3):
        pair.client.sendto(b"id and question", pair.server.getsockname())
    exact = [{b" and question": (b" and answer", FOREVER, [0])}]
    answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 0.0, lambda *_: next(words), left)
    pair.slots.flush()
    assert left == [(1, Verdict.SLIP), (2, Verdict.DROP)]
    assert pair.replies() == [b"id and answer"]
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_what_was_never_asked_is_made_if_that_takes_no_time(batches: ModuleType, answer: ModuleType) -> None:
    pair = Pair(batches)
    asked: list[tuple[bytes, int]] = []

    def first(packet: bytes, network: int) -> bytes | None:
        asked.append((packet, network))
        return b" and answer" if b"quick" in packet else None

    packets = [b"id and a quick question", b"ID and a hard question"]
    for packet in packets:
        pair.client.sendto(packet, pair.server.getsockname())
    left: list[tuple[int, Verdict]] = []
    answer.answer(pair.slots, pair.layout, {HERE: 0}, [{}], first, 0.0, None, left)
    pair.slots.flush()
    assert asked == [(packet, 0) for packet in packets]
    assert left == [(1, Verdict.PASS)]
    assert pair.replies() == [b"id and answer"]
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
def test_what_a_batch_that_broke_off_has_queued_never_outgrows_the_slots(
    batches: ModuleType, answer: ModuleType
) -> None:
    """Queued replies are places in memory that the kernel reads."""
    pair = Pair(batches)
    exact = [{b"%d and question" % i: (b"%d and answer" % i, FOREVER, [0]) for i in range(200)}]
    calls = 0

    def breaking(*_: object) -> Verdict:
        nonlocal calls
        calls += 1
        if calls == 60:
            raise ArithmeticError
        return Verdict.PASS

    for _ in range(3):
        calls = 0
        for i in range(64):
            pair.client.sendto(b"id%d and question" % i, pair.server.getsockname())
        with pytest.raises(ArithmeticError):
            answer.answer(pair.slots, pair.layout, {HERE: 0}, exact, nothing, 0.0, breaking, [])
    count, slow, replies = told(pair, answer, [b"ID7 and question"], exact)
    assert (count, slow, replies) == (1, [], [b"ID7 and answer"])
    pair.close()


@pytest.mark.parametrize(("batches", "answer"), FORMS, ids=["as installed", "plain"])
@pytest.mark.parametrize("network", [None, -2, -3, -4])
def test_only_clients_with_a_network_are_answered(batches: ModuleType, answer: ModuleType, network: int | None) -> None:
    pair = Pair(batches)
    left: list[tuple[int, Verdict]] = []
    pair.client.sendto(b"id and question", pair.server.getsockname())
    known = {} if network is None else {HERE: network}
    exact: list[dict[bytes, Form]] = [{b" and question": (b"x", FOREVER, [0])}] * 5
    answer.answer(pair.slots, pair.layout, known, exact, nothing, 0.0, None, left)
    pair.slots.flush()
    assert left == [(0, Verdict.PASS)]
    assert not pair.replies()
    pair.close()
