"""Joining parts into endpoints, in whatever order parts are added, changed and removed."""

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import DATA
from zones.azure import arm, inventory
from zones.azure.endpoint import ConnectionState, Endpoint, Fault, NamelessRow, NicRecord, ResourceId, VirtualNetwork
from zones.azure.inventory import Inventory, InventoryChange
from zones.azure.join import join
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources, ZoneConfig, ZoneGroup, ZoneRecord
from zones.dns.name import from_text, to_text

EXAMPLES = DATA / "arm"
BASE = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network"
NAME = "acct.blob.core.windows.net"
A4, A5 = b"\x0a\x00\x00\x04", b"\x0a\x00\x00\x05"


def pe(
    name: str = "p", state: str = "Approved", nics: Iterable[str] = (), dns: Iterable[NicRow] = ()
) -> PrivateEndpoint:
    key = f"{BASE}/privateendpoints/{name}"
    return PrivateEndpoint(ResourceId(key), key, name, state_text=state, nics=tuple(map(nic_key, nics)), dns=tuple(dns))


def nic_key(name: str) -> ResourceId:
    return ResourceId(f"{BASE}/networkinterfaces/{name}")


def nic(name: str, endpoint: str = "", *rows: NicRow) -> Nic:
    return Nic(nic_key(name), nic_key(name), pe(endpoint).key if endpoint else ResourceId(""), rows)


def row(address: str = "10.0.0.4", *fqdns: str) -> NicRow:
    return NicRow(fqdns or (NAME,), (address,), "blob", "blob")


def record(*addresses: bytes, fqdn: str = NAME) -> NicRecord:
    return NicRecord(from_text(fqdn), addresses, "blob", "blob")


def group(endpoint: str, *configs: ZoneConfig) -> ZoneGroup:
    key = pe(endpoint).key
    return ZoneGroup(key, f"{key}/privateDnsZoneGroups/default", configs)


def config(zone: str, **records: str) -> ZoneConfig:
    """Return a zone with record sets: relative names and addresses, which spaces separate."""
    made = (ZoneRecord(f"{name}.{zone}", tuple(addresses.split())) for name, addresses in records.items())
    return ZoneConfig(f"{BASE}/privatednszones/{zone}", tuple(made))


def private_names(state: Inventory, name: str = "p") -> list[str | None]:
    return [None if record.private is None else to_text(record.private) for record in records(state, name)]


def records(state: Inventory, name: str = "p") -> tuple[NicRecord, ...]:
    return state.endpoints[pe(name).key].records


def of(*things: PrivateEndpoint | Nic | VirtualNetwork | Fault | ZoneGroup) -> Resources:
    return Resources(
        tuple(thing for thing in things if isinstance(thing, PrivateEndpoint)),
        tuple(thing for thing in things if isinstance(thing, Nic)),
        tuple(thing for thing in things if isinstance(thing, VirtualNetwork)),
        tuple(thing for thing in things if isinstance(thing, Fault)),
        tuple(thing for thing in things if isinstance(thing, ZoneGroup)),
    )


def joined(*things: PrivateEndpoint | Nic | ZoneGroup) -> Endpoint:
    state = Inventory(["s"])
    state.replace("s", "f", of(*things))
    (endpoint,) = state.endpoints.values()
    return endpoint


BLOB = config("privatelink.blob.core.windows.net", acct="10.0.0.4")
OTHER = config("contoso.internal", acct="10.0.0.4")
PRIVATE = "acct.privatelink.blob.core.windows.net"

# -- joining


@pytest.mark.parametrize("order", [("endpoints", "nics"), ("nics", "endpoints")])
def test_endpoint_and_nic_join_from_any_file_in_any_order(order: tuple[str, str]) -> None:
    parts = {"endpoints": of(pe(nics=["n"])), "nics": of(nic("n", "p", row()))}
    state = Inventory(["s", "t"])
    for source, part in zip(("s", "t"), order, strict=True):
        state.replace(source, part, parts[part])
    assert records(state) == (record(A4),)
    assert not state.faults


@pytest.mark.parametrize("things", [(pe(), nic("n", "p", row())), (pe(nics=["n"]), nic("n", "", row()))])
def test_either_side_of_the_link_is_enough(things: tuple[PrivateEndpoint, Nic]) -> None:
    state = Inventory()
    change = state.replace("s", "f", of(*things))
    assert records(state) == (record(A4),)
    assert change.faults == {}


