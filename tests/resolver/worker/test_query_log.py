"""Which queries a worker logs, and what becomes of records for which the logger has no room."""

import socket
from collections.abc import Callable, Iterator

import pytest

from resolver.channel.query_records import AnsweredQueries, decode
from resolver.query_log_settings import QuerySelection
from resolver.worker import query_log
from resolver.worker.query_log import QueryLog, answer_class
from zones.clocks import WallTime

SUCCESS = b"\x81\x80\0\1\0\1\0\0\0\0"
NODATA = b"\x81\x80\0\1\0\0\0\1\0\0"
NXDOMAIN = b"\x81\x83\0\1\0\0\0\1\0\0"
REFUSED = b"\x81\x85\0\1\0\0\0\0\0\0"
TRUNCATED = b"\x83\x80\0\1\0\0\0\0\0\0"
NETWORKS = {-1: "none", 0: "weu", 1: "neu"}


class Logged:
    """A query log, the socket of its logger, and the timer, which the test fires."""

    def __init__(self) -> None:
        self.logger, workers_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.logger.settimeout(0)
        self.workers_end = workers_end
        self.dropped = [0]
        self.due: list[Callable[[], None]] = []
        self.log = QueryLog(workers_end, self._later, self.dropped)
        self.log.configure(QuerySelection())

    def _later(self, _: float, call: Callable[[], None]) -> "Logged":
        self.due.append(call)
        return self

    def cancel(self) -> None:
        self.due.clear()

    def add(self, *replies: bytes, network: int = 0) -> None:
        records = [(bytes((0, number)), bytes(4), 0, network, reply) for number, reply in enumerate(replies)]
        self.log.add(AnsweredQueries(WallTime(1.0), 0.5, "udp", NETWORKS, records))

    def received(self) -> list[AnsweredQueries]:
        found: list[AnsweredQueries] = []
        while True:
            try:
                found += decode(self.logger.recv(1 << 20))
            except BlockingIOError:
                return found

    def numbers(self) -> list[int]:
        self.log.flush()
        return [record[0][1] for each in self.received() for record in each.records]


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


def test_records_wait_for_others_and_then_go_together(logged: Logged) -> None:
    logged.add(SUCCESS)
    logged.add(NXDOMAIN)
    assert not logged.received()
    (fire,) = logged.due
    fire()
    assert [len(each.records) for each in logged.received()] == [1, 1]
    logged.add(*[SUCCESS] * query_log.BATCH)
    assert len(logged.received()[0].records) == query_log.BATCH
    assert not logged.due


def test_large_replies_do_not_wait(logged: Logged) -> None:
    logged.add(bytes(query_log.LARGEST))
    assert logged.received()


def test_a_full_socket_drops_and_counts_and_never_waits(logged: Logged) -> None:
    while not logged.dropped[0]:
        logged.add(*[SUCCESS] * query_log.BATCH)
    assert logged.dropped == [query_log.BATCH]
    assert logged.received()
    logged.add(*[SUCCESS] * query_log.BATCH)
    assert logged.dropped == [query_log.BATCH]


def test_nothing_is_kept_while_the_log_is_off(logged: Logged) -> None:
    logged.log.configure(None)
    logged.add(SUCCESS)
    assert not logged.log.is_on
    assert logged.numbers() == []
