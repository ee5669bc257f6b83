"""Pairs of a public and a private name that Microsoft's documentation and public reports show.

The expected values are the pages', not those of the catalogue's rules. Each service with names of more than one label
before its suffix is here, since those are the names that a rule gets wrong.
"""

import pytest

from zones.azure.catalogue import catalogue
from zones.dns.name import from_text, to_text

GUID = "04b8c9c7-3f3d-477e-966c-8d00f352889c"
ML = "Microsoft.MachineLearningServices/workspaces"
STORAGE = "Microsoft.Storage/storageAccounts"
AVD = "Microsoft.DesktopVirtualization"
MONITOR = "Microsoft.Insights/privateLinkScopes"
ARC = "Microsoft.HybridCompute/privateLinkScopes"
VAULT = "Microsoft.RecoveryServices/vaults"
POWER_BI = "Microsoft.PowerBI/privateLinkServicesForPowerBI"
FABRIC = "Microsoft.Fabric/privateLinkServicesForFabric"
DATABRICKS = "Microsoft.Databricks/workspaces"
FACTORY = "Microsoft.DataFactory/factories"
PURVIEW = "Microsoft.Purview/accounts"

SHOWN = [
    # learn.microsoft.com/azure/storage/common/storage-private-endpoints, and azure-docs issue 43475 for websites
    (STORAGE, "blob", "accounta.blob.core.windows.net", "accounta.privatelink.blob.core.windows.net"),
    (STORAGE, "web", "accounta.z6.web.core.windows.net", "accounta.privatelink.web.core.windows.net"),
    # github.com/adstuart/-azure-privatelink-storage-dnsparition: public DNS of an account in a numbered zone
    (STORAGE, "blob", "accounta.z20.blob.storage.azure.net", "accounta.privatelink.blob.core.windows.net"),
    # learn.microsoft.com/azure/storage/file-sync/file-sync-networking-endpoints
    (
        "Microsoft.StorageSync/storageSyncServices", "afs",
        "mysssmanagement.westus2.afs.azure.net", "mysssmanagement.westus2.privatelink.afs.azure.net",
    ),
    # learn.microsoft.com/azure/data-factory/data-factory-private-link, and azure-docs issue 89920 for the portal
    (
        FACTORY, "dataFactory",
        "factory1.westeurope.datafactory.azure.net", "factory1.westeurope.privatelink.datafactory.azure.net",
    ),
    (FACTORY, "portal", "adf.azure.com", "portal.privatelink.adf.azure.com"),
    # learn.microsoft.com/azure/purview/catalog-private-link-name-resolution
    (PURVIEW, "account", "contoso.purview.azure.com", "contoso.privatelink.purview.azure.com"),
    (PURVIEW, "portal", "web.purview.azure.com", "web.privatelink.purviewstudio.azure.com"),
    # learn.microsoft.com/azure/machine-learning/how-to-custom-dns
    (
        ML, "amlworkspace",
        f"{GUID}.workspace.eastus.api.azureml.ms", f"{GUID}.workspace.eastus.privatelink.api.azureml.ms",
    ),
    (
        ML, "amlworkspace",
        f"ml-w-eastus-{GUID}.eastus.notebooks.azure.net", f"ml-w-eastus-{GUID}.eastus.privatelink.notebooks.azure.net",
    ),
    (
        ML, "amlworkspace",
        f"{GUID}.workspace.chinaeast2.api.ml.azure.cn", f"{GUID}.workspace.chinaeast2.privatelink.api.ml.azure.cn",
    ),
    (
        ML, "amlworkspace",
        f"{GUID}.workspace.usgovvirginia.api.ml.azure.us",
        f"{GUID}.workspace.usgovvirginia.privatelink.api.ml.azure.us",
    ),
    # public DNS of a workspace, and of the sign-in of a region
    (DATABRICKS, "databricks_ui_api", "adb-1.1.azuredatabricks.net", "adb-1.1.privatelink.azuredatabricks.net"),
    (
        DATABRICKS, "browser_authentication",
        "southafricanorth.pl-auth.azuredatabricks.net", "southafricanorth.pl-auth.privatelink.azuredatabricks.net",
    ),
    # public DNS of the agents' endpoints; learn.microsoft.com/troubleshoot/azure/azure-kubernetes/extensions
    (ARC, "hybridcompute", "gbl.his.arc.azure.com", "gbl.privatelink.his.arc.azure.com"),
    (
        ARC, "hybridcompute",
        "australiaeast-gas.guestconfiguration.azure.com", "australiaeast-gas.privatelink.guestconfiguration.azure.com",
    ),
    (
        ARC, "hybridcompute",
        "eastus.dp.kubernetesconfiguration.azure.com", "eastus.privatelink.dp.kubernetesconfiguration.azure.com",
    ),
    # learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure
    (MONITOR, "azuremonitor", "api.monitor.azure.com", "api.privatelink.monitor.azure.com"),
    (
        MONITOR, "azuremonitor",
        "westeurope-5.in.ai.monitor.azure.com", "westeurope-5.in.ai.privatelink.monitor.azure.com",
    ),
    (
        MONITOR, "azuremonitor",
        "dce1.westus3-1.ingest.monitor.azure.com", "dce1.westus3-1.ingest.privatelink.monitor.azure.com",
    ),
    (MONITOR, "azuremonitor", f"{GUID}.ods.opinsights.azure.com", f"{GUID}.privatelink.ods.opinsights.azure.com"),
    (
        MONITOR, "azuremonitor",
        f"{GUID}.agentsvc.azure-automation.net", f"{GUID}.privatelink.agentsvc.azure-automation.net",
    ),
    # learn.microsoft.com/azure/automation/how-to/private-link-security
    (
        "Microsoft.Automation/automationAccounts", "DSCAndHybridWorker",
        f"{GUID}.jrds.eus2.azure-automation.net", f"{GUID}.jrds.eus2.privatelink.azure-automation.net",
    ),
    # learn.microsoft.com/azure/backup/private-endpoints
    (
        VAULT, "AzureBackup",
        "1132-ab-pod01-fc1.eus.backup.windowsazure.com", "1132-ab-pod01-fc1.privatelink.eus.backup.windowsazure.com",
    ),
    # learn.microsoft.com/azure/site-recovery/hybrid-how-to-enable-replication-private-endpoints
    (
        VAULT, "AzureSiteRecovery",
        "113279-asr-pod01-id1.eus.siterecovery.windowsazure.com",
        "113279-asr-pod01-id1.eus.privatelink.siterecovery.windowsazure.com",
    ),
    # learn.microsoft.com/azure/migrate/troubleshoot-network-connectivity
    (
        "Microsoft.Migrate/migrateProjects", "Default",
        "04b8-agent.cus.disc.prod.migration.windowsazure.com",
        "04b8-agent.cus.disc.privatelink.prod.migration.windowsazure.com",
    ),
    # learn.microsoft.com/azure/batch/private-connectivity
    (
        "Microsoft.Batch/batchAccounts", "batchAccount",
        "myaccount.east.batch.azure.com", "myaccount.east.privatelink.batch.azure.com",
    ),
    # learn.microsoft.com/azure/cosmos-db/postgresql/concepts-private-access
    (
        "Microsoft.DBforPostgreSQL/serverGroupsv2", "coordinator",
        "c-mygroup01.12345678901234.postgres.cosmos.azure.com",
        "c-mygroup01.12345678901234.privatelink.postgres.cosmos.azure.com",
    ),
    # learn.microsoft.com/azure/cosmos-db/how-to-configure-private-endpoints
    (
        "Microsoft.DocumentDB/databaseAccounts", "SqlDedicated",
        "cosx.sqlx.cosmos.azure.com", "cosx.privatelink.sqlx.cosmos.azure.com",
    ),
    # learn.microsoft.com/azure/media-services/latest/security-private-link-concept
    (
        "Microsoft.Media/mediaservices", "streamingendpoint",
        "accounta-uswe1.streaming.media.azure.net", "accounta-uswe1.streaming.privatelink.media.azure.net",
    ),
    # learn.microsoft.com/azure/azure-maps: a private endpoint of an account
    (
        "Microsoft.Maps/accounts", "account",
        f"{GUID}.eastus.account.maps.azure.com", f"{GUID}.eastus.privatelink.account.maps.azure.com",
    ),
    # learn.microsoft.com/azure/azure-video-indexer: a private endpoint of an account
    ("Microsoft.VideoIndexer/accounts", "account", "vi1.api.videoindexer.ai", "vi1.privatelink.api.videoindexer.ai"),
    # public DNS of apps with unique default host names; azure-cli issue 25814 for the other scm names
    (
        "Microsoft.Web/sites", "sites",
        "web1-gsgud5e2c7hxgmcb.canadacentral-01.azurewebsites.net",
        "web1-gsgud5e2c7hxgmcb.canadacentral-01.privatelink.azurewebsites.net",
    ),
    ("Microsoft.Web/sites", "sites", "app1.scm.azurewebsites.net", "app1.scm.privatelink.azurewebsites.net"),
    # azure-policy issue 1223
    (
        "Microsoft.Web/staticSites", "staticSites",
        "white-flower-048d2aa10.3.azurestaticapps.net", "white-flower-048d2aa10.privatelink.3.azurestaticapps.net",
    ),
    # learn.microsoft.com/azure/container-registry/container-registry-private-link
    (
        "Microsoft.ContainerRegistry/registries", "registry",
        "reg1.westeurope.data.azurecr.io", "reg1.westeurope.data.privatelink.azurecr.io",
    ),
    # learn.microsoft.com/fabric/security: workspaces, and tenants
    (FABRIC, "workspace", "9522.z95.w.api.fabric.microsoft.com", "9522.z95.w.api.privatelink.fabric.microsoft.com"),
    (
        POWER_BI, "tenant",
        "52d40f65ad6d48c3906f1ccf598612d4-api.analysis.windows.net",
        "52d40f65ad6d48c3906f1ccf598612d4-api.privatelink.analysis.windows.net",
    ),
    # learn.microsoft.com/azure/virtual-desktop/private-link-overview
    (f"{AVD}/workspaces", "global", "rdweb.wvd.microsoft.com", "rdweb.privatelink-global.wvd.microsoft.com"),
    (
        f"{AVD}/hostpools", "connection",
        f"{GUID}.afdfp-rdgateway.wvd.microsoft.com", f"{GUID}.afdfp-rdgateway.privatelink.wvd.microsoft.com",
    ),
    # learn.microsoft.com/azure/defender-for-cloud/concept-private-links
    (
        "Microsoft.Security/privateLinks", "containers",
        "api.cloud.defender.microsoft.com", "api.privatelink.cloud.defender.microsoft.com",
    ),
    # learn.microsoft.com/azure/cloud-hsm/network-security
    (
        "Microsoft.HardwareSecurityModules/cloudHsmClusters", "cloudHsm",
        "hsm1.chsm-hsm1-unique.cloudhsm.azure.net", "hsm1.chsm-hsm1-unique.privatelink.cloudhsm.azure.net",
    ),
    # azure-docs issue 65868
    (
        "Microsoft.Authorization/resourceManagementPrivateLinks", "ResourceManagement",
        "management.azure.com", "management.privatelink.azure.com",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "group", "public", "private"), SHOWN, ids=[shown[2] for shown in SHOWN])
def test_the_catalogue_gives_the_private_name_that_azure_has(kind: str, group: str, public: str, private: str) -> None:
    found = catalogue().map(from_text(public), kind, (group,))
    assert found is not None
    assert to_text(found.name) == private
    assert from_text(private) in [mapping.name for mapping in catalogue().candidates(from_text(public))]


@pytest.mark.parametrize(("kind", "group", "public", "private"), SHOWN, ids=[shown[2] for shown in SHOWN])
def test_a_private_name_on_a_nic_stays_as_it_is(kind: str, group: str, public: str, private: str) -> None:
    found = catalogue().map(from_text(private), kind, (group,))
    assert found is not None
    assert to_text(found.name) == private


@pytest.mark.parametrize("service", ["blob", "web"])
def test_the_public_name_of_a_storage_account_has_no_zone_number(service: str) -> None:
    public = catalogue().public(from_text(f"acct1.privatelink.{service}.core.windows.net"))
    assert public is not None
    assert to_text(public) == f"acct1.{service}.core.windows.net"
