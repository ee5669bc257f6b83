"""The saved inventory: cut into pieces, and joined again."""

import tempfile
from collections.abc import Iterable
from operator import attrgetter, itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.control.estate import saved_inventory
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.guard.sync_state import SyncState, WithheldSync
from resolver.control.state import inventory_file
from resolver.sources.reading import Reading
from zones.azure.endpoint import (
    ConfiguredRecord,
    ConnectionState,
    Endpoint,
    Fault,
    NicRecord,
    ResourceId,
    VirtualNetwork,
)
from zones.azure.private_dns_zone import PrivateZone, RecordSet, ZoneLink
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources
from zones.claims.contest import Claim, Rule
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.dns.record import RRset
from zones.ledger.carry_over import LedgerSnapshot
from zones.ledger.tombstones import Tombstone

_KEY = attrgetter("key")


def through_a_file(pieces: Iterable[SavedInventory]) -> SavedInventory:
    """Write the pieces to a file, and read them as the next start does."""
    with tempfile.TemporaryDirectory() as folder:
        inventory_file.write(folder, pieces)
        read = inventory_file.load(folder)
    assert read
    return read


def estates() -> st.SearchStrategy[tuple[Any, ...]]:
    """Return arguments of `saved_inventory.pieces`."""
    times = st.floats(0, 2**33)
    names = st.lists(st.binary(min_size=1, max_size=63), max_size=3).map(
        lambda labels: Name(b"".join(bytes((len(label),)) + label for label in labels) + b"\0")
    )
    texts = st.text(max_size=20)
    masks = st.integers(1, 1 << 300)
    faults = st.tuples() | st.tuples(st.builds(Fault, texts, texts, texts))
    rows = st.lists(st.builds(NicRow, st.tuples(texts), st.tuples(texts, texts), texts), max_size=2).map(tuple)
    resources = st.builds(
        Resources,
        st.lists(
            st.builds(PrivateEndpoint, texts, texts, texts, dns=rows, records=st.none() | rows, faults=faults),
            max_size=2,
            unique_by=_KEY,
        ).map(tuple),
        st.lists(st.builds(Nic, texts, texts, texts, rows), max_size=2, unique_by=_KEY).map(tuple),
        st.lists(st.builds(VirtualNetwork, texts, texts, prefixes=st.tuples(texts)), max_size=2, unique_by=_KEY).map(
            tuple
        ),
        faults,
    )
    addresses = st.lists(st.binary(min_size=4, max_size=4), max_size=2).map(tuple)
    claims = st.lists(st.builds(Claim, texts, names, names, st.none() | names, addresses, times), max_size=3).map(tuple)
    holders = st.lists(st.tuples(masks, texts, st.sampled_from(Rule)), min_size=1, max_size=3).map(tuple)
    recollections = st.builds(
        LedgerSnapshot,
        st.lists(texts, max_size=3).map(tuple),
        st.lists(claims, max_size=3),
        st.dictionaries(names, texts | holders, max_size=3),
    )
    readings = st.builds(
        Reading, st.dictionaries(texts, resources, max_size=2), st.dictionaries(texts, texts, max_size=2)
    )
    sync_states = st.builds(
        SyncState,
        st.dictionaries(texts, times, max_size=2),
        st.none()
        | st.builds(WithheldSync, times, times, readings, st.tuples(texts), st.just(3), st.just(1), st.tuples(texts)),
    )
    return st.tuples(
        recollections,
        st.dictionaries(texts, times, max_size=2),
        st.lists(st.tuples(texts, texts, resources), max_size=3, unique_by=itemgetter(0, 1)),
        st.dictionaries(texts, texts, max_size=2),
        times,
        st.dictionaries(texts, sync_states, max_size=2),
        st.lists(tombstones(names, times), max_size=2),
        st.dictionaries(texts, st.lists(private_zones(names, texts, faults), max_size=2), max_size=2).map(
            lambda zones: list(zones.items())
        ),
        st.dictionaries(texts, times, max_size=3),
    )


def private_zones(
    names: st.SearchStrategy[Name], texts: st.SearchStrategy[str], faults: st.SearchStrategy[Any]
) -> st.SearchStrategy[PrivateZone]:
    sets = st.builds(RRset, names, st.integers(1, 99), st.integers(0, 99), st.tuples(st.binary(max_size=20)))
    records = st.lists(st.builds(RecordSet, texts, sets, texts, st.booleans()), max_size=2).map(tuple)
    links = st.lists(st.builds(ZoneLink, texts, texts), max_size=2).map(tuple)
    return st.builds(PrivateZone, texts, texts, names, records, links, faults)