def test_a_nic_belongs_to_the_endpoint_that_it_names() -> None:
    state = Inventory()
    state.replace("s", "other", of(pe("q", nics=["n"])))
    change = state.replace("s", "nic", of(nic("n", "p", row())))
    assert records(state, "q") == (record(A4),), "nobody knows p"
    change = state.replace("s", "p", of(pe("p")))
    assert change.endpoints.keys() == {pe("p").key, pe("q").key}
    assert (records(state, "p"), records(state, "q")) == ((record(A4),), ())


def test_records_come_from_the_nic_and_from_custom_dns_only_without_one() -> None:
    state = Inventory()
    state.replace("s", "pe", of(pe(dns=[NicRow((NAME,), ("10.0.0.9", "10.0.0.8"))])))
    assert [r.addresses for r in records(state)] == [(b"\x0a\x00\x00\x08", b"\x0a\x00\x00\x09")]
    state.replace("s", "nic", of(nic("n", "p", row())))
    assert records(state) == (record(A4),)
    state.replace("s", "nic", None)
    assert [r.addresses for r in records(state)] == [(b"\x0a\x00\x00\x08", b"\x0a\x00\x00\x09")]


def test_rows_of_one_name_group_and_member_are_one_record_in_canonical_order() -> None:
    rows = [
        row("10.0.0.5"),
        row("10.0.0.4", NAME.upper(), NAME + "."),
        row("fd00::4"),
        row("10.0.0.4", "z.example", "a.example"),
    ]
    expected = (
        record(A4, fqdn="a.example"),
        record(A4, fqdn="z.example"),
        record(A4, A5, b"\xfd" + bytes(14) + b"\x04"),
    )  # fmt: skip
    assert joined(pe(), nic("n", "p", *rows)).records == expected
    assert joined(pe(), nic("n", "p", *reversed(rows))).records == expected
    assert joined(pe(), nic("n", "p", *rows[:2]), nic("m", "p", *rows[2:])).records == expected


def test_the_examples_of_azures_own_specification_join() -> None:
    state = Inventory(["s"])
    for path in EXAMPLES.glob("*.json"):
        state.replace("s", path.name, arm.read(path.read_bytes(), path.name, form="json"))
    states = {endpoint.name: endpoint.state for endpoint in state.endpoints.values()}
    assert states == {
        "pe1": ConnectionState.APPROVED,
        "pe2": ConnectionState.PENDING,
        "pe3": ConnectionState.APPROVED,
        "testPe": ConnectionState.PENDING,
    }
    ((fault,),) = (faults for key, faults in state.faults.items() if key.endswith("ACRPrivateEndpoint.nic.0a1b2c3d"))
    assert fault.path == "privateEndpoint.id"
    assert "az network private-endpoint list" in fault.message


# -- validation


@pytest.mark.parametrize(
    "address",
    ["", "10.0.0.0/28", "ten", "10.0.0.256", "0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "169.254.1.1",
     "fe80::1%eth0", "255.255.255.255", "::ffff:10.0.0.4", " 10.0.0.4", "x" * 10_000],
)  # fmt: skip
def test_an_invalid_address_is_a_fault_and_the_others_are_kept(address: str) -> None:
    endpoint = joined(pe(), nic("n", "p", row(address, "bad.example"), row(address), row()))
    assert endpoint.records == (record(A4),)
    (fault, other) = endpoint.faults
    assert (fault.subject, fault.path, fault.where) == (
        nic_key("n"),
        "ipConfigurations[0].properties.privateIPAddress",
        "f",
    )
    assert other.path == "ipConfigurations[1].properties.privateIPAddress"
    assert len(fault.message) < 200


@pytest.mark.parametrize(
    "fqdn", ["", "a b.example", f"{'x' * 64}.example", "x..example", "10.0.0.4", "a.*.example", "."]
)
def test_an_invalid_fqdn_is_a_fault_and_the_others_are_kept(fqdn: str) -> None:
    endpoint = joined(pe(), nic("n", "p", row("10.0.0.4", NAME, fqdn)))
    assert endpoint.records == (record(A4),)
    (fault,) = endpoint.faults
    assert fault.path == "ipConfigurations[0].properties.privateLinkConnectionProperties.fqdns[1]"


