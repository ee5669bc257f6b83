"""DNS zone groups give endpoints their private names."""

import pytest

from tests.zones.azure.test_inventory import (
    A4,
    BLOB,
    OTHER,
    PRIVATE,
    config,
    group,
    joined,
    nic,
    of,
    pe,
    private_names,
    record,
    row,
)
from zones.azure.inventory import Inventory
from zones.azure.resource import ZoneConfig, ZoneRecord
from zones.dns.name import from_text


@pytest.mark.parametrize("order", ["peg", "gpe", "egp"])
def test_a_zone_group_gives_the_fqdn_of_its_endpoint_a_private_name_in_any_order(order: str) -> None:
    parts = {"p": of(pe(nics=["n"])), "e": of(nic("n", "p", row())), "g": of(group("p", OTHER))}
    state = Inventory(["s"])
    for part in order:
        state.replace("s", part, parts[part])
    assert private_names(state) == ["acct.contoso.internal"]
    assert not state.faults
    assert state.replace("s", "g", of(group("p", BLOB))).endpoints.keys() == {pe().key}
    assert private_names(state) == [PRIVATE]
    state.replace("s", "g", None)
    assert private_names(state) == [None]


def test_a_record_has_no_private_name_without_a_zone_group() -> None:
    assert joined(pe(nics=["n"]), nic("n", "p", row())).records[0].private is None


def test_a_zone_group_without_its_endpoint_is_a_fault() -> None:
    state = Inventory(["s"])
    state.replace("s", "g", of(group("p", BLOB)))
    (fault,) = state.faults[group("p").id]
    assert (fault.path, fault.where) == ("id", "g")
    assert "not in the inventory" in fault.message
    state.replace("s", "p", of(pe(dns=[row()])))
    assert not state.faults
    state.replace("s", "p", None)
    assert state.faults


@pytest.mark.parametrize(
    ("configs", "path", "message"),
    [
        ([BLOB, BLOB], "privateDnsZoneConfigs[1].privateDnsZoneId", "twice in one zone group"),
        ([BLOB, ZoneConfig("")], "privateDnsZoneConfigs[1].privateDnsZoneId", "no zone"),
        ([BLOB, config("x..y", a="10.0.0.4")], "privateDnsZoneConfigs[1].privateDnsZoneId", "no zone"),
        ([BLOB, config("z.example", acct="10.0.0")], "privateDnsZoneConfigs[1].recordSets[0]", "10.0.0"),
        ([BLOB, config("z.example", acct="127.0.0.1")], "privateDnsZoneConfigs[1].recordSets[0]", "127.0.0.1"),
        ([BLOB, config("z.example", acct="10.0.0.0/24")], "privateDnsZoneConfigs[1].recordSets[0]", "a prefix"),
        ([BLOB, config("z.example", acct="")], "privateDnsZoneConfigs[1].recordSets[0]", "no address"),
        ([BLOB, config("z.example", **{"a b": "10.0.0.4"})], "privateDnsZoneConfigs[1].recordSets[0]", "a b"),
        ([BLOB, config("z.example", **{"a" * 64: "10.0.0.4"})], "privateDnsZoneConfigs[1].recordSets[0]", "64 octets"),
        (
            [BLOB, config("z.example", **{".".join(["a" * 62] * 4): "10.0.0.4"})],
            "privateDnsZoneConfigs[1].recordSets[0]",
            "at most 255",
        ),
        (
            [BLOB, ZoneConfig(OTHER.zone, (ZoneRecord("acct.elsewhere.example", ("10.0.0.4",)),))],
            "privateDnsZoneConfigs[1].recordSets[0]",
            "not in its zone",
        ),
        ([BLOB, OTHER], "privateDnsZoneConfigs[1].recordSets[0]", "none of the endpoint's FQDNs"),
        (
            [BLOB, config("z.example", acct="10.9.9.9")],
            "privateDnsZoneConfigs[1].recordSets[0]",
            "10.9.9.9: no address of the endpoint's network interface",
        ),
    ],
)
def test_a_bad_record_set_is_a_fault_and_the_others_count(configs: list[ZoneConfig], path: str, message: str) -> None:
    state = Inventory(["s"])
    state.replace("s", "f", of(pe(nics=["n"]), nic("n", "p", row()), group("p", *configs)))
    (fault,) = state.endpoints[pe().key].faults
    assert (fault.subject, fault.path, fault.where) == (group("p").id, path, "f")
    assert message in fault.message
    assert private_names(state) == [PRIVATE]


def test_record_sets_of_one_name_with_different_addresses_do_not_count() -> None:
    zone = ZoneConfig(
        OTHER.zone, tuple(ZoneRecord("acct.contoso.internal", (each,)) for each in ("10.0.0.4", "10.0.0.5"))
    )
    endpoint = joined(pe(nics=["n"]), nic("n", "p", row()), group("p", zone))
    assert endpoint.records == (record(A4),)
    assert ["neither counts" in fault.message for fault in endpoint.faults] == [True]


def test_a_and_aaaa_record_sets_of_one_name_count_together() -> None:
    zone = ZoneConfig(
        OTHER.zone, tuple(ZoneRecord("acct.contoso.internal", (each,)) for each in ("10.0.0.4", "fd00::4"))
    )
    rows = row(), row("fd00::4")
    endpoint = joined(pe(nics=["n"]), nic("n", "p", *rows), group("p", zone))
    assert [each.private for each in endpoint.records] == [from_text("acct.contoso.internal")]
    assert not endpoint.faults


def test_of_a_huge_zone_group_some_record_sets_are_read() -> None:
    zone = config("z.example", **{f"a{i}": "10.0.0.4" for i in range(300)})
    endpoint = joined(pe(nics=["n"]), nic("n", "p", row()), group("p", BLOB, zone))
    assert len(endpoint.faults) == 256
    assert "more than 256" in endpoint.faults[0].message


def test_zone_groups_that_differ_between_parts_are_rivals_and_the_first_counts() -> None:
    state = Inventory(["s", "t"])
    state.replace("s", "f", of(pe(nics=["n"]), nic("n", "p", row()), group("p", BLOB)))
    state.replace("t", "g", of(group("p", OTHER)))
    assert private_names(state) == [PRIVATE]
    assert state.endpoints[pe().key].rivals == ("t: g: private names",)
    state.replace("t", "g", of(group("p", BLOB)))
    assert not state.endpoints[pe().key].rivals