def tombstones(names: st.SearchStrategy[Name], times: st.SearchStrategy[float]) -> st.SearchStrategy[Tombstone]:
    """Return tombstones as the ledger makes them. The endpoint has the fields that are saved, and one claim."""

    def made(
        texts: list[str],
        public: Name,
        private: Name,
        zone: Name | None,
        first: float,
        until: float,
        kind: type[NicRecord],
    ) -> Tombstone:
        key, name, target, group, region, subscription, vnet, source = texts
        address = b"\x0a\0\0\4"
        endpoint = Endpoint(
            ResourceId(key), f"/ID/{name}", name, ConnectionState.APPROVED, target, (group,), region=region,
            subscription=subscription, vnet=ResourceId(vnet), records=(kind(public, (address,)),), source=source,
            where=subscription,
        )  # fmt: skip
        return Tombstone(
            Claim(ResourceId(key), private, public, zone, (address,), WallTime(first)), endpoint, WallTime(until)
        )

    plain = st.text("abc", max_size=5)
    kinds = st.sampled_from([NicRecord, ConfiguredRecord])
    return st.builds(
        made, st.lists(plain, min_size=8, max_size=8), names, names, st.none() | names, times, times, kinds
    )


@given(estates(), st.integers(1, 4))
def test_a_saved_inventory_is_read_back_for_any_size_of_pieces(given: tuple[Any, ...], most: int) -> None:
    recollection, sources, parts, zone_texts, now, sync_states, lingering, private, findings = given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_inventory, "_PIECE", most)
        head = SavedInventory(now, sources, findings=findings, zone_texts=zone_texts, sync_states=sync_states)
        read = through_a_file(saved_inventory.pieces(head, recollection, parts, lingering, private))
    assert (read.sources, read.zone_texts, read.saved_at, read.sync_states) == (sources, zone_texts, now, sync_states)
    assert (read.parts, read.private) == (parts, private)
    assert [each.tombstone for each in read.lingering] == lingering
    memory = read.memory
    assert (memory.networks, memory.findings) == (recollection.networks, findings)
    assert memory.held == {name: who for name, who in recollection.holders.items() if not isinstance(who, str)}
    assert memory.first_seen == {
        (claim.endpoint, claim.public): claim.first_seen for claims in recollection.claims for claim in claims
    }


def test_no_piece_is_large() -> None:
    endpoints = tuple(PrivateEndpoint(ResourceId(f"/e{i}"), f"/E{i}", "e") for i in range(7))
    nics = tuple(Nic(ResourceId(f"/n{i}"), f"/N{i}", ResourceId("/e0")) for i in range(4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_inventory, "_PIECE", 3)
        parts = [("hub", "one", Resources(endpoints, nics)), ("hub", "two", Resources())]
        pieces = list(saved_inventory.pieces(SavedInventory(WallTime(1.0)), LedgerSnapshot((), [], {}), parts))
    assert [[len(each.endpoints) for _, _, each in piece.parts] for piece in pieces] == [[], [3], [3], [1], [0]]
    assert saved_inventory.joined(pieces).parts == parts


@given(estates(), st.floats(-1e8, 1e8), st.floats(-1e8, 1e8))
def test_setting_the_clock_moves_every_saved_time_and_no_age(given: tuple[Any, ...], step: float, after: float) -> None:
    recollection, sources, parts, zone_texts, saved_at, sync_states, lingering, private, findings = given
    head = SavedInventory(
        saved_at, sources, findings=findings, zone_texts=zone_texts, sync_states=sync_states, clock_step=step
    )
    read = saved_inventory.joined(saved_inventory.pieces(head, recollection, parts, lingering, private))
    now = WallTime(saved_at + step + after)
    moved = saved_inventory.rebased(read, now)
    # The file cannot be from the future: where the clock was set back after it was written, it was written now.
    assert moved.saved_at == pytest.approx(min(now, saved_at + step), abs=1e-3)
    by = moved.saved_at - saved_at
    assert [stone.until - by for stone in moved.lingering] == pytest.approx([s.until for s in lingering], abs=1e-3)
    for times, before in ((moved.sources, sources), (moved.findings, findings)):
        assert {key: when - by for key, when in times.items()} == pytest.approx(before, abs=1e-3)
    for ours, theirs in zip(moved.sync_states.values(), sync_states.values(), strict=True):
        assert (ours.held is None) == (theirs.held is None)
        if ours.held and theirs.held:
            assert ours.held.since - by == pytest.approx(theirs.held.since, abs=1e-3)
        assert {key: when - by for key, when in ours.missing.items()} == pytest.approx(theirs.missing, abs=1e-3)
    assert [each[:2] for each in moved.first_seen] == [each[:2] for each in read.first_seen]
    assert saved_inventory.rebased(moved, now) == moved
