"""The memory of an endpoint in control and of a name in a worker, and the counting of long collections."""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from bench.heap import endpoint
from resolver.process import heap
from zones.azure import arm
from zones.azure.catalogue import catalogue
from zones.azure.inventory import Inventory
from zones.claims.policy import DEFAULTS, ConflictPolicy, Conflicts, Policies
from zones.claims.row import restamped
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings.board import Board
from zones.ledger.ledger import Ledger
from zones.networks.network import Network, Networks
from zones.table.table import Table

SIZE = 5_000
PER_FILE = 500
CONTROL = 2_200  # octets for each endpoint; 1,880 when the test was written
WORKER = 300  # octets for each name; 211 when the test was written


@contextmanager
def traced() -> Iterator[None]:
    """Count the allocated octets."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def _ledger() -> tuple[Inventory, Ledger]:
    networks = Networks([Network(f"spoke{n}", (f"10.{n}.0.0/16",)) for n in range(10)])
    inventory, ledger = (
        Inventory(["estate"]),
        Ledger(networks, catalogue(), Conflicts(ConflictPolicy.STICKY, {}), Board()),
    )
    files = {}
    for start in range(0, SIZE, PER_FILE):
        rows = [endpoint(number) for number in range(start, start + PER_FILE)]
        file = msgspec.json.encode({"endpoints": rows})
        files["estate", f"{start}.json"] = arm.read(file, f"{start}.json", form="json")
    ledger.apply(inventory.update(files).endpoints, WallTime(1.0))
    return inventory, ledger


def test_control_keeps_an_endpoint_in_two_kilobytes() -> None:
    with traced():
        inventory, ledger = _ledger()
        held, _ = tracemalloc.get_traced_memory()
    assert len(inventory.endpoints) == len(ledger.rows) == SIZE
    assert held / SIZE < CONTROL


def test_a_worker_keeps_a_name_in_a_few_hundred_octets() -> None:
    _, ledger = _ledger()
    table = Table(catalogue(), Policies(DEFAULTS, {}))
    table.masks = dict(ledger.classes.masks)
    with traced():
        for name, row in ledger.rows.items():
            table.apply(Name(bytes(name)), restamped(row, 1))
        held, _ = tracemalloc.get_traced_memory()
    assert len(table) == SIZE
    assert held / SIZE < WORKER


@pytest.mark.parametrize(("long", "counted"), [(-1.0, 1), (float("inf"), 0)])
def test_only_long_collections_are_counted(monkeypatch: pytest.MonkeyPatch, long: float, counted: int) -> None:
    monkeypatch.setattr(heap, "LONG", long)
    pauses = heap.Pauses()
    gc.callbacks.append(pauses)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(pauses)
    assert pauses.long == counted


def test_objects_of_a_load_are_excluded_from_collections() -> None:
    loaded = [[number] for number in range(1_000)]
    before = gc.get_freeze_count()
    try:
        heap.settle()
        assert gc.get_freeze_count() - before >= len(loaded)
    finally:
        gc.unfreeze()
