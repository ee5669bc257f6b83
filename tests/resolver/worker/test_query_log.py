"""Which queries a worker logs, and what becomes of records for which the logger has no room."""

import socket
from collections.abc import Iterator

import pytest

from resolver.channel.query_records import AnsweredQueries, QueryBatch, QueryRecord, decode
from resolver.query_log_settings import QuerySelection
from resolver.worker.query_log import QueryLog, answer_class
from zones.clocks import WallTime

SUCCESS = b"\x81\x80\0\1\0\1\0\0\0\0"
NODATA = b"\x81\x80\0\1\0\0\0\1\0\0"
NXDOMAIN = b"\x81\x83\0\1\0\0\0\1\0\0"
REFUSED = b"\x81\x85\0\1\0\0\0\0\0\0"
TRUNCATED = b"\x83\x80\0\1\0\0\0\0\0\0"
NETWORKS: dict[int, str] = {-1: "none", 0: "weu", 1: "neu"}


class Logged:
    """A query log, and the socket of its logger."""

    def __init__(self) -> None:
        self.logger, workers_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.logger.settimeout(0)
        self.workers_end = workers_end
        self.dropped = [0]
        self.log = QueryLog(workers_end, self.dropped)
        self.log.configure(QuerySelection())

    def add(self, *replies: bytes, network: int = 0) -> None:
        records: list[QueryRecord] = [
            (number.to_bytes(2, "big") + bytes(10), bytes(4), 0, network, reply) for number, reply in enumerate(replies)
        ]
        self.log.add(QueryBatch(NETWORKS, [AnsweredQueries(WallTime(1.0), 0.5, "udp", records)]))

    def received(self) -> list[QueryBatch]:
        found: list[QueryBatch] = []
        while True:
            try:
                found.append(decode(self.logger.recv(1 << 20)))
            except BlockingIOError:
                return found

    def numbers(self) -> list[int]:
        answered = [each for batch in self.received() for each in batch.answered]
        return [int.from_bytes(record[0][:2], "big") for each in answered for record in each.records]


@pytest.fixture
def logged() -> Iterator[Logged]:
    made = Logged()
    yield made
    made.logger.close()
    made.workers_end.close()


@pytest.mark.parametrize(
    ("reply", "found"),
    [(SUCCESS, "success"), (TRUNCATED, "success"), (NODATA, "denial"), (NXDOMAIN, "denial"), (REFUSED, "error")],
)
def test_classes_are_those_of_coredns(reply: bytes, found: str) -> None:
    assert answer_class(reply) == found


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (QuerySelection(), [0, 1, 2, 3]),
        (QuerySelection(("error",)), [3]),
        (QuerySelection(("success", "denial")), [0, 1, 2]),
        (QuerySelection(networks=("weu",)), [0, 1, 2, 3]),
        (QuerySelection(networks=("neu", "none")), []),
    ],
)
def test_queries_are_selected(logged: Logged, selection: QuerySelection, numbers: list[int]) -> None:
    logged.log.configure(selection)
    logged.add(SUCCESS, NODATA, NXDOMAIN, REFUSED)
    assert logged.numbers() == numbers


def test_a_sample_counts_over_batches_and_only_what_is_selected(logged: Logged) -> None:
    logged.log.configure(QuerySelection(("success",), sample=3))
    for _ in range(6):
        logged.add(REFUSED, SUCCESS)
    logged.add(*[SUCCESS] * 9)
    assert len(logged.numbers()) == 5


def test_a_large_batch_is_divided_and_a_large_reply_is_sent(logged: Logged) -> None:
    logged.add(*[bytes(1000)] * 200)
    sent = logged.received()
    assert len(sent) == 4
    assert [each.size for each in sent] == [50] * 4
    logged.add(bytes(65_535))
    assert logged.numbers() == [0]
    assert logged.dropped == [0]


def test_a_full_socket_drops_and_counts_and_never_waits(logged: Logged) -> None:
    while not logged.dropped[0]:
        logged.add(*[SUCCESS] * 100)
    assert logged.dropped == [100]
    assert logged.received()
    logged.add(*[SUCCESS] * 100)
    assert logged.dropped == [100]


def test_nothing_is_kept_while_the_log_is_off(logged: Logged) -> None:
    logged.log.configure(None)
    logged.add(SUCCESS)
    assert not logged.log.is_on
    assert logged.numbers() == []