def test_a_row_with_names_and_no_address_is_a_fault_and_one_without_names_is_not() -> None:
    endpoint = joined(pe(), nic("n", "p", NicRow((NAME,), ()), NicRow((), ())))
    assert endpoint.records == ()
    assert [(fault.path, fault.message) for fault in endpoint.faults] == [
        ("ipConfigurations[0].properties.privateIPAddress", "no address")
    ]


def test_the_addresses_of_rows_without_a_name_are_kept_by_group_and_member() -> None:
    bare = [NicRow((), (address,), "gateway", "headnode") for address in ("10.0.0.6", "fd00::6")]
    endpoint = joined(pe(), nic("n", "p", row(), *bare, NicRow(("a b",), ("10.0.0.5",), "blob", "blob")))
    assert endpoint.records == (record(A4),)
    assert endpoint.nameless == (
        NamelessRow((bytes((10, 0, 0, 5)),), "blob", "blob"),
        NamelessRow((bytes((10, 0, 0, 6)), ip_address("fd00::6").packed), "gateway", "headnode"),
    )


def test_a_bad_address_in_a_row_without_a_name_is_a_fault() -> None:
    endpoint = joined(pe(), nic("n", "p", NicRow((), ("10.0.0.0/28",))))
    assert [fault.path for fault in endpoint.faults] == ["ipConfigurations[0].properties.privateIPAddress"]
    assert endpoint.nameless == ()


def test_sources_that_differ_in_an_address_without_a_name_are_rivals() -> None:
    state = Inventory(["s"])
    state.replace("s", "a", of(pe(), nic("n", "p", NicRow((), ("10.0.0.4",)))))
    state.replace("s", "b", of(nic("n", "p", NicRow((), ("10.0.0.5",)))))
    assert [endpoint.rivals for endpoint in state.endpoints.values()] == [("s: b: records",)]


def test_faults_of_custom_dns_and_of_the_short_form_have_paths_of_their_own() -> None:
    rows = (NicRow((NAME,), ("10.0.0.4", "x")), NicRow(("a b",), ("10.0.0.4",)))
    of_dns = joined(pe(dns=rows))
    assert [fault.path for fault in of_dns.faults] == ["customDnsConfigs[0].ipAddresses[1]", "customDnsConfigs[1].fqdn"]
    short = joined(PrivateEndpoint(ResourceId("lab"), "lab", "lab", state_text="Approved", records=rows, network="weu"))
    assert [fault.path for fault in short.faults] == ["records[0].ips[1]", "records[1].fqdn"]
    assert (short.key, short.network, len(short.records)) == ("lab", "weu", 1)


@pytest.mark.parametrize(
    ("text", "state", "faults"),
    [
        ("approved", ConnectionState.APPROVED, 0),
        ("Removed", ConnectionState.DISCONNECTED, 0),
        ("Odd", ConnectionState.UNKNOWN, 1),
        ("", ConnectionState.UNKNOWN, 1),
    ],
)
def test_an_unknown_or_missing_state_is_unknown_and_a_fault(text: str, state: ConnectionState, faults: int) -> None:
    endpoint = joined(pe(state=text))
    assert (endpoint.state, endpoint.state_text, len(endpoint.faults)) == (state, text, faults)
    assert all(f.path.endswith("ConnectionState.status") and (not text or text in f.message) for f in endpoint.faults)


def test_faults_inside_endpoint_and_nic_stay_with_the_endpoint() -> None:
    of_pe, of_nic = Fault("p", "subnet.id", "m", "f"), Fault("n", "privateEndpoint.id", "m", "f")
    endpoint = joined(
        msgspec.structs.replace(pe(nics=["n"]), faults=(of_pe,)), msgspec.structs.replace(nic("n"), faults=(of_nic,))
    )
    assert endpoint.faults == (of_pe, of_nic)


# -- faults of no endpoint


def test_a_nic_is_an_orphan_while_its_endpoint_is_unknown() -> None:
    state = Inventory()
    (faults,) = state.replace("s", "nics", of(nic("n", "p", row()))).faults.values()
    assert [(f.subject, f.path, f.where) for f in faults] == [(nic_key("n"), "privateEndpoint.id", "nics")]
    assert state.replace("s", "pes", of(pe())).faults == {nic_key("n"): ()}
    assert not state.faults
    assert state.replace("s", "pes", None).faults == {nic_key("n"): faults}
    assert state.replace("s", "nics", None).faults == {nic_key("n"): ()}


