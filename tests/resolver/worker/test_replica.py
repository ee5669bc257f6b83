"""Frames applied to a worker's table: evicted answers, swept names, and the garbage collector."""

import gc
from collections.abc import Iterator

import pytest

from resolver import settings
from resolver.channel.frames import Begin, Commit, Down, Masks, Rows, Static
from resolver.wire import render
from resolver.worker.access.clients import Clients
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.compiled import PAST, Compiled
from resolver.worker.replica import Replica
from zones.azure.catalogue import catalogue
from zones.claims.policy import DEFAULTS, Policies
from zones.claims.row import BY_RULE, ClassNumber, Variant, pack
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text
from zones.dns.record import SOA, A, RRset
from zones.networks.network import Networks
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Outside
from zones.table.table import Table

CORP = from_text("corp.example")


class ReplicaWorker:
    """A replica, with the table and the answers that it updates."""

    def __init__(self) -> None:
        self.table = Table(catalogue(), Policies(DEFAULTS, {}))
        self.table.unsynced, self.table.awaited = True, frozenset({CORP})
        self.answers = AnswerCache(1)
        self.clients = Clients(Networks(auto=True), settings.WorkerSettings((), ("0.0.0.0/0",)))
        self.replica = Replica(self.table, self.answers, self.clients)

    def take(self, *frames: Down) -> int:
        """Apply frames, and return the number of slices."""
        return sum(1 for frame in frames for _ in self.replica.apply(frame))

    def keep(self, *names: str) -> Compiled:
        """Store a compiled answer that depends on these names."""
        owners = tuple(map(from_text, names))
        body = render.body(owners[0] + b"\0\1\0\1", 0, 0)
        answer = Compiled(
            body, 5, owners, [0], SteadyTime(0.0), SteadyTime(float("inf")), expendable=False, fallback=None
        )
        self.answers.keep(owners[0], answer)
        return answer

    @property
    def kept(self) -> set[Compiled]:
        return set(self.answers)

    @property
    def names(self) -> set[Name]:
        return {name for name, _ in self.table.each()}


@pytest.fixture
def worker() -> Iterator[ReplicaWorker]:
    """A worker without a table. The garbage collector is enabled after the test in any case."""
    yield ReplicaWorker()
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def loaded(worker: ReplicaWorker) -> ReplicaWorker:
    """A worker with the names a and b, and a zone."""
    worker.take(
        Begin("e1", 1),
        Masks([(ClassNumber(1), b"\x01")]),
        Rows([row("a", 1), row("b", 1)]),
        zone("www"),
        Commit(1, unsynced=False),
    )
    return worker


def blob(name: str) -> str:
    return f"{name}.blob.core.windows.net"


def private(name: str) -> str:
    return f"{name}.privatelink.blob.core.windows.net"


def row(name: str, generation: int = 0, last: int = 4) -> tuple[Name, bytes]:
    variant = Variant(ClassNumber(1), BY_RULE, (bytes((10, 0, 0, last)),), (), ())
    return from_text(private(name)), pack([variant], generation)


def zone(*names: str, is_open: bool = False) -> Static:
    soa = RRset(CORP, SOA, 60, (b"\0\0" + bytes(20),))
    hosts = [(from_text(f"{name}.corp.example"), (RRset(CORP, A, 60, (bytes(4),)),)) for name in names]
    return Static(CORP, [(CORP, (soa,)), *hosts], is_open)


def test_a_change_evicts_the_answers_of_its_names_and_no_others(loaded: ReplicaWorker) -> None:
    for name in (blob("a"), private("a"), "4.0.0.10.in-addr.arpa", "5.0.0.10.in-addr.arpa"):
        loaded.keep(name)
    loaded.keep("files.corp.example", blob("a"))
    kept = {loaded.keep(blob("b")), loaded.keep("www.corp.example"), loaded.keep("6.0.0.10.in-addr.arpa")}
    loaded.take(Rows([row("a", last=5)]))
    assert loaded.kept == kept


def test_the_same_row_again_evicts_nothing(loaded: ReplicaWorker) -> None:
    kept = {loaded.keep(blob("a"))}
    loaded.take(Rows([row("a")]), Commit(2, unsynced=False))
    loaded.take(Begin("e2", 2), Rows([row("a", 2), row("b", 2)]), zone("www"), Commit(1, unsynced=False))
    assert loaded.kept == kept
    assert (loaded.replica.epoch, loaded.replica.serial, loaded.replica.generation) == ("e2", 1, 2)


def test_a_snapshot_sweeps_at_its_commit_and_evicts_the_swept_names(loaded: ReplicaWorker) -> None:
    swept, kept = loaded.keep(blob("b")), loaded.keep(blob("a"))
    loaded.take(Begin("e2", 2), Rows([row("a", 2)]), zone("www"))
    assert loaded.names == {row("a")[0], row("b")[0]}
    loaded.take(Commit(1, unsynced=False))
    assert loaded.names == {row("a")[0]}
    assert loaded.kept == {kept}
    assert swept.until == PAST


def test_answers_are_cleared_when_data_becomes_stale_and_when_it_is_fresh_again(loaded: ReplicaWorker) -> None:
    for serial, stale in ((2, True), (3, False)):
        kept = loaded.keep("a")
        loaded.take(Commit(serial, unsynced=False, stale=stale))
        assert loaded.table.stale is stale
        assert not loaded.kept
        kept = loaded.keep("a")
        loaded.take(Commit(serial, unsynced=False, stale=stale))
        assert loaded.kept == {kept}


