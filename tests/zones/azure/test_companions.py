"""What the data says about endpoints that need another endpoint."""

from zones.azure.additions import CompanionIn
from zones.azure.catalogue import catalogue
from zones.azure.companions import Need

STORAGE, DATABRICKS = "microsoft.storage/storageaccounts", "microsoft.databricks/workspaces"


def test_a_need_depends_on_the_resource_type_and_the_group() -> None:
    companions = catalogue().companions
    assert companions.need(STORAGE, "dfs") == Need("blob", CompanionIn.RESOURCE)
    assert companions.need(STORAGE, "table") is None
    assert companions.need("microsoft.documentdb/databaseaccounts", "table") == Need("sql", CompanionIn.RESOURCE)
    assert companions.need("microsoft.purview/accounts", "portal") == Need("account", CompanionIn.RESOURCE)
    assert companions.need(DATABRICKS, "databricks_ui_api") == Need("browser_authentication", CompanionIn.REGION)


def test_the_needed_endpoint_takes_part_too() -> None:
    companions = catalogue().companions
    assert companions.within(STORAGE, ["blob"]) is CompanionIn.RESOURCE
    assert companions.within(DATABRICKS, ["x", "browser_authentication"]) is CompanionIn.REGION
    assert companions.within(STORAGE, ["queue"]) is None
