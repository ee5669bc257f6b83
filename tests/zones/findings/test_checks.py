"""Findings that need no contest: their evidence, severity, action and bounds."""

from typing import Any

import pytest
import yaml
from msgspec import structs

from tests.zones.books import shown
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import (
    ConfiguredRecord,
    ConnectionState,
    Endpoint,
    Fault,
    NamelessRow,
    NicRecord,
    ResourceId,
    VirtualNetwork,
)
from zones.claims.policy import Pin
from zones.dns.name import from_text
from zones.findings import checks
from zones.findings.codes import TYPES
from zones.findings.endpoint_evidence import NameMissing
from zones.findings.evidence import LISTED, Severity
from zones.findings.finding import Finding
from zones.networks import topology
from zones.networks.network import Network, Networks

SUB, OTHER_SUB = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
ALONE = Networks([])
STORAGE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
PURVIEW = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Purview/accounts/p"
COSMOS = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/db"


def vnet_id(name: str, sub: str = SUB) -> ResourceId:
    return ResourceId(f"/subscriptions/{sub}/resourcegroups/rg/providers/microsoft.network/virtualnetworks/{name}")


def endpoint(key: str = "pe", **fields: Any) -> Endpoint:  # noqa: ANN401 - fields of many types
    return Endpoint(**{"key": key, "id": f"/ID/{key}", "name": key, "state": ConnectionState.APPROVED, **fields})


def record(fqdn: str = "acct.blob.core.windows.net", *octets: int) -> NicRecord:
    return NicRecord(from_text(fqdn), tuple(bytes((10, 0, 0, each)) for each in octets or (4,)))


def vnet(name: str, *prefixes: str, region: str = "", peers: tuple[str, ...] = ()) -> VirtualNetwork:
    return VirtualNetwork(vnet_id(name), vnet_id(name).upper(), region, prefixes, tuple(map(vnet_id, peers)))


def two_networks() -> Networks:
    return Networks([Network("a", (), (vnet_id("a"),)), Network("b", (), (vnet_id("b"),), (vnet_id("hub"),))])


def only(facts: Any) -> Finding:  # noqa: ANN401 - any iterable
    (fact,) = facts
    assert isinstance(fact, Finding)
    assert type(fact.evidence) in TYPES
    return fact


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


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (STORAGE.upper(), "microsoft.storage/storageaccounts"),
        (f"{STORAGE}/blobServices/default", "microsoft.storage/storageaccounts"),
        ("pls.0000.westeurope.azure.privatelinkservice", ""),
        ("", ""),
    ],
)
def test_the_resource_type_of_a_target(target: str, kind: str) -> None:
    assert checks.resource_type(target) == kind


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


# -- companions


def companions_of(endpoints: list[Endpoint], networks: Networks) -> list[Finding]:
    return list(checks.of_companions(endpoints, networks, catalogue().companions))


@pytest.mark.parametrize(
    ("target", "group", "companion"),
    [
        (STORAGE, "dfs", "blob"),
        (STORAGE, "dfs_secondary", "blob_secondary"),
        (COSMOS, "Gremlin", "Sql"),
        (COSMOS, "Table", "Sql"),
        (PURVIEW, "portal", "account"),
    ],
)
def test_an_endpoint_without_its_companion_is_reported(target: str, group: str, companion: str) -> None:
    one, other = endpoint("x", target=target, groups=(group,)), endpoint("y", target=target, groups=(companion,))
    fact = only(companions_of([one], ALONE))

    assert (fact.code, fact.severity, fact.subject) == ("companion-missing", Severity.WARNING, target)
    missing = {"group": group.casefold(), "needs": companion.casefold(), "endpoints": ["/ID/x"]}
    assert shown(fact.evidence) == {"missing": [missing]}
    assert not companions_of([other, one], ALONE)
    assert not companions_of([other], ALONE)


def test_a_companion_that_is_not_served_is_missing() -> None:
    dfs = endpoint("x", target=STORAGE, groups=("dfs",))
    blob = endpoint("y", target=STORAGE, groups=("blob",), state=ConnectionState.PENDING)

    assert companions_of([dfs, blob], ALONE)


def test_a_companion_is_missing_in_the_networks_that_do_not_see_it() -> None:
    dfs = endpoint("x", target=STORAGE, groups=("dfs",))
    blob = endpoint("y", target=STORAGE, groups=("blob",), vnet=vnet_id("b"))

    assert only(companions_of([dfs, blob], two_networks())).networks.items == ("a",)


def test_table_storage_needs_no_companion() -> None:
    assert not companions_of([endpoint("x", target=STORAGE, groups=("table",))], ALONE)


def test_all_that_a_target_lacks_is_one_finding() -> None:
    rows = [endpoint("x", target=COSMOS, groups=("Table",)), endpoint("y", target=COSMOS, groups=("Gremlin",))]

    missing = shown(only(companions_of(rows, ALONE)).evidence)["missing"]
    assert [item["group"] for item in missing] == ["gremlin", "table"]


def databricks(key: str, group: str, workspace: str, region: str = "westeurope", **fields: Any) -> Endpoint:  # noqa: ANN401
    target = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/{workspace}"
    return endpoint(key, target=target, groups=(group,), region=region, **fields)


