"""What a change of files may remove from a source, and which files may not be written completely yet."""

from collections.abc import Mapping

import pytest

from resolver.control.guard.file_guard import decide, removed, unfinished
from resolver.control.guard.sync_state import SyncDecision, SyncState, WithheldSync, accept
from resolver.settings import GuardMode
from resolver.sources.reading import Part
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources, ZoneConfig, ZoneGroup, ZoneRecord
from zones.clocks import WallTime

ROW = (NicRow(("a.example",), ("10.0.0.4",)),)


def endpoint(key: str, *, rows: tuple[NicRow, ...] | None = ROW, state: str = "Approved") -> PrivateEndpoint:
    """Return an endpoint of the short form; with `rows=None` one whose names its NIC has."""
    key_of_nic = ResourceId(f"nic-{key}")
    return PrivateEndpoint(ResourceId(key), key.upper(), key, state_text=state, nics=(key_of_nic,), records=rows)


def short(*keys: str) -> Resources:
    return Resources(tuple(endpoint(key) for key in keys))


def bare(*keys: str, state: str = "Approved") -> Resources:
    return Resources(tuple(endpoint(key, rows=None, state=state) for key in keys))


def nics(*keys: str, rows: tuple[NicRow, ...] = ROW) -> Resources:
    return Resources(nics=tuple(Nic(ResourceId(f"nic-{key}"), f"NIC-{key}", ResourceId(key), rows) for key in keys))


def vnets(*keys: str) -> Resources:
    return Resources(vnets=tuple(VirtualNetwork(ResourceId(key), key.upper()) for key in keys))


def groups(*keys: str, zone: str = "example") -> Resources:
    configs = (ZoneConfig(zone, (ZoneRecord(f"a.{zone}", ("10.0.0.4",)),)),) if zone else ()
    return Resources(zone_groups=tuple(ZoneGroup(ResourceId(key), f"{key.upper()}/GROUP", configs) for key in keys))


def many(count: int) -> list[str]:
    return [f"e{number:03}" for number in range(count)]


def look(
    had: dict[str, Resources], changes: Mapping[str, Part], state: SyncState | None = None, now: float = 0.0
) -> SyncDecision:
    return decide(had, changes, state or SyncState(), "on", WallTime(now))


def held(decision: SyncDecision) -> WithheldSync:
    assert not decision.parts
    assert decision.sync_state.held
    return decision.sync_state.held


# -- how much


@pytest.mark.parametrize(
    ("total", "gone", "is_held"),
    [(20, 5, False), (20, 6, True), (30, 6, False), (31, 6, False), (30, 7, True), (100, 20, False), (100, 21, True)],
)
def test_more_than_a_few_and_a_fifth_is_held(total: int, gone: int, *, is_held: bool) -> None:
    data = short(*many(total)[gone:])
    decision = look({"a": short(*many(total))}, {"a": data})
    assert bool(decision.sync_state.held) is is_held
    assert decision.parts == ({} if is_held else {"a": data})


@pytest.mark.parametrize("data", [Resources(), None, short("another")], ids=["empty", "deleted", "replaced"])
@pytest.mark.parametrize("total", [1, 2, 12])
def test_everything_of_a_source_is_held(total: int, data: Resources | None) -> None:
    found = held(look({"a": short(*many(total))}, {"a": data}, now=7.0))
    assert found.reasons[0] == f"all {total} private endpoints of the source"
    assert (found.since, found.at, found.endpoints, found.vnets) == (7.0, 7.0, total, 0)
    assert found.ids == tuple(key.upper() for key in many(total))
    assert found.parts == {"a": data}


def test_everything_of_a_file_with_two_endpoints_is_held_and_of_a_file_with_one_is_removed() -> None:
    had = {"a": short(*many(50)), "b": short("x", "y"), "c": short("z")}
    for data in (Resources(), None):
        assert held(look(had, {"b": data})).reasons == ("everything of file b",)
        assert look(had, {"c": data}).parts == {"c": data}
    assert look(had, {"b": short("x")}).parts == {"b": short("x")}


def test_an_endpoint_that_moves_to_another_file_is_not_removed() -> None:
    had = {"a": short(*many(12)), "b": short("x")}
    for changes in (
        {"a": None, "c": short(*many(12))},
        {"a": Resources(), "b": short("x", *many(12))},
        {"a": short("x"), "b": short(*many(12))},
    ):
        assert look(had, changes).parts == changes


def test_networks_are_counted_too() -> None:
    had = {"a": short(*many(50)), "v": vnets("v1", "v2")}
    assert held(look(had, {"v": Resources()})).reasons == (
        "all 2 virtual networks of the source",
        "everything of file v",
    )
    assert look(had, {"v": vnets("v1")}).parts == {"v": vnets("v1")}


