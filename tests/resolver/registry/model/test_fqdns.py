"""The FQDNs and members that each service gives an endpoint.

The expected names are those of Microsoft's pages about each service and of its published examples, not of the rules.
"""

import re
from collections.abc import Mapping

import pytest

from resolver.registry.model.fqdns import (
    Target,
    check_groups,
    group_ids,
    is_link_type,
    link_resources,
    members_of,
    service_members,
)
from tests.resolver.registry.model.refused import refused
from zones.azure.catalogue import catalogue, read_table
from zones.azure.catalogue_table import CatalogueEntry
from zones.azure.suffix_trie import SuffixTrie, pattern
from zones.dns.name import from_text, labels

GUID = "fb7e20a0-8891-458b-b969-55ddb3382f51"
STORAGE, COSMOS = "Microsoft.Storage/storageAccounts", "Microsoft.DocumentDB/databaseAccounts"
ACR, ML, SITES = (
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.Web/sites",
)
VAULT, AI = "Microsoft.KeyVault/vaults", "Microsoft.CognitiveServices/accounts"
KUSTO = "Microsoft.Kusto/clusters"
REGIONS = {"commercial": "eastus", "government": "usgovvirginia", "china": "chinaeast2"}


def target(
    of: str,
    name: str = "acct",
    region: str = "eastus",
    *,
    kind: str = "",
    regions: tuple[str, ...] = (),
    properties: Mapping[str, object] | None = None,
) -> Target:
    return Target(of, name, region, GUID, kind, regions, properties or {})


def names(one: Target, group: str) -> dict[str, list[str]]:
    return {member.name: list(member.fqdns) for member in members_of(one, group)}


@pytest.mark.parametrize(
    ("kind", "group", "fqdns"),
    [
        (STORAGE, "blob", ["acct.blob.core.windows.net"]),
        (STORAGE, "blob_secondary", ["acct-secondary.blob.core.windows.net"]),
        (STORAGE, "dfs", ["acct.dfs.core.windows.net"]),
        (STORAGE, "file", ["acct.file.core.windows.net"]),
        (STORAGE, "queue", ["acct.queue.core.windows.net"]),
        (STORAGE, "table", ["acct.table.core.windows.net"]),
        (VAULT, "vault", ["acct.vault.azure.net"]),
        ("Microsoft.Sql/servers", "sqlServer", ["acct.database.windows.net"]),
        (SITES, "sites", ["acct.azurewebsites.net", "acct.scm.azurewebsites.net"]),
        (SITES, "sites-staging", ["acct-staging.azurewebsites.net", "acct-staging.scm.azurewebsites.net"]),
        ("Microsoft.EventHub/namespaces", "namespace", ["acct.servicebus.windows.net"]),
        ("Microsoft.Synapse/workspaces", "SqlOnDemand", ["acct-ondemand.sql.azuresynapse.net"]),
        ("Microsoft.DataFactory/factories", "dataFactory", ["acct.eastus.datafactory.azure.net"]),
        ("Microsoft.DataFactory/factories", "portal", ["adf.azure.com"]),
        ("Microsoft.Batch/batchAccounts", "batchAccount", ["acct.eastus.batch.azure.com"]),
        (KUSTO, "cluster", ["acct.eastus.kusto.windows.net", "ingest-acct.eastus.kusto.windows.net"]),
        ("Microsoft.Purview/accounts", "portal", ["web.purview.azure.com"]),
        ("Microsoft.Databricks/workspaces", "browser_authentication", ["eastus.pl-auth.azuredatabricks.net"]),
        ("Microsoft.EventGrid/topics", "topic", ["acct.eastus-1.eventgrid.azure.net"]),
        ("Microsoft.Cache/Redis", "redisCache", ["acct.redis.cache.windows.net"]),
        ("Microsoft.Maps/accounts", "account", [f"{GUID}.eastus.account.maps.azure.com"]),
        ("Microsoft.DigitalTwins/digitalTwinsInstances", "API", ["acct.api.eus.digitaltwins.azure.net"]),
        (
            "Microsoft.Authorization/resourceManagementPrivateLinks", "ResourceManagement", ["management.azure.com"],
        ),
        ("Microsoft.Network/applicationGateways", "appGwPublicFrontendIp", []),
    ],
)  # fmt: skip
def test_a_service_with_one_address(kind: str, group: str, fqdns: list[str]) -> None:
    (member,) = members_of(target(kind), group)
    assert (member.group, list(member.fqdns)) == (group, fqdns)