def test_a_workspace_may_use_the_sign_in_of_another_workspace_of_its_region() -> None:
    one, two = (databricks(key, "databricks_ui_api", key) for key in ("one", "two"))
    sign_in = databricks("auth", "Browser_Authentication", "web-auth")
    assert not companions_of([one, two, sign_in], ALONE)

    lacking = companions_of([one, two], ALONE)
    assert [fact.subject for fact in lacking] == [one.target, two.target]
    assert shown(lacking[0].evidence) == {
        "missing": [
            {
                "group": "databricks_ui_api", "needs": "browser_authentication", "endpoints": ["/ID/one"],
                "within": "region",
            }
        ]
    }  # fmt: skip
    assert not companions_of([sign_in], ALONE)


def test_a_network_that_does_not_see_the_sign_in_lacks_it() -> None:
    workspace = databricks("one", "databricks_ui_api", "one")
    sign_in = databricks("auth", "browser_authentication", "web-auth", vnet=vnet_id("b"))
    assert only(companions_of([workspace, sign_in], two_networks())).networks.items == ("a",)


def test_companions_are_looked_for_at_the_target_or_in_the_region() -> None:
    def key(each: Endpoint) -> str:
        return checks.companion_key(each, catalogue().companions)

    assert key(endpoint("x", target=STORAGE.upper(), groups=("DFS",))) == STORAGE.casefold()
    assert key(endpoint("x", target=STORAGE, groups=("queue",))) == ""
    assert key(endpoint("x", groups=("dfs",))) == ""
    one, auth = databricks("x", "databricks_ui_api", "one"), databricks("y", "browser_authentication", "two")
    assert key(one) == key(auth) != key(databricks("z", "databricks_ui_api", "one", "northeurope"))


# -- VNets


def test_overlapping_vnets_visible_to_one_network_are_one_finding() -> None:
    vnets = [vnet("b", "10.0.4.0/22", "10.9.0.0/24"), vnet("a", "10.0.0.0/16"), vnet("c", "192.168.0.0/24")]
    fact = only(checks.overlaps(vnets, ALONE))

    assert (fact.code, fact.severity, fact.subject) == ("network-overlap", Severity.WARNING, "10.0.4.0/22")
    assert shown(fact.evidence)["vnets"] == [
        {"vnet": vnet_id("b").upper(), "prefix": "10.0.4.0/22"},
        {"vnet": vnet_id("a").upper(), "prefix": "10.0.0.0/16"},
    ]


def test_vnets_that_no_network_sees_together_may_overlap() -> None:
    spaces = ("10.0.0.0/16", "fd00::/48")

    assert not list(checks.overlaps([vnet("a", *spaces), vnet("b", *spaces)], two_networks()))
    facts = list(checks.overlaps([vnet("hub", *spaces), vnet("b", *spaces)], two_networks()))
    assert [(fact.subject, fact.networks.items) for fact in facts] == [("10.0.0.0/16", ("b",)), ("fd00::/48", ("b",))]


def test_a_prefix_inside_an_overlap_is_reported_only_if_it_adds_an_overlap() -> None:
    shared = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]

    assert [fact.subject for fact in checks.overlaps([*shared, vnet("c", "10.0.1.0/24")], ALONE)] == [
        "10.0.0.0/16", "10.0.1.0/24",
    ]  # fmt: skip
    both_seen = [vnet("hub", "10.0.0.0/16"), vnet("b", "10.0.0.0/16"), vnet("unseen", "10.0.1.0/24")]
    assert only(checks.overlaps(both_seen, two_networks())).subject == "10.0.0.0/16"


def test_an_overlap_without_a_network_for_its_clients_is_reported_though_no_network_sees_both() -> None:
    networks = Networks(auto=True)
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]
    networks.replace(topology.networks(vnets, ()))
    fact = only(checks.overlaps(vnets, networks))
    assert (fact.subject, fact.networks.items) == ("10.0.0.0/16", ())
    assert "in a configured network" in fact.action

    networks.replace(topology.networks(vnets, [Network("a", ("10.0.0.0/16",), (vnet_id("a"),))]))
    assert not list(checks.overlaps(vnets, networks))


def test_an_overlap_is_reported_until_each_of_its_vnets_has_a_listener() -> None:
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]
    for listeners, count in ((("a",), 1), (("a", "b"), 0), (("a", "b", "c"), 0)):
        networks = Networks(auto=True, listeners=listeners)
        networks.replace(topology.networks(vnets, ()))
        assert len(list(checks.overlaps(vnets, networks))) == count


def test_peered_vnets_and_the_prefixes_of_one_vnet_are_no_overlap() -> None:
    assert not list(checks.overlaps([vnet("a", "10.0.0.0/16", "10.0.1.0/24")], ALONE))
    assert not list(checks.overlaps([vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16", peers=("a",))], ALONE))


def test_a_prefix_that_cannot_be_read_and_a_neighbour_are_no_overlap() -> None:
    assert not list(checks.overlaps([vnet("a", "10.0.0.0/16", "x"), vnet("b", "10.1.0.0/16", "x")], ALONE))
    assert not list(checks.overlaps([vnet("a", "0.0.0.0/0"), vnet("b", "::/0")], ALONE))


def test_the_vnets_that_share_a_prefix_are_one_finding_with_a_bounded_list() -> None:
    fact = only(checks.overlaps([vnet(f"v{i:03}", "10.0.0.0/16") for i in range(LISTED + 2)], ALONE))

    assert (len(shown(fact.evidence)["vnets"]), shown(fact.evidence)["vnets_total"]) == (LISTED, LISTED + 2)


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
