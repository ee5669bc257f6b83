"""The catalogue as a list of rows."""

from zones.azure.catalogue import catalogue
from zones.azure.catalogue_rows import CatalogueRow, CatalogueRows, MappingRule
from zones.azure.catalogue_table import SharedBy, Suffix

CONFIGURED = (Suffix("{region}.svc.example", "privatelink.{region}.svc.example", shared=SharedBy.REGION),)
ROWS = CatalogueRows(catalogue(CONFIGURED), CONFIGURED)


def rows(**fields: object) -> list[CatalogueRow]:
    return [row for row in ROWS if all(getattr(row, key) == value for key, value in fields.items())]


def test_every_entry_and_every_addition_is_a_row() -> None:
    assert len({row.entry for row in ROWS if row.entry}) > 180
    assert {row.rule for row in ROWS} == set(MappingRule) - {MappingRule.LABEL}
    (azurecr,) = rows(public="azurecr.cn")
    assert (azurecr.rule, azurecr.private, azurecr.cloud) == (MappingRule.ADDED, "privatelink.azurecr.cn", "china")
    (own,) = rows(public="{region}.svc.example")
    assert (own.rule, own.cloud, [each.by for each in own.shared]) == (MappingRule.CONFIGURED, "", [SharedBy.REGION])


def test_a_row_has_the_zone_of_its_own_suffix() -> None:
    zones = {row.public: row.private for row in rows(entry="commercial-kusto-clusters-cluster")}
    assert zones["{regionName}.kusto.windows.net"] == "privatelink.{regionName}.kusto.windows.net"
    assert zones["blob.core.windows.net"] == "privatelink.blob.core.windows.net"
    (bare,) = rows(public="inference.ml.azure.com")
    assert bare.private == ""


def test_a_zone_without_a_public_suffix_is_a_row() -> None:
    assert "{subzone}.privatelink.{regionName}.azmk8s.io" in {row.private for row in rows(public="")}


def test_a_row_says_which_of_its_names_are_shared() -> None:
    (monitor,) = rows(entry="commercial-insights-privatelinkscopes-azuremonitor", public="monitor.azure.com")
    assert "api.monitor.azure.com" in monitor.shared[0].names
    (blob,) = rows(entry="commercial-insights-privatelinkscopes-azuremonitor", public="blob.core.windows.net")
    assert [each.names for each in blob.shared] == [("scadvisorcontentpl.blob.core.windows.net",)]
    (databricks,) = rows(entry="commercial-databricks-workspaces-databricks-ui-api")
    assert [(each.by, each.groups) for each in databricks.shared] == [(SharedBy.REGION, ("browser_authentication",))]
