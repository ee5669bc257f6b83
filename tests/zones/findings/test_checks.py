"""Findings that need no contest: their evidence, severity, action and bounds."""

import pytest
import yaml
from msgspec import structs

from tests.zones.books import shown
from tests.zones.findings.samples import (
    ALONE,
    OTHER_SUB,
    STORAGE,
    SUB,
    endpoint,
    only,
    record,
    two_networks,
    vnet,
    vnet_id,
)
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import (
    ConfiguredRecord,
    ConnectionState,
    Endpoint,
    Fault,
    NamelessRow,
    ResourceId,
    VirtualNetwork,
)
from zones.claims.policy import Pin
from zones.dns.name import from_text
from zones.findings import checks
from zones.findings.endpoint_evidence import NameMissing
from zones.findings.evidence import LISTED, Severity
from zones.findings.finding import Finding
from zones.networks.network import Network, Networks


def about(one: Endpoint, home: VirtualNetwork | None = None) -> list[Finding]:
    return list(checks.of_endpoint(one, home))


def test_an_approved_endpoint_with_a_name_gives_nothing_to_tell() -> None:
    assert about(endpoint(records=(record(),), vnet=vnet_id("a"), subscription=SUB, region="westeurope")) == []


# -- state


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        (ConnectionState.PENDING, "endpoint-pending", Severity.INFO),
        (ConnectionState.REJECTED, "endpoint-rejected", Severity.WARNING),
        (ConnectionState.DISCONNECTED, "endpoint-disconnected", Severity.WARNING),
    ],
)
def test_an_endpoint_that_is_not_approved_is_reported_with_its_names(
    state: ConnectionState, code: str, severity: Severity
) -> None:
    records = (record(), structs.replace(record(), group="other"))
    fact = only(about(endpoint(state=state, state_text="As Azure says", target=STORAGE, records=records)))

    assert (fact.code, fact.severity, fact.subject, fact.action) == (code, severity, "/ID/pe", "not served")
    assert shown(fact.evidence) == {
        "state": "As Azure says", "target": STORAGE, "groups": [], "names": ["acct.blob.core.windows.net"],
    }  # fmt: skip


def test_names_of_a_rejected_endpoint_are_bounded() -> None:
    records = tuple(record(f"a{i}.example") for i in range(LISTED + 3))
    evidence = shown(only(about(endpoint(state=ConnectionState.REJECTED, records=records))).evidence)

    assert (len(evidence["names"]), evidence["names_total"]) == (LISTED, LISTED + 3)


def test_a_failed_update_is_served_and_reported() -> None:
    fact = only(about(endpoint(provisioning="failed", records=(record(),))))

    assert (fact.code, fact.severity, fact.action) == ("provisioning-failed", Severity.WARNING, "served anyway")
    assert shown(fact.evidence)["provisioning"] == "failed"
    assert not about(endpoint(provisioning="Deleting", records=(record(),)))


def test_an_approved_endpoint_without_a_name_is_reported() -> None:
    fact = only(about(endpoint(target=STORAGE, groups=("blob",))))

    assert (fact.code, fact.severity, fact.subject) == ("name-missing", Severity.WARNING, "/ID/pe")
    assert shown(fact.evidence) == {"target": STORAGE, "groups": ["blob"]}
    assert "export `az network nic list` too" in fact.action
    assert [fact.code for fact in about(endpoint(state=ConnectionState.PENDING))] == ["endpoint-pending"]


def nameless(*members: str) -> tuple[NamelessRow, ...]:
    return tuple(NamelessRow((bytes((10, 0, 0, i)),), "group", member) for i, member in enumerate(members))


@pytest.mark.parametrize(
    ("identifier", "rows", "items"),
    [
        ("/ID/pe", nameless(""), [{"name": "…", "endpoint": "/ID/pe"}]),
        ("/ID/pe", nameless("same", "same"), [{"name": "…", "endpoint": "/ID/pe"}]),
        ("/ID/pe", nameless("gateway", "head node"), [
            {"name": "…", "endpoint": "/ID/pe", "member": "gateway"},
            {"name": "…", "endpoint": "/ID/pe", "member": "head node"},
        ]),
        ("/ID/pe", (*nameless("gateway"), NamelessRow((bytes(4),), "edge")), [
            {"name": "…", "endpoint": "/ID/pe", "member": "gateway"},
            {"name": "…", "endpoint": "/ID/pe", "member": "edge"},
        ]),
        *((odd, nameless(""), [{"name": "…", "endpoint": odd}]) for odd in ("a, b}", "true", "12", "x: y", 'a"b', "#")),
    ],
)  # fmt: skip
def test_the_finding_has_the_items_that_would_give_each_address_a_name(
    identifier: str, rows: tuple[NamelessRow, ...], items: list[dict[str, str]]
) -> None:
    fact = only(about(endpoint(id=identifier, nameless=rows)))
    assert isinstance(fact.evidence, NameMissing)
    assert [yaml.safe_load(line)[0] for line in fact.evidence.add_to_names] == items
    assert fact.action == "nothing to serve until `names` in the configuration has a name for the endpoint's address"