def test_a_container_registry_has_an_address_for_its_data_in_each_region() -> None:
    """The names are those of the documented registry that AKS uses; each replica adds a member."""
    one = target(ACR, "ACRforAKSsecurity", "westus2")
    assert names(one, "registry") == {
        "registry_data_westus2": ["acrforakssecurity.westus2.data.azurecr.io"],
        "registry": ["acrforakssecurity.azurecr.io"],
    }
    two = target(ACR, "acct", "westus2", regions=("North Europe", "westus2"))
    assert list(names(two, "registry")) == ["registry_data_westus2", "registry_data_northeurope", "registry"]


def test_a_cosmos_account_has_an_address_for_the_account_and_one_for_each_region() -> None:
    locations = {"locations": [{"locationName": "East US"}, {"locationName": "West Europe"}, {"id": "x"}, "y"]}
    one = target(COSMOS, "acct", properties=locations)
    assert names(one, "Sql") == {
        "acct": ["acct.documents.azure.com"],
        "acct-eastus": ["acct-eastus.documents.azure.com"],
        "acct-westeurope": ["acct-westeurope.documents.azure.com"],
    }
    assert names(target(COSMOS), "MongoDB")["acct-eastus"] == ["acct-eastus.mongo.cosmos.azure.com"]


def test_a_machine_learning_workspace_has_the_names_of_its_documented_nic() -> None:
    assert names(target(ML, "myworkspace", "East US"), "amlworkspace") == {
        "default": [f"{GUID}.workspace.eastus.api.azureml.ms", f"{GUID}.workspace.eastus.cert.api.azureml.ms"],
        "notebook": [f"ml-myworkspace-eastus-{GUID}.eastus.notebooks.azure.net"],
        "inference": ["*.eastus.inference.ml.azure.com"],
    }


@pytest.mark.parametrize(
    ("kind", "fqdns"),
    [
        ("OpenAI", ["acct.openai.azure.com"]),
        ("TextAnalytics", ["acct.cognitiveservices.azure.com"]),
        ("AIServices", ["acct.cognitiveservices.azure.com", "acct.openai.azure.com", "acct.services.ai.azure.com"]),
    ],
)
def test_an_ai_account_has_the_names_of_its_kind(kind: str, fqdns: list[str]) -> None:
    assert [fqdn for each in names(target(AI, kind=kind), "account").values() for fqdn in each] == fqdns


@pytest.mark.parametrize(
    ("kind", "group", "properties", "fqdns"),
    [
        (
            STORAGE, "web", {"primaryEndpoints": {"web": "https://acct.z6.web.core.windows.net/"}},
            ["acct.z6.web.core.windows.net"],
        ),
        (VAULT, "vault", {"vaultUri": "https://Other.vault.azure.net:443/"}, ["other.vault.azure.net"]),
        (
            SITES, "sites", {"defaultHostName": "app-abc.eastus-01.azurewebsites.net"},
            ["app-abc.eastus-01.azurewebsites.net", "app-abc.scm.eastus-01.azurewebsites.net"],
        ),
        (
            "Microsoft.ContainerService/managedClusters", "management",
            {"privateFQDN": "aks-1.privatelink.eastus.azmk8s.io"}, ["aks-1.privatelink.eastus.azmk8s.io"],
        ),
        ("Microsoft.Databricks/workspaces", "databricks_ui_api", {"workspaceUrl": "adb-1.2.azuredatabricks.net"},
         ["adb-1.2.azuredatabricks.net"]),
        (
            "Microsoft.Sql/managedInstances", "managedInstance", {"dnsZone": "1a2b3c"},
            ["acct.1a2b3c.database.windows.net"],
        ),
    ],
)  # fmt: skip
def test_the_host_name_in_the_resources_own_properties_is_used(
    kind: str, group: str, properties: dict[str, object], fqdns: list[str]
) -> None:
    (member,) = members_of(target(kind, properties=properties), group)
    assert list(member.fqdns) == fqdns


@pytest.mark.parametrize(
    "found", [None, 5, "", "host", "https://[x", "a..b", "https:///", "x" * 300, {"a": 1}, "a b.c"]
)
def test_a_property_that_is_no_host_name_is_not_used(found: object) -> None:
    one = target(VAULT, properties={"vaultUri": found})
    assert names(one, "vault") == {"default": ["acct.vault.azure.net"]}


def entries(cloud: str) -> list[CatalogueEntry]:
    return [entry for entry in read_table().entries if entry.cloud == cloud]


def groups_of(entry: CatalogueEntry) -> list[str]:
    return [group for group in entry.group_ids if not group.startswith("{")]


def zones_of(entry: CatalogueEntry, group: str) -> SuffixTrie[bool]:
    """The zones of a type and group id. Two products have the type of Redis Enterprise."""
    zones: SuffixTrie[bool] = SuffixTrie()
    for sibling in entries(entry.cloud):
        if sibling.resource_type == entry.resource_type and group in sibling.group_ids:
            for zone in sibling.zones:
                zones.add(pattern(zone), value=True)
    return zones


