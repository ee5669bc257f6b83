"""Which public names no single resource owns."""

import pytest

from zones.azure.additions import SharedMark
from zones.azure.catalogue import catalogue
from zones.azure.catalogue_table import SharedBy
from zones.azure.sharing import SharedNames
from zones.dns.name import from_text

SCOPES = "Microsoft.Insights/privateLinkScopes"
KINDS = {"entry": [("a/b", "one"), ("a/b", "two")]}


def marked(*marks: SharedMark) -> SharedNames:
    return SharedNames(marks, KINDS)


def mark(scope: SharedBy = SharedBy.SERVICE, **fields: tuple[str, ...]) -> SharedMark:
    return SharedMark(entry="entry", scope=scope, source="docs", **fields)


def test_a_mark_holds_for_its_groups_only() -> None:
    shared = marked(mark(groups=("ONE",)))
    assert shared.by("A/B", ["One"], [from_text("x.example")]) is SharedBy.SERVICE
    assert shared.by("A/B", ["two"], [from_text("x.example")]) is None
    assert shared.by("A/C", ["one"], [from_text("x.example")]) is None
    assert shared.by("A/B", [], [from_text("x.example")]) is None


@pytest.mark.parametrize(
    ("fqdn", "shared"),
    [
        ("westeurope-gas.example", True),
        ("gbl.example", True),
        ("a.gbl.example", False),
        ("gbl.example.org", False),
        ("5d1c2e8a-77b0.example", False),
        ("x.westeurope-gas.example", False),
    ],
)
def test_names_match_whole_and_a_placeholder_is_no_guid(fqdn: str, shared: bool) -> None:
    found = marked(mark(names=("GBL.example", "{regionName}-gas.example"))).by("a/b", ["one"], [from_text(fqdn)])
    assert found == (SharedBy.SERVICE if shared else None)


def test_the_widest_mark_counts() -> None:
    shared = marked(mark(SharedBy.REGION), mark(SharedBy.SERVICE), mark(SharedBy.TENANT))
    assert shared.by("a/b", ["one"], [from_text("x.example")]) is SharedBy.SERVICE


def test_a_mark_of_an_unknown_entry_is_a_mistake_in_the_data() -> None:
    with pytest.raises(KeyError, match="entry"):
        SharedNames([mark()], {})


def test_a_scope_of_monitor_shares_the_names_of_the_service_and_of_workspaces_in_several_scopes() -> None:
    shared = catalogue().shared
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("api.monitor.azure.com")]) is SharedBy.SERVICE
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("in.ai.monitor.azure.com")]) is SharedBy.SERVICE
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("in.ai.monitor.azure.us")]) is SharedBy.SERVICE
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("a-new-endpoint.monitor.azure.com")]) is SharedBy.SERVICE
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("westeurope-5.in.ai.monitor.azure.com")]) is SharedBy.REGION
    workspace = from_text("5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a.ods.opinsights.azure.com")
    assert shared.by(SCOPES, ["azuremonitor"], [workspace]) is SharedBy.TENANT
    collection = from_text("my-dce-x1.westeurope-1.ingest.monitor.azure.com")
    assert shared.by(SCOPES, ["azuremonitor"], [collection]) is SharedBy.TENANT
    assert shared.by(SCOPES, ["azuremonitor"], [from_text("acct.blob.core.windows.net")]) is None


def test_only_names_that_azure_chose_are_listed() -> None:
    shared = catalogue().shared
    assert shared.lists("API.monitor.azure.com.")
    assert not shared.lists("5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a.ods.opinsights.azure.com")
    assert not shared.lists("my-dce-x1.westeurope-1.ingest.monitor.azure.com")


def test_the_names_of_an_added_suffix_are_shared_where_its_row_says_so() -> None:
    shared = catalogue().shared
    api = [from_text("api.cloud.defender.microsoft.com")]
    assert shared.by("Microsoft.Security/privateLinks", ["containers"], api) is SharedBy.SERVICE
    hsm = [from_text("hsm1.chsm-hsm1-unique.cloudhsm.azure.net")]
    assert shared.by("Microsoft.HardwareSecurityModules/cloudHsmClusters", ["cloudHsm"], hsm) is None