def test_a_configured_name_is_a_name() -> None:
    configured = ConfiguredRecord(from_text("db.example"), (bytes(4),))
    assert not about(endpoint(nameless=nameless(""), records=(configured,)))


# -- placement


def test_an_endpoint_in_another_subscription_than_its_vnet_is_misplaced() -> None:
    fact = only(about(endpoint(subscription=SUB, vnet=vnet_id("a", OTHER_SUB), records=(record(),))))

    assert (fact.code, fact.severity) == ("endpoint-misplaced", Severity.WARNING)
    assert shown(fact.evidence)["differs"] == {"subscription": {"endpoint": SUB, "vnet": OTHER_SUB}}
    assert shown(fact.evidence)["vnet"] == vnet_id("a", OTHER_SUB)


def test_an_endpoint_in_another_region_than_its_vnet_is_misplaced() -> None:
    one = endpoint(subscription=SUB, vnet=vnet_id("a"), region="northeurope", records=(record(),))
    fact = only(about(one, vnet("a", region="westeurope")))

    assert fact.code == "endpoint-misplaced"
    assert shown(fact.evidence)["differs"] == {"region": {"endpoint": "northeurope", "vnet": "westeurope"}}
    assert about(one, vnet("a")) == []


def test_both_misplacements_of_an_endpoint_are_one_finding() -> None:
    one = endpoint(subscription=OTHER_SUB, vnet=vnet_id("a"), region="northeurope", records=(record(),))

    assert set(shown(only(about(one, vnet("a", region="westeurope"))).evidence)["differs"]) == {
        "subscription",
        "region",
    }


# -- sources and faults


def test_parts_that_disagree_are_reported() -> None:
    rivals = ("hub: b.json: state",)
    fact = only(about(endpoint(rivals=rivals, source="estate", where="a.json", records=(record(),))))

    assert (fact.code, fact.severity) == ("source-disagreement", Severity.WARNING)
    assert shown(fact.evidence) == {"believed": "estate: a.json", "others": ["hub: b.json: state"]}


def test_all_that_cannot_be_read_of_one_resource_is_one_finding() -> None:
    faults = [Fault("/ID/nic", f"fqdns[{i}]", "no name", "nics.json") for i in range(LISTED + 1)]
    fact = only(checks.of_faults("/ID/nic", faults))

    assert (fact.code, fact.severity, fact.subject) == ("invalid-record", Severity.WARNING, "/ID/nic")
    assert shown(fact.evidence)["faults"][0] == {"path": "fqdns[0]", "message": "no name", "where": "nics.json"}
    assert (len(shown(fact.evidence)["faults"]), shown(fact.evidence)["faults_total"]) == (LISTED, LISTED + 1)
    assert not list(checks.of_faults("/ID/nic", ()))


def test_a_network_that_is_not_configured_is_a_fault_of_the_endpoint() -> None:
    one = endpoint(network="lab", where="short.yaml")

    (fault,) = checks.faults_of(one, two_networks())
    assert (fault.subject, fault.path, fault.where) == ("/ID/pe", "network", "short.yaml")
    assert "'lab'" in fault.message
    assert checks.faults_of(one, ALONE) == ()
    assert checks.faults_of(endpoint(network="a"), two_networks()) == ()


# -- zones


def test_a_name_in_no_zone_is_reported_with_the_expected_zones() -> None:
    fact = checks.of_unknown_zone(from_text("acct.example"), [endpoint(target=STORAGE, groups=("Blob",))], catalogue())

    assert (fact.code, fact.severity, fact.subject) == ("zone-unknown", Severity.INFO, "acct.example")
    assert shown(fact.evidence)["endpoints"] == ["/ID/pe"]
    assert shown(fact.evidence)["resources"] == [{"type": "microsoft.storage/storageaccounts", "group": "blob"}]
    assert "privatelink.blob.core.windows.net" in shown(fact.evidence)["expected_zones"]


# -- addresses


def test_one_address_of_two_endpoints_visible_to_one_network_is_reused() -> None:
    x, y = (
        endpoint(key, vnet=vnet_id(room), records=(record(f"{key}.example"),)) for key, room in ("xb", ["y", "hub"])
    )
    fact = only(checks.of_address(bytes((10, 0, 0, 4)), [y, x], two_networks()))

    assert (fact.code, fact.severity, fact.subject) == ("address-reused", Severity.ERROR, "10.0.0.4")
    assert shown(fact.evidence) == {"endpoints": ["/ID/x", "/ID/y"], "names": ["x.example", "y.example"]}
    assert fact.networks.items == ("b",)


