"""Findings about endpoints whose clients need another endpoint: for which resources, and in which networks."""

from typing import Any

import pytest

from tests.zones.books import shown
from tests.zones.findings.samples import (
    ALONE,
    COSMOS,
    PURVIEW,
    STORAGE,
    SUB,
    endpoint,
    only,
    two_networks,
    vnet_id,
)
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ConnectionState, Endpoint
from zones.findings import companions
from zones.findings.evidence import Severity
from zones.findings.finding import Finding
from zones.networks.network import Networks


def companions_of(endpoints: list[Endpoint], networks: Networks) -> list[Finding]:
    return list(companions.of_companions(endpoints, networks, catalogue().companions))


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