def test_a_source_without_data_and_changes_without_removals_are_never_held() -> None:
    assert look({}, {"a": short("x"), "b": Resources()}).parts == {"a": short("x"), "b": Resources()}
    changed = Resources((endpoint("x", state="Rejected"), endpoint("y")))
    assert look({"a": short("x")}, {"a": changed}).parts == {"a": changed}


@pytest.mark.parametrize("guard", ["on", "off"])
def test_without_the_guard_everything_is_published(guard: GuardMode) -> None:
    state = look({"a": short(*many(12))}, {"a": None}).sync_state
    decision = decide({"a": short(*many(12))}, {}, state, guard, WallTime(1.0))
    assert bool(decision.sync_state.held) is (guard == "on")
    assert decision.parts == ({} if guard == "on" else {"a": None})


# -- names


@pytest.mark.parametrize(
    "data", [Resources(), None, nics(*many(12), rows=()), nics("e000")], ids=["empty", "deleted", "nameless", "few"]
)
def test_endpoints_that_would_lose_their_names_with_the_file_of_their_nics_count(data: Resources | None) -> None:
    had = {"endpoints": bare(*many(12)), "nics": nics(*many(12))}
    assert held(look(had, {"nics": data})).endpoints >= 11


@pytest.mark.parametrize("data", [Resources(), None, bare("another")], ids=["empty", "deleted", "replaced"])
def test_endpoints_whose_nics_stay_are_removed_with_their_own_file(data: Resources | None) -> None:
    had = {"endpoints": bare(*many(12)), "nics": nics(*many(12))}
    assert held(look(had, {"endpoints": data})).reasons == (
        "all 12 private endpoints of the source",
        "everything of file endpoints",
    )


def test_a_source_of_nics_alone_is_guarded_like_its_endpoints() -> None:
    had = {"nics": nics(*many(12))}
    for data in (Resources(), None, nics(*many(12), rows=())):
        assert held(look(had, {"nics": data})).endpoints == 12


def test_a_file_of_two_nics_counts_like_one_of_two_endpoints() -> None:
    had = {"endpoints": bare(*many(50)), "more": nics(*many(48)), "few": nics(*many(50)[48:])}
    assert held(look(had, {"few": Resources()})).reasons == ("everything of file few",)


def test_nics_that_name_no_endpoint_count_for_the_endpoints_that_name_them() -> None:
    plain = Resources(nics=tuple(Nic(nic.key, nic.id, ResourceId(""), nic.rows) for nic in nics("x", "y").nics))
    had = {"endpoints": bare("x", "y", *many(50)), "nics": nics(*many(50)), "plain": plain}
    assert held(look(had, {"plain": None})).reasons == ("everything of file plain",)


def test_an_endpoint_that_is_no_longer_approved_may_lose_its_names() -> None:
    had = {"endpoints": bare(*many(12)), "nics": nics(*many(12))}
    changes = {"endpoints": bare(*many(12), state="Disconnected"), "nics": nics(*many(12), rows=())}
    assert look(had, changes).parts == changes


def test_names_of_the_endpoint_itself_count_where_no_nic_is_known() -> None:
    own = Resources(tuple(PrivateEndpoint(ResourceId(key), key, key, dns=ROW, state_text="Approved") for key in "xy"))
    emptied = Resources(tuple(PrivateEndpoint(ResourceId(key), key, key, state_text="Approved") for key in "xy"))
    assert removed({"a": own}, {"a": emptied}) == {"x", "y"}
    assert removed({"a": own}, {"a": emptied, "n": nics("x", "y")}) == set()
    assert removed({"a": own}, {"n": nics("x", "y", rows=())}) == {"x", "y"}


def test_an_endpoint_that_loses_its_nic_and_one_of_its_names_counts_as_removed() -> None:
    two = (NicRow(("a.example", "b.example"), ("10.0.0.4",)),)
    own = Resources(
        tuple(PrivateEndpoint(ResourceId(key), key, key, dns=ROW, state_text="Approved") for key in many(3))
    )
    assert removed({"a": own, "n": nics(*many(3), rows=two)}, {"n": Resources()}) == set(many(3))
    assert removed({"a": own, "n": nics(*many(3), rows=two)}, {"n": nics("e000", rows=two)}) == {"e001", "e002"}
    same = (NicRow(("A.example",), ("10.0.0.4",)),)
    assert removed({"a": own, "n": nics(*many(3), rows=same)}, {"n": Resources()}) == set()
    assert removed({"a": own, "n": nics(*many(3), rows=two)}, {"n": nics(*many(3))}) == set()  # Azure removed a name


