"""What a sync of a remote source may change, for any history of an estate."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.control.guard.rereads import with_rereads, with_resource
from resolver.control.guard.shrink_guard import FEW, SHARE
from resolver.control.guard.sync_guard import VANISHED, absent, decide
from resolver.control.guard.sync_state import SyncDecision, SyncState, accept
from resolver.settings import GuardMode
from resolver.sources.reading import Reading
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources
from zones.clocks import WallTime
from zones.findings.evidence import LISTED

HOLD_DOWN = 300.0


def endpoint(key: str) -> PrivateEndpoint:
    return PrivateEndpoint(ResourceId(key), key.upper(), key, nics=(ResourceId(f"nic-{key}"),))


def nic(key: str, fqdn: str = "a.example") -> Nic:
    return Nic(ResourceId(f"nic-{key}"), f"NIC-{key}", ResourceId(key), (NicRow((fqdn,), ("10.0.0.4",)),))


def vnet(key: str) -> VirtualNetwork:
    return VirtualNetwork(ResourceId(key), key.upper())


def part(endpoints: Iterable[str] = (), vnets: Iterable[str] = ()) -> Resources:
    endpoints = tuple(endpoints)
    return Resources(tuple(map(endpoint, endpoints)), tuple(map(nic, endpoints)), tuple(map(vnet, vnets)))


def many(count: int, prefix: str = "e") -> list[ResourceId]:
    return [ResourceId(f"{prefix}{i:03}") for i in range(count)]


def keys(resources: Resources | None) -> set[ResourceId]:
    assert resources is not None
    return {each.key for each in resources.endpoints} | {each.key for each in resources.vnets}


def look(
    had: dict[str, Resources],
    reading: Reading,
    rereads: dict[ResourceId, Resources | str | None] | None = None,
    sync_state: SyncState | None = None,
    now: float = 0.0,
    guard: GuardMode = "on",
) -> SyncDecision:
    return decide(
        had, reading, sync_state or SyncState(), rereads or {}, WallTime(now), hold_down=HOLD_DOWN, guard=guard
    )


def test_new_and_changed_resources_are_published_at_once() -> None:
    changed = Resources((endpoint("a"),), (nic("a", "b.example"),))
    found = look({"s": part("a")}, Reading({"s": changed, "t": part("b")}))
    assert found == SyncDecision({"s": changed, "t": part("b")}, {}, {}, SyncState())


# -- absence


def test_an_absent_endpoint_is_removed_when_a_reread_finds_none() -> None:
    found = look({"s": part("ab")}, Reading({"s": part("a")}), {ResourceId("b"): None})
    assert found.parts == {"s": part("a")}
    assert found.sync_state == SyncState()


def test_an_absent_endpoint_that_a_reread_finds_is_kept_as_found() -> None:
    now = Resources((endpoint("b"),), (nic("b", "new.example"),))
    found = look({"s": part("ab")}, Reading({"s": part("a")}), {ResourceId("b"): now})
    assert found.parts == {"s": Resources((endpoint("a"), endpoint("b")), (nic("a"), nic("b", "new.example")))}
    assert found.sync_state == SyncState()


def test_an_endpoint_whose_reread_is_unreadable_is_kept_as_it_was() -> None:
    fault = Fault("B", "properties", "not an object")
    found = look({"s": part("ab")}, Reading({"s": part("a")}), {ResourceId("b"): Resources(faults=(fault,))})
    kept = found.parts["s"]
    assert keys(kept) == {"a", "b"}
    assert kept
    assert kept.faults == (fault,)


def test_an_absent_endpoint_whose_reread_fails_is_kept_and_reported() -> None:
    had, sync_state = {"s": part("ab")}, SyncState()
    for now in (0.0, HOLD_DOWN, 100 * HOLD_DOWN):
        found = look(had, Reading({"s": part("a")}), {ResourceId("b"): "403: Reader on B is missing"}, sync_state, now)
        assert keys(found.parts["s"]) == {"a", "b"}
        assert found.unconfirmed == {"B": "403: Reader on B is missing"}
        sync_state = found.sync_state
    assert sync_state == SyncState()


def test_an_absent_endpoint_without_a_reread_is_removed_after_the_hold_down() -> None:
    had, reading, sync_state = {"s": part("ab", "v")}, Reading({"s": part("a", "v")}), SyncState()
    for now in (10.0, 200.0, 10 + HOLD_DOWN - 0.1):
        found = look(had, reading, None, sync_state, now)
        assert found.parts == {"s": Resources((endpoint("a"), endpoint("b")), (nic("a"), nic("b")), (vnet("v"),))}
        sync_state = found.sync_state
        assert sync_state.missing == {"b": 10.0}
    found = look(had, reading, None, sync_state, 10 + HOLD_DOWN)
    assert (found.parts, found.sync_state) == ({"s": part("a", "v")}, SyncState())


def test_an_endpoint_that_returned_has_a_new_hold_down() -> None:
    had = {"s": part("ab")}
    sync_state = look(had, Reading({"s": part("a")}), None, None, 0.0).sync_state
    sync_state = look(had, Reading({"s": part("ab")}), None, sync_state, 100.0).sync_state
    sync_state = look(had, Reading({"s": part("a")}), None, sync_state, HOLD_DOWN).sync_state
    assert sync_state.missing == {"b": HOLD_DOWN}


def test_the_longest_missing_resources_are_reread_first() -> None:
    had = {"s": part("abcd", "v"), "gone": part("z")}
    assert absent(had, Reading({"s": part("a")}), {ResourceId("d"): WallTime(1.0), ResourceId("c"): WallTime(2.0)}) == [
        "d",
        "c",
        "b",
        "v",
    ]


def test_a_resource_that_moved_to_another_subscription_is_not_absent() -> None:
    assert absent({"s": part("a")}, Reading({"s": part(), "t": part("a")}), {}) == []


# -- lost access


@pytest.mark.parametrize(
    ("refused", "why"),
    [({}, VANISHED), ({"t": "403: give it Reader on t"}, "403: give it Reader on t")],
    ids=["vanished", "refused"],
)
def test_a_subscription_that_cannot_be_read_keeps_its_data(refused: dict[str, str], why: str) -> None:
    had = {"s": part("ab"), "t": part(many(40), "v")}
    found = look(had, Reading({"s": part("abc")}, refused))
    assert (found.parts, found.lost) == ({"s": part("abc")}, {"t": why})
    assert found.sync_state.held is None


def test_an_empty_subscription_is_reported_while_refused_and_then_forgotten() -> None:
    had = {"s": part("a"), "t": part()}
    assert look(had, Reading({"s": part("a")}, {"t": "no"})).lost == {"t": "no"}
    found = look(had, Reading({"s": part("a")}))
    assert (found.lost, found.parts["t"]) == ({}, None)


def test_every_subscription_may_vanish_and_nothing_is_lost() -> None:
    found = look({"s": part("a"), "t": part("b")}, Reading())
    assert (found.parts, found.lost) == ({}, {"s": VANISHED, "t": VANISHED})


# -- the shrink guard


@pytest.mark.parametrize(
    ("total", "gone", "held"),
    [(20, 5, False), (20, 6, True), (30, 6, False), (31, 6, False), (30, 7, True), (100, 20, False), (100, 21, True)],
)
@pytest.mark.parametrize("kind", ["endpoints", "vnets"])
def test_more_than_a_few_and_a_fifth_is_held(total: int, gone: int, held: bool, kind: str) -> None:
    def of(names: Iterable[str]) -> Resources:
        return part(names, ["v"]) if kind == "endpoints" else part(["e"], names)

    lost = many(total)[:gone]
    found = look({"s": of(many(total))}, Reading({"s": of(many(total)[gone:])}), dict.fromkeys(lost))
    assert bool(found.sync_state.held) is held
    assert bool(found.parts) is not held


def test_removing_everything_in_a_subscription_is_held_even_if_it_is_little() -> None:
    had = {"s": part(many(50)), "t": part("x", "v")}
    found = look(
        had,
        Reading({"s": part([*many(50), "new"]), "t": part()}),
        {ResourceId("x"): None, ResourceId("v"): None},
        now=7.0,
    )
    assert (found.parts, found.lost) == ({}, {})
    held = found.sync_state.held
    assert held
    assert held.reasons == ("all 1 virtual networks of the source", "everything of subscription t")
    assert (held.since, held.endpoints, held.vnets, held.ids) == (7.0, 1, 1, ("V", "X"))


def test_the_last_endpoint_of_a_subscription_with_networks_is_removed() -> None:
    had = {"s": part(many(50)), "t": part("x", "v")}
    found = look(had, Reading({"s": part(many(50)), "t": part((), "v")}), {ResourceId("x"): None})
    assert found.parts["t"] == part((), "v")


def test_removing_every_endpoint_of_a_source_is_held_even_if_networks_are_left() -> None:
    found = look({"s": part("ab", "v")}, Reading({"s": part((), "v")}), {ResourceId("a"): None, ResourceId("b"): None})
    assert found.sync_state.held
    assert found.sync_state.held.reasons == ("all 2 private endpoints of the source",)


def test_a_resource_that_a_reread_finds_does_not_count() -> None:
    names = many(10)
    rereads: dict[ResourceId, Resources | str | None] = {name: part([name]) for name in names[:5]}
    found = look({"s": part(names)}, Reading({"s": part()}), rereads | dict.fromkeys(names[5:]))
    assert found.sync_state.held is None
    assert keys(found.parts["s"]) == set(names[:5])


def test_waiting_and_unreadable_resources_count() -> None:
    names = many(10)
    assert look({"s": part(names)}, Reading({"s": part(names[6:])})).sync_state.held
    refused: dict[ResourceId, Resources | str | None] = dict.fromkeys(names[:6], "403")
    assert look({"s": part(names)}, Reading({"s": part(names[6:])}), refused).sync_state.held


def test_a_later_sync_replaces_the_held_one_and_a_good_one_clears_it() -> None:
    had = {"s": part(many(10))}
    sync_state = look(had, Reading({"s": part(many(2))}), now=1.0).sync_state
    sync_state = look(had, Reading({"s": part(many(3))}), None, sync_state, 9.0).sync_state
    assert sync_state.held
    assert (sync_state.held.since, sync_state.held.endpoints) == (1.0, 7)
    found = look(had, Reading({"s": part(many(11))}), None, sync_state, 10.0)
    assert (found.sync_state, found.parts) == (SyncState(), {"s": part(many(11))})


def test_accepting_publishes_exactly_the_held_sync() -> None:
    had = {"s": part(many(9)), "t": part(), "u": part("x")}
    reading = Reading({"s": part(("new",)), "v": part("y")})
    held = look(had, reading).sync_state.held
    assert held
    found = accept(held)
    assert found == SyncDecision({"s": part(("new",)), "v": part("y"), "t": None}, {"u": VANISHED}, {}, SyncState())


def test_listed_ids_and_reasons_are_limited() -> None:
    had = {f"s{i:03}": part([f"e{i}"]) for i in range(100)}
    held = look(had, Reading(dict.fromkeys(had, part()))).sync_state.held
    assert held
    assert (len(held.ids), len(held.reasons), held.endpoints) == (LISTED, LISTED + 1, 100)


# -- any history

subscriptions = st.sampled_from(("s", "t", "u"))
contents = st.builds(
    lambda subscription, endpoints, vnets: (
        subscription,
        part([f"{subscription}-{each}" for each in endpoints], [f"{subscription}-{each}" for each in vnets]),
    ),
    subscriptions,
    st.sets(st.sampled_from(many(14))),
    st.sets(st.sampled_from(many(3, "v"))),
)
estates = st.lists(contents, max_size=3).map(dict)
readings = st.builds(Reading, estates, st.dictionaries(subscriptions, st.just("403"), max_size=1))
answers = st.sampled_from(("gone", "there", "403", "not asked"))


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[Reading, dict[str, str], float]]:
    rereads = st.dictionaries(st.sampled_from([f"{s}-{e}" for s in "stu" for e in many(14)]), answers)
    return draw(st.lists(st.tuples(readings, rereads, st.floats(0, 200)), max_size=6))


def _rereads(
    reading: Reading, had: dict[str, Resources], said: dict[str, str]
) -> dict[ResourceId, Resources | str | None]:
    words: dict[ResourceId, Resources | str | None] = {}
    for key in absent(had, reading, {}):
        word = said.get(key, "not asked")
        if word != "not asked":
            words[key] = {"gone": None, "there": part([key])}.get(word, "403")
    return words


@given(estates, steps())
def test_only_resources_that_are_certainly_gone_are_removed(
    had: dict[str, Resources], history: list[tuple[Reading, dict[str, str], float]]
) -> None:
    sync_state, now = SyncState(), 0.0
    since: dict[str, float] = {}
    """Return since when each key has been absent from every reading of its subscription, without a reread."""
    for reading, said, later in history:
        now += later
        rereads = _rereads(reading, had, said)
        lacking = set(absent(had, reading, {}))
        since = {key: since.get(key, now) for key in lacking if key not in rereads}
        found = decide(had, reading, sync_state, rereads, WallTime(now), hold_down=HOLD_DOWN, guard="on")
        before = {key for each in had.values() for key in keys(each)}
        after_parts = {p: r for p, r in (had | found.parts).items() if r is not None}
        after = {key for each in after_parts.values() for key in keys(each)}
        removed = before - after
        assert removed <= lacking
        for key in removed:
            assert rereads.get(key, "") is None or now - since[key] >= HOLD_DOWN
        assert {part for part, each in had.items() if keys(each)} - reading.parts.keys() <= found.lost.keys()
        assert found.lost.keys().isdisjoint(found.parts)
        if found.sync_state.held:
            assert not found.parts
        else:
            given = {key for each in reading.parts.values() for key in keys(each)}
            assert given <= after
            ends = [key for key in removed if key in {e.key for each in had.values() for e in each.endpoints}]
            total = sum(len(each.endpoints) for each in had.values())
            assert len(ends) <= max(FEW, total / SHARE)
            assert not total or len(ends) < total
        for each in (found.parts or {}).values():
            assert each is None or {n.endpoint for n in each.nics} <= keys(each)
        had, sync_state = after_parts, found.sync_state


# -- single resources


def test_a_reread_resource_replaces_the_earlier_one_and_its_nics() -> None:
    found = Resources((endpoint("a"),), (nic("a", "new.example"),))
    after = with_resource(part("ab", "v"), ResourceId("a"), found)
    assert (keys(after), {each.key: each.rows[0].fqdns for each in after.nics}) == (
        {"a", "b", "v"},
        {"nic-a": ("new.example",), "nic-b": ("a.example",)},
    )


def test_a_removed_resource_takes_its_nics_and_faults_with_it() -> None:
    before = part("ab", "vw")
    before = Resources(before.endpoints, before.nics, before.vnets, (Fault("A", "p", "m"), Fault("B", "p", "m")))
    after = with_resource(before, ResourceId("a"), None)
    assert (keys(after), [each.key for each in after.nics]) == ({"b", "v", "w"}, ["nic-b"])
    assert [fault.subject for fault in after.faults] == ["B"]
    assert keys(with_resource(before, ResourceId("v"), None)) == {"a", "b", "w"}


def test_a_reading_is_corrected_by_later_rereads() -> None:
    a, b, c, d = (ResourceId(f"/subscriptions/{each}") for each in ("s/a", "s/b", "s/c", "t/d"))
    reading = Reading({"s": part([a, b])}, {"t": "no"})
    rereads: dict[ResourceId, Resources | str | None] = {a: None, b: "503", c: part([c]), d: part(["d"])}
    assert keys(with_rereads(reading, rereads).parts["s"]) == {b, c}
    assert with_rereads(reading, rereads).parts.keys() == {"s"}
    assert with_rereads(reading, {}) == reading
