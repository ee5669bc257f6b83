"""What a worker with a table receives from a control that has no saved inventory and cannot read one of its sources.

The names x, y and z are what the lost source gave, the others are of the source that is read.
"""

import msgspec

from resolver import settings
from resolver.channel.frames import Begin
from tests.resolver.control.estate_feed import CONFIG, EstateFeed, ReplicaWorker, resources
from tests.resolver.control.feed.test_clientele import vnet, vnets
from tests.resolver.control.feed.test_feed_to_replica import addresses, blob, contents, one
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.dns.record import A
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import Outside

BEFORE = {name: one(name) for name in "abcxyz"}
FOUR, NINE = bytes((10, 0, 0, 4)), bytes((10, 0, 0, 9))


async def settled(
    worker: ReplicaWorker, parts: dict[str, Resources], config: settings.ControlSettings = CONFIG
) -> EstateFeed:
    """Connect the worker to a new control that has these parts of one source, and whose other source has failed."""
    await worker.cut()
    control = EstateFeed(parts, synced=False, config=config)
    worker.connect(control)
    control.fail()
    await worker.drain()
    return control


async def informed(parts: dict[str, Resources] = BEFORE) -> ReplicaWorker:
    """Return a worker with the table of a control that has read every source."""
    worker = ReplicaWorker()
    worker.connect(EstateFeed(parts))
    await worker.drain()
    return worker


def held(worker: ReplicaWorker, network: int = 0) -> str:
    """Return the names that are visible to a network, each repeated for each of its addresses."""
    return "".join(name * len(addresses(worker.table, blob(name), network)) for name in "abcdxyz")


async def test_changes_of_the_other_source_are_served_and_nothing_is_removed() -> None:
    worker = await informed()
    control = await settled(worker, {"a": one("a", "10.0.0.9"), "b": one("b")})
    assert held(worker) == "abcxyz"
    assert addresses(worker.table, blob("a")) == [NINE]
    control.take({"b": one("b", "10.0.0.9"), "d": one("d")})
    await worker.drain()
    assert held(worker) == "abcdxyz"
    assert addresses(worker.table, blob("b")) == [NINE]


async def test_a_partial_snapshot_is_sent_when_the_lost_source_has_failed() -> None:
    worker = await informed()
    await worker.cut()
    control = EstateFeed({"a": one("a", "10.0.0.9")}, synced=False)
    control.estate.health.read("estate", 1, WallTime(0.0))
    worker.connect(control)
    await worker.drain()
    assert worker.got == []
    control.fail()
    await worker.drain()
    assert addresses(worker.table, blob("a")) == [NINE]


async def test_names_that_the_other_source_removes_are_removed() -> None:
    worker = await informed()
    control = await settled(worker, {"a": one("a"), "b": one("b")})
    control.take({"a": None, "d": one("d")})
    control.take({"d": None})
    await worker.drain()
    assert held(worker) == "bcxyz"


async def test_a_name_stays_as_it_was_where_a_network_would_lose_it() -> None:
    """Both sources have the name, for different networks, or the lost source has the networks."""
    worker = await informed({"a": resources(("a", blob("a"), "10.0.0.4", "weu")), "x": one("x")})
    control = await settled(worker, {"a": one("a", "10.0.0.9", network="neu"), "x": one("x", "10.0.0.9", "weu")})
    assert [held(worker, network) for network in (0, 1)] == ["ax", "x"]
    control.take({"a": None, "x": None})
    await worker.drain()
    assert [held(worker, network) for network in (0, 1)] == ["ax", "x"]
    control.take({"x": one("x", "10.0.0.9")})
    await worker.drain()
    assert [addresses(worker.table, blob("x"), network) for network in (0, 1)] == [[NINE], [NINE]]


async def test_misses_stay_as_they_were_and_answers_are_marked_stale() -> None:
    """Not SERVFAIL, as for a source that was never known: the worker still has the data of the lost source."""
    worker = await informed()
    await settled(worker, {"a": one("a")})
    assert isinstance(worker.table.lookup(from_text(blob("public")), A, NetworkIndex(0)), Outside)
    assert worker.table.stale


async def test_a_source_that_was_never_known_stays_unsynced() -> None:
    worker = ReplicaWorker()
    worker.connect(EstateFeed({"a": one("a")}, synced=False))
    await worker.drain()
    assert worker.table.unsynced
    await worker.cut()
    control = EstateFeed({"a": one("a", "10.0.0.9")}, synced=False)
    worker.connect(control)
    control.estate.health.failed("estate", "gone", WallTime(0.0))
    control.estate.health.failed("cloud", "refused", WallTime(0.0))
    control.feed.changed()
    await worker.drain()
    assert addresses(worker.table, blob("a")) == [NINE]
    assert worker.table.unsynced


async def test_when_the_lost_source_is_back_the_worker_has_what_control_has() -> None:
    worker = await informed()
    control = await settled(worker, {"a": one("a", "10.0.0.9"), "b": one("b")})
    control.take({"b": None, "x": one("x", "10.0.0.9")})
    control.sync()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert not worker.table.stale
    assert (worker.replica.epoch, worker.replica.serial) == (control.feed.epoch, control.feed.serial)
    first, last = (frame for frame in worker.got if isinstance(frame, Begin))
    assert (first.partial, last.partial) == (True, False)


async def test_a_reconnect_during_a_partial_state_loses_nothing() -> None:
    worker = await informed()
    control = await settled(worker, {"a": one("a", "10.0.0.9")})
    await worker.cut()
    control.take({"b": one("b", "10.0.0.9")})
    worker.connect(control)
    await worker.drain()
    assert held(worker) == "abcxyz"
    assert addresses(worker.table, blob("b")) == [NINE]
    control.sync()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_virtual_networks_of_the_lost_source_keep_their_clients() -> None:
    worker, config = ReplicaWorker(auto=True), msgspec.structs.replace(CONFIG, auto=True)
    lost, found, fresh = (vnets(vnet(f"v{number}", f"10.{number}.0.0/16")) for number in (7, 8, 9))
    worker.connect(EstateFeed({"lost": lost, "found": found}, config=config))
    await worker.drain()
    control = await settled(worker, {"found": found, "fresh": fresh}, config)
    clients = [bytes((10, number, 0, 1)) for number in (7, 8, 9)]
    assert [worker.clients.find(client) == NONE for client in clients] == [False, False, True]
    control.sync()
    await worker.drain()
    assert [worker.clients.find(client) == NONE for client in clients] == [True, False, False]