def test_names_of_a_static_zone_are_swept_too(loaded: ReplicaWorker) -> None:
    loaded.keep("www.corp.example")
    loaded.take(Begin("e2", 2), Rows([row("a", 2)]), zone("new"), Commit(1, unsynced=False))
    assert set(loaded.table.static[CORP].names) == {CORP, from_text("new.corp.example")}
    assert not loaded.kept
    loaded.take(Begin("e3", 3), Commit(1, unsynced=False))
    assert not loaded.table.static


def test_a_zone_that_control_awaits_is_not_swept(loaded: ReplicaWorker) -> None:
    loaded.take(Begin("e2", 2), Commit(1, unsynced=False, awaited=(CORP,)))
    assert set(loaded.table.static[CORP].names) == {CORP, from_text("www.corp.example")}
    assert not loaded.table.awaited


def test_until_its_first_commit_a_worker_awaits_its_zones(worker: ReplicaWorker) -> None:
    """Each step clears the answers that were compiled before it."""
    frames: list[Down] = [Begin("e1", 1), zone("www"), Commit(1, unsynced=True), Commit(2, unsynced=False)]
    stages = []
    for frame in frames:
        worker.keep(blob("x"))
        worker.take(frame)
        stages.append((set(worker.table.awaited), worker.table.unsynced, len(worker.answers)))
    assert stages == [({CORP}, True, 1), ({CORP}, True, 1), (set(), True, 0), (set(), False, 0)]


def test_a_zone_that_control_never_read_stays_awaited_and_evicts_no_answers(worker: ReplicaWorker) -> None:
    worker.take(Begin("e1", 1), Commit(1, unsynced=False, awaited=(CORP,)))
    assert worker.table.awaited == {CORP}
    kept = {worker.keep(blob("x"))}
    worker.take(Commit(2, unsynced=False, awaited=(CORP,)))
    assert worker.kept == kept


def test_after_an_aborted_snapshot_the_next_has_another_generation(loaded: ReplicaWorker) -> None:
    loaded.take(Begin("e2", 2), Rows([row("a", 2), row("c", 2)]))
    loaded.replica.disconnected()
    assert (loaded.replica.epoch, loaded.replica.serial, loaded.replica.generation) == ("e1", 1, 2)
    loaded.take(Begin("e3", 3), Rows([row("a", 3)]), Commit(1, unsynced=False))
    assert loaded.names == {row("a")[0]}


def test_a_commit_after_an_aborted_snapshot_sweeps_nothing(loaded: ReplicaWorker) -> None:
    loaded.take(Begin("e2", 2))
    loaded.replica.disconnected()
    loaded.take(Commit(2, unsynced=False))
    assert loaded.names == {row("a")[0], row("b")[0]}


def test_a_resync_keeps_the_epoch_and_sends_a_serial_that_control_does_not_know(loaded: ReplicaWorker) -> None:
    loaded.replica.disconnected(resync=True)
    assert (loaded.replica.epoch, loaded.replica.serial) == ("e1", -1)


def test_rows_apply_in_slices(worker: ReplicaWorker) -> None:
    worker.take(Begin("e1", 1), Masks([(ClassNumber(1), b"\x01")]))
    assert worker.take(Rows([row(f"n{number}") for number in range(33)])) == 3
    assert worker.take(zone(*(f"n{number}" for number in range(32)))) == 2
    assert worker.take(*(zone() for _ in range(30))) == 1  # with the 33 names before: slices span frames


def test_the_collector_is_disabled_during_the_first_load_only(worker: ReplicaWorker) -> None:
    worker.take(Begin("e1", 1))
    assert not gc.isenabled()
    frozen = gc.get_freeze_count()
    worker.take(Masks([(ClassNumber(1), b"\x01")]), Rows([row("a", 1)]), Commit(1, unsynced=False))
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    frozen = gc.get_freeze_count()
    worker.take(Begin("e2", 2))
    assert gc.isenabled()
    worker.take(Commit(1, unsynced=False))
    assert gc.get_freeze_count() <= frozen


def test_the_collector_is_enabled_again_when_the_first_load_is_aborted(worker: ReplicaWorker) -> None:
    worker.take(Begin("e1", 1), Masks([(ClassNumber(1), b"\x01")]), Rows([row("a", 1)]))
    worker.replica.disconnected()
    assert gc.isenabled()
    worker.take(Begin("e1", 2))
    assert not gc.isenabled()
    worker.take(Commit(1, unsynced=False))
    assert gc.isenabled()


def test_a_row_of_an_unknown_class_is_an_error_and_leaves_the_old_row(loaded: ReplicaWorker) -> None:
    with pytest.raises(KeyError):
        loaded.take(Rows([(row("a")[0], pack([Variant(ClassNumber(9), BY_RULE, (bytes(4),), (), ())]))]))
    assert dict(loaded.table.each())[row("a")[0]] == row("a", 1)[1]


def test_a_sweep_leaves_a_provided_zone_open(worker: ReplicaWorker) -> None:
    worker.take(Begin("e1", 1), zone("www", "gone", is_open=True), Commit(1, unsynced=False))
    worker.take(Begin("e2", 2), zone("www", is_open=True), Commit(1, unsynced=False))
    assert from_text("gone.corp.example") not in worker.table.static[CORP].names
    assert worker.table.static[CORP].is_open
    assert isinstance(worker.table.lookup(from_text("gone.corp.example"), A, NetworkIndex(0)), Outside)
