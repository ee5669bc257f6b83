"""What the ledger reports: contests with their codes and evidence, and other findings as they come and go."""

from typing import Any

import pytest

from tests.zones.books import (
    FQDN,
    PRIVATE,
    ROW,
    acct,
    codes,
    drop,
    endpoint,
    finding_rows,
    ledger,
    one,
    put,
    record,
    remembered,
    shown,
    target,
    two_spokes,
    vnet_id,
)
from zones.azure.endpoint import ConnectionState, Endpoint, Fault, ResourceId, VirtualNetwork
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.findings.faults import Reporter

# -- the code of a contest


def contest_code(**fields: Any) -> str:  # noqa: ANN401 - many types
    book = ledger()
    put(book, acct("x", 4, **fields), acct("y", 5, **fields))
    (fact,) = book.board
    return f"{fact.severity}: {fact.code}"


def test_a_contest_between_targets_is_a_conflict() -> None:
    assert contest_code() == "error: conflicting-address"
    assert contest_code(target="") == "error: conflicting-address"


def test_a_contest_for_one_target_and_group_is_a_duplicate() -> None:
    assert contest_code(target=target("one")) == "warning: duplicate-endpoint"
    book = ledger()
    put(book, acct("x", 4, target=target("one")), acct("y", 5, target=target("ONE") + "/", groups=("BLOB",)))
    assert codes(book) == ["duplicate-endpoint"]


def test_one_target_with_two_groups_is_a_conflict() -> None:
    book = ledger()
    put(book, acct("x", 4, target=target("one")), acct("y", 5, target=target("one"), groups=("web",)))

    assert codes(book) == ["conflicting-address"]


def test_a_name_that_only_one_of_the_targets_shares_is_a_conflict() -> None:
    book = ledger()
    put(book, acct("x", 4), desktop("y", "acct.blob.core.windows.net", "global"))

    assert codes(book) == ["conflicting-address"]


def test_the_feed_of_a_virtual_desktop_is_not_shared() -> None:
    book = ledger()
    put(book, *(desktop(key, "ws.wvd.microsoft.com", "feed") for key in "xy"))
    assert codes(book) == ["duplicate-endpoint"]
    book = ledger()
    put(book, *(desktop(key, "rdweb.wvd.microsoft.com", "Global") for key in "xy"))
    assert codes(book) == ["shared-global-name"]


def desktop(key: str, fqdn: str, group: str) -> Endpoint:
    kind = "Microsoft.DesktopVirtualization/workspaces"
    return endpoint(key, record(fqdn, ord(key)), groups=(group,), target=target("w", kind))


@pytest.mark.parametrize(
    ("kind", "group", "fqdn", "shared_by"),
    [
        ("Microsoft.DataFactory/factories", "portal", "adf.azure.com", "service"),
        (
            "Microsoft.Authorization/resourceManagementPrivateLinks", "ResourceManagement", "management.azure.com",
            "service",
        ),
        ("Microsoft.Synapse/privateLinkHubs", "Web", "web.azuresynapse.net", "service"),
        (
            "Microsoft.Databricks/workspaces", "browser_authentication", "westeurope.pl-auth.azuredatabricks.net",
            "region",
        ),
        ("Microsoft.HybridCompute/privateLinkScopes", "hybridcompute", "gbl.his.arc.azure.com", "service"),
        ("Microsoft.Purview/accounts", "portal", "web.purview.azure.com", "service"),
        ("Microsoft.Insights/privateLinkScopes", "azuremonitor", "api.monitor.azure.com", "service"),
        ("Microsoft.PowerBI/privateLinkServicesForPowerBI", "tenant", "app.analysis.windows.net", "tenant"),
        ("microsoft.insights/PRIVATELINKSCOPES", "AzureMonitor", "global.in.ai.monitor.azure.us", "service"),
    ],
)  # fmt: skip
def test_a_name_that_all_resources_share_is_no_conflict(kind: str, group: str, fqdn: str, shared_by: str) -> None:
    book = ledger()
    for key, octet in (("x", 4), ("y", 5)):
        put(book, endpoint(key, record(fqdn, octet), groups=(group,), target=target(key, kind)))

    fact = one(book, "shared-global-name")
    assert fact.severity == "warning"
    assert (shown(fact.evidence)["shared"], shown(fact.evidence)["shared_by"]) == ([fqdn], shared_by)
    assert f"share the name: {KEEP_ONE}" in fact.action