def test_one_address_in_two_networks_that_do_not_see_each_other_is_legal() -> None:
    x, y = endpoint("x", vnet=vnet_id("a")), endpoint("y", vnet=vnet_id("b"))

    assert not list(checks.of_address(bytes((10, 0, 0, 4)), [x, y], two_networks()))


def test_one_address_in_one_vnet_is_reused_though_no_network_sees_it() -> None:
    x, y = (endpoint(key, vnet=vnet_id("dark")) for key in "xy")

    assert only(checks.of_address(bytes((10, 0, 0, 4)), [x, y], two_networks())).networks.items == ()


def test_many_holders_of_an_address_are_listed_up_to_a_bound() -> None:
    holders = [endpoint(f"{i:03}", records=(record(f"a{i}.example"),)) for i in range(LISTED + 1)]
    evidence = shown(only(checks.of_address(bytes((10, 0, 0, 4)), holders, ALONE)).evidence)

    assert (len(evidence["endpoints"]), evidence["endpoints_total"]) == (LISTED, LISTED + 1)
    assert (len(evidence["names"]), evidence["names_total"]) == (LISTED, LISTED + 1)


def test_a_new_address_is_reported_with_the_old_one() -> None:
    old = endpoint(records=(record("a.example", 4), record("b.example", 6), record("gone.example")))
    new = endpoint(records=(record("a.example", 5, 4), record("b.example", 6), record("come.example")))
    fact = only(checks.of_moved(new, old))

    assert (fact.code, fact.severity, fact.subject) == ("address-changed", Severity.INFO, "/ID/pe")
    assert shown(fact.evidence)["changes"] == [
        {"name": "a.example", "before": ["10.0.0.4"], "after": ["10.0.0.4", "10.0.0.5"]}
    ]


# -- pins and zone files

KV = from_text("kv.vault.azure.net")


def test_a_pin_that_decides_something_is_not_reported() -> None:
    claimants = {ResourceId("pe"): endpoint(records=(record(),), vnet=vnet_id("a"))}

    assert not list(checks.of_pins(KV, [Pin("kv.vault.azure.net", "pe", "a")], claimants, two_networks()))


def test_pins_that_decide_nothing_are_reported_with_the_reason() -> None:
    off, far = endpoint("off", state=ConnectionState.REJECTED), endpoint("far", vnet=vnet_id("a"))
    claimants = {off.key: off, far.key: far}
    pins = [
        Pin("kv.vault.azure.net", "off", None, reason="moving"),
        Pin("kv.vault.azure.net", "far", "b"),
        Pin("kv.vault.azure.net", "who", "b"),
    ]
    fact = only(checks.of_pins(KV, pins, claimants, two_networks()))

    assert (fact.code, fact.severity, fact.subject) == ("pin-ignored", Severity.WARNING, "kv.vault.azure.net")
    assert fact.action == "the other rules decide"
    assert [(pin["endpoint"], pin["network"], pin["why"]) for pin in shown(fact.evidence)["pins"]] == [
        ("off", None, "that endpoint is not served"),
        ("far", "b", "that endpoint is not visible there"),
        ("who", "b", "that endpoint does not claim the name"),
    ]
    assert shown(fact.evidence)["pins"][0]["reason"] == "moving"
    assert fact.networks.items == ("a", "b")


def test_a_pin_on_an_unclaimed_name_is_reported() -> None:
    fact = only(checks.of_pins(KV, [Pin("kv.vault.azure.net", "pe")], {}, ALONE))

    assert shown(fact.evidence)["pins"][0]["why"] == "no endpoint claims the name"


def test_a_shadowed_name_is_reported_with_its_zone_and_endpoints() -> None:
    owners = [endpoint(f"{i:03}") for i in range(LISTED, -1, -1)]
    fact = only(checks.of_shadow(KV, from_text("vault.azure.net"), owners))

    assert (fact.code, fact.severity, fact.subject) == (
        "static-shadows-endpoint", Severity.WARNING, "kv.vault.azure.net",
    )  # fmt: skip
    assert shown(fact.evidence)["zone"] == "vault.azure.net"
    assert shown(fact.evidence)["endpoints"][0] == "/ID/000"
    assert (len(shown(fact.evidence)["endpoints"]), shown(fact.evidence)["endpoints_total"]) == (LISTED, LISTED + 1)


# -- networks


def test_the_networks_of_a_finding_are_bounded() -> None:
    networks = Networks([Network(f"n{i:03}", ()) for i in range(LISTED + 8)])
    fact = only(checks.of_address(bytes((10, 0, 0, 4)), [endpoint("x"), endpoint("y")], networks))

    assert (len(fact.networks.items), fact.networks.total) == (LISTED, LISTED + 8)
    assert fact.networks.items[0] == "n000"


def test_the_one_implied_network_is_not_listed() -> None:
    assert only(checks.of_address(bytes((10, 0, 0, 4)), [endpoint("x"), endpoint("y")], ALONE)).networks.items == ()
