"""The ledger in any order, over any history, and what one change costs."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zones.books import FQDN, acct, endpoint, finding_rows, ledger, put, record, remembered, target, v6, vnet_id
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId, VirtualNetwork
from zones.claims.contest import Conditions, Contender, Verdict, decide
from zones.claims.policy import ConflictPolicy, Pin
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.findings.board import Board
from zones.findings.finding import Finding
from zones.ledger import winners
from zones.ledger.ledger import Ledger
from zones.networks.network import Network

# -- any order, any history

GUIDS = ("5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a", "c0ffee12-3456-4789-8abc-def012345678")
FQDNS = (
    FQDN,
    "kv.vault.azure.net",
    "a.example",
    "acct.dfs.core.windows.net",
    "web.purview.azure.com",
    "*.weu.inference.ml.azure.com",  # shared: it leads to the private wildcard of each GUID of the endpoint
    *(f"{guid}.workspace.weu.api.azureml.ms" for guid in GUIDS),
    f"*.{GUIDS[0]}.inference.weu.api.azureml.ms",
)
ADDRESSES: tuple[int | bytes, ...] = (4, 5, 6, v6(7), v6(8))
NETWORKS = (
    Network("a", (), (vnet_id("a"),), (vnet_id("hub"),)),
    Network("b", (), (vnet_id("b"),), ("region:weu", vnet_id("hub"))),
    Network("c", (), (), ("all",)),
)


@st.composite
def some_endpoint(draw: st.DrawFn, key: str) -> Endpoint:
    fqdns = draw(st.lists(st.sampled_from(FQDNS), min_size=1, max_size=4, unique=True))
    addresses = st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2, unique=True)
    return endpoint(
        key,
        *(record(fqdn, *draw(addresses)) for fqdn in fqdns),
        vnet=draw(st.sampled_from(("", "a", "b", "hub"))),
        region=draw(st.sampled_from(("", "weu", "neu"))),
        state=draw(
            st.sampled_from(
                (ConnectionState.APPROVED, ConnectionState.APPROVED, ConnectionState.APPROVED, ConnectionState.REJECTED)
            )
        ),
        target=target(draw(st.sampled_from(("one", "two")))),
        groups=draw(st.sampled_from((("blob",), ("dfs",)))),
    )


KEYS = "tuvwxyz"
estates = st.lists(st.sampled_from(KEYS), min_size=1, max_size=6, unique=True).flatmap(
    lambda keys: st.tuples(*map(some_endpoint, keys))
)
vnets = st.sampled_from(("a", "b", "hub")).flatmap(
    lambda name: st.tuples(
        st.just(vnet_id(name)),
        st.none()
        | st.sampled_from(("", "weu", "neu")).map(
            lambda region: VirtualNetwork(ResourceId(vnet_id(name)), name, region)
        ),
    )
)
steps = st.lists(
    st.sampled_from(KEYS).flatmap(lambda key: st.tuples(st.just(key), st.none() | some_endpoint(key))) | vnets,
    max_size=12,
)
policies = st.sampled_from(ConflictPolicy)
PINS = (Pin(FQDN, "z"), Pin("kv.vault.azure.net", "t", "a"), Pin("a.example", "u", "c"))


def facts_of(book: Ledger) -> dict[str, Finding]:
    finding_rows(book)
    return {fact.id: fact for fact in book.board if fact.code != "address-changed"}


def step(book: Ledger, key: str, change: Endpoint | VirtualNetwork | None, now: float) -> set[Name]:
    """Apply one step of a history. Return the names whose rows changed."""
    if isinstance(change, VirtualNetwork) or key.startswith("/"):
        return book.set_vnets({ResourceId(key): change if isinstance(change, VirtualNetwork) else None}, WallTime(now))
    return book.apply({ResourceId(key): change}, WallTime(now))


@given(estates, st.randoms(), policies)
def test_the_order_of_endpoints_decides_nothing(
    estate: tuple[Endpoint, ...],
    random: Random,
    policy: ConflictPolicy,
) -> None:
    shuffled = list(estate)
    random.shuffle(shuffled)
    one_way, other_way = (ledger(*NETWORKS, policy=policy, pins=PINS) for _ in range(2))

    assert put(one_way, *estate) == put(other_way, *shuffled)
    assert one_way.rows == other_way.rows
    assert facts_of(one_way) == facts_of(other_way)
    assert remembered(one_way) == remembered(other_way)


@given(steps, policies)
def test_any_history_ends_where_a_restart_with_its_memory_begins(
    history: list[tuple[str, Endpoint | VirtualNetwork | None]], policy: ConflictPolicy
) -> None:
    book = ledger(*NETWORKS, policy=policy, pins=PINS)
    book.apply({}, WallTime(0))
    rows: dict[Name, bytes] = {}
    for now, (key, change) in enumerate(history):
        for name in step(book, key, change, now):
            assert rows.get(name, b"") != book.rows.get(name, b"")
            rows[name] = book.rows.get(name, b"")
    assert {name: row for name, row in rows.items() if row} == book.rows

    again = ledger(*NETWORKS, policy=policy, pins=PINS, memory=remembered(book))
    again.set_vnets(book.vnets, WallTime(len(history)))
    again.apply(book.endpoints, WallTime(len(history)))
    assert again.rows == book.rows
    assert facts_of(again) == facts_of(book)
    assert {name: again.find(name) for name in book.names()} == {name: book.find(name) for name in book.names()}
    assert (remembered(again).first_seen, remembered(again).held) == (
        remembered(book).first_seen,
        remembered(book).held,
    )


@given(steps, policies)
def test_the_counts_are_those_of_a_walk(
    history: list[tuple[str, Endpoint | VirtualNetwork | None]], policy: ConflictPolicy
) -> None:
    book = ledger(*NETWORKS, policy=policy, pins=PINS, hold_down={"": 3})
    for now, (key, change) in enumerate(history):
        step(book, key, change, now)
        book.expire(WallTime(now))
        endpoints = list(book.endpoints.values())
        assert +book.census.states == Counter(each.state for each in endpoints)
        assert book.census.served == sum(each.served for each in endpoints)
        assert book.census.records == sum(len(each.records) for each in endpoints)
        assert +Counter(book.board.counts) == Counter((fact.code, fact.severity) for fact in book.board)
        assert len(book.tombstones) == sum(1 for _ in book.tombstones)


# -- what a change costs


class Cost:
    """The numbers of contenders that were decided, and of findings that were replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decided = self.looked = 0
        monkeypatch.setattr(winners, "decide", self._decide)
        replace = Board.replace

        def counted(*args: Any) -> None:  # noqa: ANN401 - passed on
            self.looked += 1
            replace(*args)

        monkeypatch.setattr(Board, "replace", counted)

    def _decide(self, contenders: list[Contender], conditions: Conditions) -> list[Verdict]:
        self.decided += len(contenders)
        return decide(contenders, conditions)

    def of(self, book: Ledger, *changes: tuple[str, Endpoint | None]) -> list[tuple[int, int]]:
        costs = []
        for now, (key, change) in enumerate(changes, 10):
            self.decided = self.looked = 0
            book.apply({ResourceId(key): change}, WallTime(now))
            costs.append((self.decided, self.looked))
        return costs


def test_a_change_costs_the_same_in_a_large_estate(monkeypatch: pytest.MonkeyPatch) -> None:
    def estate(size: int) -> Ledger:
        book = ledger(*NETWORKS, pins=PINS)
        book.set_static({from_text(FQDN): from_text("core.windows.net")}, WallTime(1))
        spread = (
            endpoint(f"e{i}", record(f"acct{i}.blob.core.windows.net", bytes((10, 1, i >> 8, i & 255))), vnet="hub")
            for i in range(size)
        )
        put(book, *spread, acct("x", 4, vnet="a", region="weu"))
        return book

    changes = [
        ("y", acct("y", 4, vnet="a", region="weu")),
        ("y", acct("y", 5, vnet="b", region="weu")),
        ("e7", endpoint("e7", record("other.example", 9), vnet="hub")),
        ("y", acct("y", 5, vnet="b", state=ConnectionState.REJECTED)),
        ("y", None),
        ("x", None),
    ]
    cost = Cost(monkeypatch)
    small, large = estate(10), estate(5000)

    costs = cost.of(small, *changes)
    assert cost.of(large, *changes) == costs
    assert max(decided for decided, _ in costs) <= 2
    assert max(looked for _, looked in costs) <= 12