KEEP_ONE = "keep one of these endpoints for each network, or choose the one that is served with a pin"


def test_a_pinned_shared_name_needs_nothing_more() -> None:
    book = ledger(pins=[Pin("rdweb.wvd.microsoft.com", "y")])
    put(book, *(desktop(key, "rdweb.wvd.microsoft.com", "global") for key in "xy"))

    fact = one(book, "shared-global-name")
    assert (fact.severity, fact.action) == ("info", "the pinned endpoint is served")


@pytest.mark.parametrize(
    ("kind", "group", "fqdn"),
    [
        ("Microsoft.DataFactory/factories", "dataFactory", "f.westeurope.datafactory.azure.net"),
        ("Microsoft.HybridCompute/privateLinkScopes", "hybridcompute", "0f-scope.his.arc.azure.com"),
        ("Microsoft.Databricks/workspaces", "databricks_ui_api", "adb-1.2.azuredatabricks.net"),
    ],
)
def test_a_name_of_one_resource_stays_a_conflict(kind: str, group: str, fqdn: str) -> None:
    book = ledger()
    for key, octet in (("x", 4), ("y", 5)):
        put(book, endpoint(key, record(fqdn, octet), groups=(group,), target=target(key, kind)))

    assert "conflicting-address" in codes(book)
    assert "shared-global-name" not in codes(book)


def test_the_evidence_of_a_contest_has_both_sides() -> None:
    book = ledger()
    put(book, acct("x", 4, vnet="a", source="estate", where="a.json"), acct("y", 5), now=3)
    fact = one(book, "conflicting-address")

    assert fact.action == "the first endpoint by resource id is served, because all were first seen together"
    assert shown(fact.evidence)["winners"] == [
        {
            "endpoint": "/ID/x", "target": target("x"), "groups": ["blob"], "addresses": ["10.0.0.4"],
            "names": [FQDN], "vnet": vnet_id("a"), "first_seen": 3, "source": "estate", "where": "a.json",
        }
    ]  # fmt: skip
    assert [side["endpoint"] for side in shown(fact.evidence)["losers"]] == ["/ID/y"]


# -- other findings, as they come and go


def test_findings_on_addresses_targets_and_states_come_and_go_with_their_endpoints() -> None:
    book = ledger()
    dfs = endpoint("x", record("acct.dfs.core.windows.net", 4), groups=("dfs",), target=target("acct"))
    put(book, dfs, endpoint("y", record("b.blob.core.windows.net", 4)), acct("p", 6, state=ConnectionState.PENDING))
    assert codes(book) == ["address-reused", "companion-missing", "endpoint-pending"]

    put(book, acct("blob", 7, target=target("ACCT")))
    assert codes(book) == ["address-reused", "endpoint-pending"]
    drop(book, "y", "p")
    assert codes(book) == []
    drop(book, "blob")
    assert codes(book) == ["companion-missing"]


def test_the_companion_of_a_region_comes_and_goes_with_the_endpoint_of_another_workspace() -> None:
    kind = "Microsoft.Databricks/workspaces"
    book = ledger()
    put(
        book, endpoint("x", record("adb-1.2.azuredatabricks.net", 4), groups=("databricks_ui_api",),
        target=target("x", kind), region="westeurope")
    )  # fmt: skip
    assert codes(book) == ["companion-missing"]

    fields: dict[str, Any] = {"groups": ("browser_authentication",), "target": target("auth", kind)}
    put(book, endpoint("y", record("westeurope.pl-auth.azuredatabricks.net", 5), **fields, region="westeurope"))
    assert codes(book) == []
    put(book, endpoint("y", record("westeurope.pl-auth.azuredatabricks.net", 5), **fields, region="northeurope"))
    assert codes(book) == ["companion-missing"]