def test_a_change_has_all_present_faults_of_a_subject() -> None:
    one, two = Fault("x", "a", "m", "f"), Fault("x", "b", "m", "g")
    state = Inventory()
    assert state.replace("s", "f", of(one)).faults == {"x": (one,)}
    assert state.replace("s", "g", of(two)).faults == {"x": (one, two)}
    assert state.replace("s", "g", of(two)).faults == {}
    assert state.replace("s", "f", None).faults == {"x": (two,)}
    assert state.faults == {"x": (two,)}


# -- changes


def test_a_change_lists_only_resources_that_differ() -> None:
    state = Inventory()
    first = state.replace("s", "f", of(pe("p"), pe("q")))
    assert first.endpoints == dict(state.endpoints)
    assert state.replace("s", "f", of(pe("q"), pe("p"))) == InventoryChange({}, {}, {})
    assert state.replace("s", "f", of(pe("q", "Pending"), pe("p"))).endpoints.keys() == {pe("q").key}
    assert state.replace("s", "f", of(pe("p"))).endpoints == {pe("q").key: None}
    assert state.replace("s", "nothing", None) == InventoryChange({}, {}, {})


def test_a_resource_that_moves_between_parts_in_one_update_is_never_gone() -> None:
    state = Inventory()
    state.replace("s", "old", of(pe("p"), nic("n", "p", row())))
    change = state.update({("s", "old"): None, ("s", "new"): of(pe("p"), nic("n", "p", row()))})
    (endpoint,) = change.endpoints.values()
    assert endpoint is not None
    assert (endpoint.where, endpoint.records) == ("new", (record(A4),))


def test_virtual_networks_are_added_changed_and_removed() -> None:
    key = f"{BASE}/virtualnetworks/v"
    vnet = VirtualNetwork(ResourceId(key), key, "weu", ("10.0.0.0/16",))
    state = Inventory(["s"])
    expected = msgspec.structs.replace(vnet, source="s", where="f")
    assert state.replace("s", "f", of(vnet)).vnets == {key: expected}
    assert state.replace("s", "g", of(msgspec.structs.replace(vnet, region="neu"))).vnets == {}
    assert state.vnets == {key: expected}
    assert [v and v.region for v in state.replace("s", "f", None).vnets.values()] == ["neu"]
    assert state.replace("s", "g", None).vnets == {key: None}


