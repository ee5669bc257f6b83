"""Networks that change while workers answer: the network of each client, and its answers, after each step."""

import asyncio
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from resolver import settings
from resolver.channel.frames import Begin, Clientele, Commit, Masks, Rows
from resolver.control.feed import feed
from resolver.wire import render
from resolver.worker import replica
from resolver.worker.answer.compiled import Compiled
from tests.resolver.control.estate_feed import NETWORKS, EstateFeed, ReplicaWorker
from zones.azure import arm
from zones.azure.resource import Resources
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text
from zones.dns.record import A
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Alias, Found
from zones.table.table import Table

CONFIG = settings.ControlSettings(
    networks=NETWORKS, auto=True, sources=(settings.SourceSettings("estate", "files", "/estate"),)
)
ACCT = from_text("acct.privatelink.blob.core.windows.net")


def vnet_id(name: str, group: str = "rg") -> str:
    return f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def vnet(name: str, *prefixes: str, peers: tuple[str, ...] = (), group: str = "rg") -> dict[str, object]:
    peerings = [{"peeringState": "Connected", "remoteVirtualNetwork": {"id": vnet_id(peer)}} for peer in peers]
    return {
        "id": vnet_id(name, group), "type": "Microsoft.Network/virtualNetworks", "name": name, "location": "weu",
        "properties": {"addressSpace": {"addressPrefixes": list(prefixes)}, "virtualNetworkPeerings": peerings},
    }  # fmt: skip


def vnets(*bodies: Mapping[str, object]) -> Resources:
    return arm.read(msgspec.json.encode({"value": list(bodies)}), "test", form="json")


def endpoint(name: str, address: str, vnet: str, group: str = "rg") -> Resources:
    one = {"name": name, "target": name, "vnet": vnet_id(vnet, group)}
    records = [{"fqdn": "acct.blob.core.windows.net", "ips": [address]}]
    return arm.read(msgspec.json.encode({"endpoints": [one | {"records": records}]}), "test", form="json")


def control(parts: Mapping[str, Resources] | None = None, *, synced: bool = True) -> EstateFeed:
    return EstateFeed(dict(parts or {}), synced=synced, zone="", config=CONFIG)


def asked(table: Table, network: int) -> str:
    """Return the address that a network gets for the tested name."""
    outcome = table.lookup(ACCT, A, NetworkIndex(network))
    assert not isinstance(outcome, Alias)
    return ".".join(map(str, outcome.rrsets[0].rdatas[0])) if isinstance(outcome, Found) else ""


def got(worker: ReplicaWorker, client: str) -> tuple[str, str]:
    """Return a client's network, and the address that the client gets."""
    networks = worker.clients.networks
    index = networks.find(bytes(map(int, client.split("."))))
    return networks.label(index), asked(worker.table, index)


