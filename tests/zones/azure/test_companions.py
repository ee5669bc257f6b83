"""What the data says about endpoints that need another endpoint."""

from msgspec import structs

from zones.azure.additions import CompanionIn
from zones.azure.catalogue import catalogue
from zones.azure.companions import CompanionKind, Need
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId

STORAGE, DATABRICKS = "microsoft.storage/storageaccounts", "microsoft.databricks/workspaces"


def endpoint(resource_type: str, *groups: str) -> Endpoint:
    target = f"/Subscriptions/s/resourceGroups/rg/Providers/{resource_type.upper()}/x"
    state = ConnectionState.APPROVED
    return Endpoint(key=ResourceId("pe"), id="pe", name="pe", state=state, target=target, groups=groups)


def need(resource_type: str, group: str) -> Need | None:
    return catalogue().companions.need(group, endpoint(resource_type, group))


def kind(resource_type: str, *groups: str) -> CompanionKind | None:
    return catalogue().companions.kind(endpoint(resource_type, *groups))


def test_a_need_depends_on_the_resource_type_and_the_group() -> None:
    assert need(STORAGE, "dfs") == Need("blob", CompanionIn.RESOURCE)
    assert need(STORAGE, "table") is None
    assert need("microsoft.documentdb/databaseaccounts", "table") == Need("sql", CompanionIn.RESOURCE)
    assert need("microsoft.purview/accounts", "portal") == Need("account", CompanionIn.RESOURCE)
    assert need(DATABRICKS, "databricks_ui_api") == Need("browser_authentication", CompanionIn.REGION)


def test_the_needed_endpoint_takes_part_too() -> None:
    assert kind(STORAGE, "Blob") == CompanionKind(STORAGE, CompanionIn.RESOURCE)
    assert kind(DATABRICKS, "x", "browser_authentication") == CompanionKind(DATABRICKS, CompanionIn.REGION)
    assert kind(STORAGE, "queue") is None
    assert kind("microsoft.kusto/clusters", "blob") is None


def test_companions_are_looked_for_at_the_target_or_in_the_region() -> None:
    def key(resource_type: str, *groups: str, region: str = "westeurope", **fields: str) -> str:
        return catalogue().companions.key(structs.replace(endpoint(resource_type, *groups), region=region, **fields))

    assert key(STORAGE, "DFS") == endpoint(STORAGE).target_key
    assert key(STORAGE, "queue") == ""
    assert key(STORAGE, "dfs", target="") == ""
    workspace = key(DATABRICKS, "databricks_ui_api")
    assert workspace == key(DATABRICKS, "browser_authentication", target=endpoint(DATABRICKS).target + "2")
    assert workspace != key(DATABRICKS, "databricks_ui_api", region="northeurope")