@pytest.mark.parametrize("size", [10, 1000])
def test_a_change_costs_as_much_as_the_resources_that_it_affects(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def counting(*args: object) -> Endpoint:
        endpoint = join(*args)  # type: ignore[arg-type]
        built.append(endpoint.name)
        return endpoint

    state = Inventory()
    state.replace("s", "pes", of(*(pe(f"p{i}", nics=[f"n{i}"]) for i in range(size))))
    state.replace("s", "nics", of(*(nic(f"n{i}", f"p{i}", row()) for i in range(size))))
    state.replace("s", "groups", of(*(group(f"p{i}", BLOB) for i in range(size))))
    monkeypatch.setattr(inventory, "join", counting)
    state.replace("s", "one", of(pe("p3", "Rejected")))
    state.replace("s", "nics", of(*(nic(f"n{i}", f"p{i}", row(f"10.0.0.{5 if i == 4 else 4}")) for i in range(size))))
    state.replace("s", "groups", of(*(group(f"p{i}", *([] if i == 5 else [BLOB])) for i in range(size))))
    assert built == ["p3", "p4", "p5"]
    records = {from_text(PRIVATE): {A4}}
    state.set_created({"p6": records, "p7": records, "other": records})
    state.set_created({"p6": records, "p7": {**records}, "p8": {}})
    assert sorted(built[3:]) == ["p6", "p7", "p8"]


# -- several parts with one resource


def test_the_order_of_sources_then_of_parts_decides_which_version_counts() -> None:
    state = Inventory(["first", "second"])
    state.replace("second", "a", of(pe(state="Rejected")))
    state.replace("first", "b", of(pe(state="Pending")))
    state.replace("first", "a", of(pe(state="Approved")))
    (endpoint,) = state.endpoints.values()
    assert (endpoint.state, endpoint.source, endpoint.where) == (ConnectionState.APPROVED, "first", "a")
    assert endpoint.rivals == ("first: b: state", "second: a: state")
    state.replace("first", "a", None)
    state.replace("second", "a", of(pe(state="Pending")))
    (endpoint,) = state.endpoints.values()
    assert (endpoint.state, endpoint.where, endpoint.rivals) == (ConnectionState.PENDING, "b", ())


def test_versions_that_differ_only_in_spelling_are_equal() -> None:
    here = pe(dns=[NicRow((NAME,), ("10.0.0.4",))])
    there = msgspec.structs.replace(here, id=here.id.upper(), name="P", state_text="approved", dns=())
    state = Inventory(["s"])
    state.replace("s", "a", of(here, nic("n", "p", row(), row("10.0.0.5"))))
    state.replace("s", "b", of(there, nic("n", "p", row("10.0.0.5"), row("10.0.0.4", NAME.upper()))))
    assert [endpoint.rivals for endpoint in state.endpoints.values()] == [()]
    state.replace("s", "b", of(there, nic("n", "p", row())))
    assert [endpoint.rivals for endpoint in state.endpoints.values()] == [("s: b: records",)]


# -- saving


def test_the_saved_parts_make_the_same_inventory() -> None:
    state = Inventory(["s", "t"])
    state.replace("t", "f", of(pe("p"), nic("n", "p", row()), Fault("x", "", "m", "f"), group("p", BLOB)))
    state.replace("s", "g", of(pe("p", "Pending"), nic("m", "q", row())))
    saved = msgspec.msgpack.encode(list(state.parts()))
    again = Inventory(["s", "t"])
    again.update({(s, p): r for s, p, r in msgspec.msgpack.decode(saved, type=list[tuple[str, str, Resources]])})
    assert (again.endpoints, again.faults) == (state.endpoints, state.faults)


# -- any sequence of changes

_NAMES = st.sampled_from("pqr")
_ROWS = st.lists(st.sampled_from([row(), row("10.0.0.5"), row("bad"), row("10.0.0.4", "b.example")]), max_size=2)
_ENDPOINTS = st.builds(
    pe, _NAMES, st.sampled_from(["Approved", "Rejected", "Odd"]), st.lists(st.sampled_from("lmn"), max_size=2), _ROWS
)
_NICS = st.builds(lambda n, e, rows: nic(n, e, *rows), st.sampled_from("lmn"), st.sampled_from(["", *"pqr"]), _ROWS)
_GROUPS = st.builds(
    group, _NAMES, st.sampled_from([BLOB, OTHER, config("b.example", x="10.0.0.4 10.0.0.5"), config("", x="bad")])
)
_RESOURCES = st.builds(
    lambda endpoints, nics, faults, groups: of(*endpoints, *nics, *faults, *groups),
    st.lists(_ENDPOINTS, max_size=3, unique_by=lambda e: e.key),
    st.lists(_NICS, max_size=3, unique_by=lambda n: n.key),
    st.lists(st.builds(Fault, st.sampled_from("xy"), st.just(""), st.sampled_from("ab"), st.just("w")), max_size=2),
    st.lists(_GROUPS, max_size=3, unique_by=lambda g: g.key),
)
_PARTS = st.tuples(st.sampled_from("st"), st.sampled_from("fg"))
_STEPS = st.lists(st.dictionaries(_PARTS, st.none() | _RESOURCES, min_size=1, max_size=2), max_size=8)


@settings(max_examples=300, deadline=None)
@given(_STEPS)
def test_any_sequence_of_changes_ends_as_the_final_parts_alone_would(
    steps: list[dict[tuple[str, str], Resources | None]],
) -> None:
    state = Inventory(["s", "t"])
    parts: dict[tuple[str, str], Resources | None] = {}
    endpoints: dict[ResourceId, Endpoint | None] = {}
    faults: dict[str, tuple[Fault, ...]] = {}
    for step in steps:
        change = state.update(step)
        assert all(endpoints.get(key) != new for key, new in change.endpoints.items())
        assert all(faults.get(key, ()) != new for key, new in change.faults.items())
        parts |= step
        endpoints |= change.endpoints
        faults |= change.faults
    fresh = Inventory(["s", "t"])
    for key in sorted(parts, reverse=True):
        fresh.replace(*key, parts[key])
    assert state.endpoints == fresh.endpoints == {key: new for key, new in endpoints.items() if new}
    assert state.faults == fresh.faults == {key: new for key, new in faults.items() if new}