CONTRADICTIONS = re.compile(r"servicebus\.usgovcloudapi\.net$|vault\.azure\.cn$")
"""Names whose zone in the table is not that of its suffix."""


@pytest.mark.parametrize("cloud", REGIONS)
def test_every_group_of_the_catalogue_has_names_that_map_to_its_zones(cloud: str) -> None:
    checked = 0
    for entry, group in [(each, group) for each in entries(cloud) for group in groups_of(each)]:
        one = target(entry.resource_type, region=REGIONS[cloud])
        assert check_groups(one, [group.upper()], "x").casefold() == group.casefold()
        members = members_of(one, group)
        assert len({member.name for member in members}) == len(members) > 0, entry.id
        fqdns = [fqdn for member in members for fqdn in member.fqdns]
        assert len(set(fqdns)) == len(fqdns) > 0, entry.id
        for fqdn in fqdns:
            assert fqdn == fqdn.casefold()
            found = catalogue().map(from_text(fqdn), entry.resource_type, [group])
            if found is None:  # a suffix from which no private zone follows
                assert fqdn.startswith("*.") or not entry.zones, fqdn
            elif not CONTRADICTIONS.search(fqdn):
                zone = labels(found.zone)
                assert len(zone) in {match.depth for match in zones_of(entry, group).at_or_below(zone)}, fqdn
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("cloud", REGIONS)
def test_the_groups_of_a_type_are_those_of_the_catalogue_in_its_cloud(cloud: str) -> None:
    for entry in entries(cloud):
        groups = group_ids(entry.resource_type, REGIONS[cloud])
        assert is_link_type(entry.resource_type.upper())
        assert {group.casefold() for group in groups} >= {group.casefold() for group in groups_of(entry)}, entry.id
        listed = link_resources(target(entry.resource_type, region=REGIONS[cloud]))
        assert [each.group for each in listed] == list(groups)
        assert all("{" not in zone for each in listed for zone in each.required_zones)


def test_a_resource_lists_its_groups_with_the_members_and_zones_that_they_need() -> None:
    (registry,) = link_resources(target(ACR, "reg", "westus2"))
    assert registry.group == "registry"
    assert registry.required_members == ("registry_data_westus2", "registry")
    assert registry.required_zones == ("privatelink.azurecr.io",)
    kusto = link_resources(target(KUSTO, region="West Europe"))[0]
    assert kusto.required_zones[0] == "privatelink.westeurope.kusto.windows.net"


# -- refusals


@pytest.mark.parametrize("groups", [[], [""], [" "]])
def test_a_connection_without_a_group_is_refused_with_the_groups_that_there_are(groups: list[str]) -> None:
    with refused("MissingParameterOnPrivateLinkServiceConnection", "acct", "blob, blob_secondary", "sub-resource"):
        check_groups(target(STORAGE), groups, "x")


def test_a_connection_to_two_sub_resources_is_refused() -> None:
    with refused("OnlyOneGroupIdPermitted", "blob, file", "an endpoint for each"):
        check_groups(target(STORAGE), ["blob", "file"], "x")


@pytest.mark.parametrize("group", ["blobs", "sites-staging", "x" * 500])
def test_a_group_that_the_type_does_not_have_is_refused(group: str) -> None:
    with refused("InvalidGroupId", STORAGE, "blob, blob_secondary"):
        check_groups(target(STORAGE), [group], "x")


def test_a_private_link_service_has_no_groups() -> None:
    service = target("Microsoft.Network/privateLinkServices")
    assert check_groups(service, [], "x") == ""
    assert check_groups(service, [""], "x") == ""
    with refused("InvalidGroupId", "no group ids", "'blob'"):
        check_groups(service, ["blob"], "x")


def test_a_type_that_endpoints_cannot_connect_to_is_refused() -> None:
    assert not is_link_type("Microsoft.Compute/virtualMachines")
    with refused("PrivateLinkServiceNotSupported", "Microsoft.Compute/virtualMachines"):
        check_groups(target("Microsoft.Compute/virtualMachines"), ["x"], "x")


@pytest.mark.parametrize("name", ["a..b", "x" * 64, ".a"])
def test_a_resource_whose_name_cannot_be_in_a_dns_name_is_refused(name: str) -> None:
    with refused("InvalidResourceName", repr(name), "DNS name"):
        members_of(target(STORAGE, name), "blob")


def test_a_service_has_the_fqdns_that_its_owner_declares() -> None:
    (member,) = service_members(["API.contoso.example.", "api.contoso.example", "db.contoso.example"])
    assert (member.group, member.name) == ("", "")
    assert member.fqdns == ("api.contoso.example", "db.contoso.example")
    assert service_members([])[0].fqdns == ()
    with refused("InvalidRequestContent", "'a..b'", "DNS name"):
        service_members(["a..b"])