def test_a_dead_endpoint_is_as_old_as_its_finding_over_a_restart() -> None:
    book = ledger()
    put(book, acct("x", 4, state=ConnectionState.REJECTED), now=10)
    put(book, acct("x", 5, state=ConnectionState.REJECTED), now=20)
    fact = one(book, "endpoint-rejected")
    assert book.board.first_seen(fact) == 10.0

    again = ledger(memory=remembered(book))
    put(again, acct("x", 5, state=ConnectionState.REJECTED), now=30)
    assert again.board.first_seen(fact) == 10.0
    put(again, acct("x", 5, state=ConnectionState.DISCONNECTED), now=40)
    assert again.board.first_seen(one(again, "endpoint-disconnected")) == 40.0


def test_a_changed_address_is_reported_while_it_is_served() -> None:
    book = ledger()
    put(book, acct("x", 4))
    put(book, acct("x", 5))
    assert finding_rows(book) == [("address-changed", "/ID/x", "", "")]

    put(book, acct("x", 5, name="renamed"))
    assert codes(book) == ["address-changed"]
    put(book, acct("x", 5, state=ConnectionState.PENDING))
    assert codes(book) == ["endpoint-pending"]


def test_faults_are_reported_by_subject_whatever_reports_them() -> None:
    book = ledger(*two_spokes())
    faults = (Fault("/ID/nic", "fqdns[0]", "no name", "a.json"), Fault("/ID/x", "subnet.id", "no id", "a.json"))
    put(book, acct("x", 4, faults=faults, network="lab"))
    book.board.replace_faults(
        Reporter("inventory", "b.json"),
        [Fault("/ID/x", "", "twice", "b.json"), Fault("b.json[3]", "", "no row", "b.json")],
        WallTime(1),
    )
    by_subject = {fact.subject: [f["path"] for f in shown(fact.evidence)["faults"]] for fact in book.board}
    assert by_subject == {"/ID/nic": ["fqdns[0]"], "/ID/x": ["subnet.id", "network", ""], "b.json[3]": [""]}
    assert set(codes(book)) == {"invalid-record"}

    drop(book, "x")
    assert [subject for _, subject, *_ in finding_rows(book)] == ["/ID/x", "b.json[3]"]
    book.board.replace_faults(Reporter("inventory", "b.json"), (), WallTime(2))
    assert finding_rows(book) == []


def test_names_of_zone_files_shadow_served_endpoints_by_public_or_private_name() -> None:
    zone, public = from_text("core.windows.net"), from_text(FQDN)
    book = ledger()
    book.set_static({public: zone, from_text("www.core.windows.net"): zone}, WallTime(1))
    assert finding_rows(book) == []

    put(book, acct("x", 4))
    assert finding_rows(book) == [("static-shadows-endpoint", FQDN, "", "")]
    put(book, acct("x", 4, state=ConnectionState.REJECTED))
    assert codes(book) == ["endpoint-rejected"]
    put(book, acct("x", 4))
    drop(book, "x")
    assert finding_rows(book) == []

    put(book, acct("x", 4))
    book.set_static({ROW: from_text("privatelink.blob.core.windows.net")}, WallTime(2))
    assert finding_rows(book) == [("static-shadows-endpoint", PRIVATE, "", "")]
    assert shown(one(book, "static-shadows-endpoint").evidence) == {
        "zone": "privatelink.blob.core.windows.net", "endpoints": ["/ID/x"],
    }  # fmt: skip
    book.set_static({}, WallTime(3))
    assert finding_rows(book) == []


def test_overlapping_vnets_come_and_go() -> None:
    book = ledger()
    vnets = {vnet_id(name): VirtualNetwork(ResourceId(vnet_id(name)), name, "weu", ("10.0.0.0/16",)) for name in "ab"}
    assert book.set_vnets(vnets, WallTime(1)) == set()
    assert finding_rows(book) == [("network-overlap", "10.0.0.0/16", "", "")]

    book.set_vnets({vnet_id("b"): None}, WallTime(2))
    assert finding_rows(book) == []
    assert set(book.vnets) == {vnet_id("a")}