@pytest.fixture
def tiny() -> Iterator[None]:
    """Lower the limits, so that they are reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "_ROWS", 1)
        patch.setattr(feed, "_NETWORKS", 1)
        patch.setattr(feed, "_REMEMBERED", 1)
        patch.setattr(replica, "_SLICE", 1)
        yield


async def test_clients_are_in_no_network_before_the_first_vnets_are_known() -> None:
    worker = ReplicaWorker(auto=True)
    worker.connect(control({"e": endpoint("e", "10.0.0.4", "hub")}, synced=False))
    await worker.drain()

    assert got(worker, "10.9.0.1") == ("none", "")
    assert worker.table.unsynced


async def test_a_worker_without_a_table_gets_the_networks_before_the_rows() -> None:
    worker = ReplicaWorker(auto=True)
    worker.connect(control({"v": vnets(vnet("hub", "10.9.0.0/16")), "e": endpoint("e", "10.0.0.4", "hub")}))
    await worker.drain()

    assert [type(frame) for frame in worker.got] == [Begin, Clientele, Masks, Masks, Rows, Commit]
    assert got(worker, "10.9.0.1") == ("hub", "10.0.0.4")


async def test_a_client_changes_its_network_after_the_names_of_the_new_one_have_arrived() -> None:
    feeding = control({"v": vnets(vnet("hub", "10.9.0.0/16")), "e": endpoint("e", "10.0.0.4", "hub")})
    worker = ReplicaWorker(auto=True)
    worker.connect(feeding)
    await worker.drain()
    worker.got.clear()
    feeding.take({"w": vnets(vnet("spoke", "10.8.0.0/16", peers=("hub",)))})
    await worker.drain()

    assert [type(frame) for frame in worker.got] == [Masks, Masks, Rows, Clientele, Commit]
    assert got(worker, "10.8.0.1") == ("spoke", "10.0.0.4")


async def test_networks_that_see_nothing_new_cost_no_row() -> None:
    feeding = control({"v": vnets(vnet("hub", "10.9.0.0/16")), "e": endpoint("e", "10.0.0.4", "hub")})
    worker = ReplicaWorker(auto=True)
    worker.connect(feeding)
    await worker.drain()
    worker.got.clear()
    feeding.take({"w": vnets(vnet("alone", "10.8.0.0/16"))})
    await worker.drain()
    feeding.take({"w": vnets(vnet("alone", "10.8.0.0/16"))})
    await worker.drain()

    assert [type(frame) for frame in worker.got] == [Clientele, Commit]
    assert got(worker, "10.8.0.1") == ("alone", "")


async def test_a_worker_keeps_its_network_indexes_under_another_control() -> None:
    seen = {"z": vnets(vnet("z", "10.9.0.0/16")), "e": endpoint("e", "10.0.0.4", "z")}
    worker = ReplicaWorker(auto=True)
    worker.connect(control({"v": vnets(vnet("m", "10.7.0.0/16")), **seen}))
    await worker.drain()
    was = worker.clients.networks.find_named("z")
    await worker.cut()
    worker.connect(control({"v": vnets(vnet("zz", "10.6.0.0/16")), **seen}))
    await worker.drain()

    assert worker.clients.networks.find_named("z") == was
    assert [got(worker, f"10.{n}.0.1") for n in (6, 7, 9)] == [("zz", ""), ("none", ""), ("z", "10.0.0.4")]


@pytest.mark.usefixtures("tiny")
async def test_a_new_network_with_the_name_of_a_removed_one_gets_none_of_its_clients() -> None:
    feeding = control({"v": vnets(vnet("spoke", "10.9.0.0/16")), "e": endpoint("e", "10.0.0.4", "spoke")})
    worker = ReplicaWorker(auto=True)
    worker.connect(feeding)
    await worker.drain()
    assert got(worker, "10.9.0.1") == ("spoke", "10.0.0.4")
    feeding.take({
        "v": vnets(vnet("spoke", "10.8.0.0/16", group="two")), "e": endpoint("e", "10.0.0.5", "spoke", group="two"),
    })  # fmt: skip
    while await worker.step():
        assert got(worker, "10.9.0.1")[1] != "10.0.0.5"
    assert [got(worker, client) for client in ("10.9.0.1", "10.8.0.1")] == [("none", ""), ("spoke", "10.0.0.5")]


async def test_answers_of_a_renamed_network_are_evicted() -> None:
    feeding = control({"v": vnets(vnet("spoke", "10.8.0.0/16"))})
    worker = ReplicaWorker(auto=True)
    worker.connect(feeding)
    await worker.drain()
    body = render.body(ACCT + b"\0\1\0\1", 0, 0)
    worker.answers.keep(
        ACCT,
        Compiled(body, 5, (ACCT,), [0], SteadyTime(0.0), SteadyTime(float("inf")), expendable=False, fallback=None),
    )
    feeding.take({"w": vnets(vnet("other", "10.7.0.0/16"))})
    await worker.drain()
    assert worker.answers.find(ACCT, SteadyTime(1.0))

    feeding.take({"x": vnets(vnet("spoke", "10.6.0.0/16", group="two"))})
    await worker.drain()
    assert got(worker, "10.8.0.1") == ("spoke@rg", "")
    assert not worker.answers.find(ACCT, SteadyTime(1.0))


# -- any story

NAMES = st.sampled_from(["a", "b"])
PEERS = st.sets(NAMES).map(sorted).map(tuple)
GROUPS = st.sampled_from(["rg", "two"])
SPACES = st.sampled_from([("10.9.0.0/16",), ("10.8.0.0/16",), ("10.9.1.0/24", "10.8.0.0/16"), ()])
EVENTS = st.one_of(
    st.tuples(st.just("vnet"), st.tuples(NAMES, GROUPS), st.none() | st.tuples(SPACES, PEERS)),
    st.tuples(st.just("endpoint"), st.sampled_from("xy"), st.none() | st.tuples(st.integers(1, 9), NAMES, GROUPS)),
    st.tuples(st.just("step"), st.integers(1, 4)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("restart")),
)
CLIENTS = ("10.9.0.1", "10.9.1.1", "10.8.0.1", "10.1.0.1")


class Story:
    """All answers so far. Each must have been right for a network that the client was in."""

    def __init__(self) -> None:
        self.parts: dict[str, Resources] = {}
        self.control = control()
        self.worker = ReplicaWorker(auto=True)
        self.worker.connect(self.control)
        self.been: dict[str, set[str]] = {client: {"none"} for client in CLIENTS}
        """The networks that each client was in."""
        self.right: dict[str, set[str]] = {"none": {""}}
        """The right answers of each network."""
        self.note()

    def note(self) -> None:
        networks, table = self.control.estate.networks, self.control.estate.table()
        keys = {network.name: network.key or network.name for network in networks.now}
        for name, key in keys.items():
            self.right.setdefault(key, {""}).add(asked(table, networks.find_named(name)))
        for client in CLIENTS:
            label = networks.label(networks.find(bytes(map(int, client.split(".")))))
            self.been[client].add(keys.get(label, label))

    def check(self) -> None:
        for client in CLIENTS:
            _, address = got(self.worker, client)
            assert any(address in self.right[key] for key in self.been[client]), client

    def take(self, part: str, given: Resources | None) -> None:
        self.parts.pop(part, None)
        if given:
            self.parts[part] = given
        self.control.take({part: given})
        self.note()

    async def happen(self, event: tuple[object, ...]) -> None:
        match event:
            case ("vnet", (name, group), None):
                self.take(f"v{name}{group}", None)
            case ("vnet", (str(name), str(group)), (tuple(space), tuple(peers))):
                self.take(f"v{name}{group}", vnets(vnet(name, *space, peers=peers, group=group)))
            case ("endpoint", name, None):
                self.take(f"e{name}", None)
            case ("endpoint", str(name), (last, str(where), str(group))):
                self.take(f"e{name}", endpoint(name, f"10.0.{ord(name)}.{last}", where, group))
            case ("step", int(count)):
                for _ in range(count):
                    await self.worker.step()
                    self.check()
            case ("cut" | "restart",):
                await self.worker.cut()
                if event == ("restart",):
                    self.control = control(self.parts)
                    self.note()
                self.worker.connect(self.control)

    async def end(self) -> None:
        await self.worker.drain()
        self.check()
        networks, table = self.control.estate.networks, self.control.estate.table()
        for client in CLIENTS:
            index = networks.find(bytes(map(int, client.split("."))))
            assert got(self.worker, client) == (networks.label(index), asked(table, index))
        assert {Name(name) for name, _ in self.worker.table.each()} == set(self.control.estate.ledger.rows)
        await self.worker.cut()


@given(events=st.lists(EVENTS, min_size=6, max_size=30))
@hypothesis(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@pytest.mark.usefixtures("tiny")
def test_no_client_gets_an_answer_that_is_wrong_for_both_its_old_and_its_new_network(
    events: list[tuple[object, ...]],
) -> None:
    async def tell() -> None:
        story = Story()
        for event in events:
            await story.happen(event)
        await story.end()

    asyncio.run(tell())