# -- over several scans


def test_a_held_scan_holds_all_changes_of_the_source() -> None:
    had = {"a": short(*many(12)), "b": short("x")}
    state = look(had, {"a": Resources(), "b": short("x", "y")}, now=1.0).sync_state
    decision = look(had, {"c": short("z")}, state, 2.0)
    assert held(decision).parts == {"a": Resources(), "b": short("x", "y"), "c": short("z")}
    assert (held(decision).since, held(decision).at) == (1.0, 2.0)


def test_a_scan_without_changes_leaves_the_hold_as_it_is() -> None:
    had = {"a": short(*many(12))}
    state = look(had, {"a": None}, now=1.0).sync_state
    for changes in ({}, {"a": None}):
        assert look(had, changes, state, 9.0).sync_state is state


def test_a_hold_ends_when_the_files_are_good_again() -> None:
    had = {"a": short(*many(12)), "b": short("x")}
    state = look(had, {"a": None, "b": short("y")}, now=1.0).sync_state
    assert look(had, {"a": short(*many(12))}, state) == SyncDecision({"b": short("y")}, {}, {}, SyncState())
    assert look(had, {"a": "line 1: truncated"}, state) == SyncDecision({"b": short("y")}, {}, {}, SyncState())


def test_accepting_publishes_the_held_scan() -> None:
    found = held(look({"a": short(*many(12)), "b": short("x")}, {"a": None, "b": short("x", "y")}))
    assert accept(found) == SyncDecision({"a": None, "b": short("x", "y")}, {}, {}, SyncState())


def test_a_file_that_cannot_be_read_keeps_its_data() -> None:
    had = {"a": short(*many(12)), "b": short("x", "y")}
    assert look(had, {"a": "no permission"}) == SyncDecision({}, {}, {}, SyncState())


# -- files that are being written


def test_only_recent_files_that_would_remove_something_or_do_not_parse_are_unfinished() -> None:
    had = {"a": short("x", "y"), "b": short("z"), "c": short("w")}
    changes: dict[str, Part] = {"a": short("x"), "b": short("z", "new"), "c": "truncated", "d": "truncated"}
    assert unfinished(had, changes, {"a", "b", "c", "d"}) == {"a", "c", "d"}
    assert unfinished(had, changes, {"b", "d"}) == {"d"}
    assert unfinished(had, changes, set()) == set()
    assert unfinished(had, {"a": None}, set()) == set()
    assert unfinished(had, {"a": short("x"), "b": short("y", "z")}, {"a", "b"}) == set()


# -- DNS zone groups


@pytest.mark.parametrize("data", [Resources(), None, groups("a", "b", zone="")], ids=["empty", "deleted", "no records"])
def test_a_file_of_zone_groups_that_becomes_empty_is_held(data: Resources | None) -> None:
    had = {"e": short(*"abcdefghi"), "g": groups("a", "b"), "more": groups(*"cdefghi")}
    found = held(look(had, {"g": data}))
    assert found.reasons == ("everything of file g",)
    assert (found.endpoints, found.vnets, found.zone_groups, found.ids) == (0, 0, 2, ("A/GROUP", "B/GROUP"))


def test_a_source_may_not_lose_all_its_zone_groups_nor_many_of_them() -> None:
    names = many(20)
    had = {"e": short(*names), "g": groups(*names)}
    assert held(look(had, {"g": None})).reasons == ("all 20 DNS zone groups of the source", "everything of file g")
    assert held(look(had, {"g": groups(*names[6:])})).reasons == ("6 of 20 DNS zone groups",)
    assert look(had, {"g": groups(*names[5:])}).parts


def test_the_only_zone_group_of_a_source_may_go() -> None:
    assert look({"e": short("a", "b"), "g": groups("a")}, {"g": None}).parts == {"g": None}


def test_a_zone_group_that_moves_or_changes_or_goes_with_its_endpoint_is_not_lost() -> None:
    had = {"e": short(*"abcdefgh"), "g": groups("a", "b")}
    assert not removed(had, {"g": groups("a"), "h": groups("b")})
    assert not removed(had, {"g": groups("a", "b", zone="other")})
    assert removed(had, {"e": short(*"cdefgh"), "g": Resources()}) == {"a", "b"}
    assert look(had, {"e": short(*"cdefgh"), "g": Resources()}).parts


def test_a_file_that_loses_zone_groups_may_not_be_written_completely() -> None:
    had = {"e": short("a", "b"), "g": groups("a", "b")}
    assert unfinished(had, {"g": groups("a")}, {"g"}) == {"g"}
