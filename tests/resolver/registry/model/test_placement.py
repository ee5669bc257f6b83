"""Where endpoints may be, how they may connect, and their static addresses."""

import pytest

from resolver.registry.model.fqdns import Member
from resolver.registry.model.placement import (
    IpConfiguration,
    check_alias_is_manual,
    check_placement,
    check_static_allowed,
    static_addresses,
)
from resolver.registry.model.resource_id import ArmId
from tests.resolver.registry.model.refused import refused

ENDPOINT = ArmId.parse("/subscriptions/Consumer/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe")
VNET = ArmId.parse("/subscriptions/consumer/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub")
OTHER = ArmId.parse("/subscriptions/other/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub")
ALIAS = "svc.837de879-b929-40fe-a7e5-673072f4b71e.westeurope.azure.privatelinkservice"
REGISTRY = (Member("registry", "registry_data_westus2", ()), Member("registry", "registry", ()))


def test_an_endpoint_is_in_the_region_and_subscription_of_its_network() -> None:
    check_placement(ENDPOINT, "West Europe", VNET, "westeurope")
    with refused("InvalidResourceReference", "northeurope", "westeurope", "region of the virtual network"):
        check_placement(ENDPOINT, "northeurope", VNET, "westeurope")
    with refused("InvalidResourceReference", "Consumer", "other", "subscription of the virtual network"):
        check_placement(ENDPOINT, "westeurope", OTHER, "westeurope")


def test_an_alias_is_only_for_manual_connections() -> None:
    check_alias_is_manual(ALIAS, manual=True, path="x")
    check_alias_is_manual(str(VNET), manual=False, path="x")
    with refused("InvalidRequestContent", ALIAS, "manualPrivateLinkServiceConnections"):
        check_alias_is_manual(ALIAS, manual=False, path="x")


@pytest.mark.parametrize(
    "kind",
    [
        "Microsoft.ContainerService/managedClusters",
        "microsoft.network/applicationgateways",
        "Microsoft.HDInsight/clusters",
    ],
)
def test_some_services_have_no_static_addresses(kind: str) -> None:
    check_static_allowed("Microsoft.Storage/storageAccounts")
    with refused("PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames", kind):
        check_static_allowed(kind)


def test_each_member_has_its_static_address() -> None:
    given = [
        IpConfiguration("one", "Registry", "REGISTRY", "10.1.0.5"),
        IpConfiguration("two", "registry", "registry_data_westus2", "10.1.0.6"),
    ]
    assert static_addresses(REGISTRY, given) == {
        ("registry", 4): "10.1.0.5",
        ("registry_data_westus2", 4): "10.1.0.6",
    }
    assert static_addresses(REGISTRY, []) == {}


def test_static_addresses_for_some_members_only_are_refused() -> None:
    """Azure-cli and Terraform users meet this with container registries, which need two addresses."""
    with refused("PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps", "'registry_data_westus2'"):
        static_addresses(REGISTRY, [IpConfiguration("one", "registry", "registry", "10.1.0.5")])


ONE = IpConfiguration("one", "registry", "registry", "10.1.0.5")


@pytest.mark.parametrize(
    "given",
    [
        [ONE._replace(member="data")],
        [ONE._replace(group="blob")],
        [ONE, IpConfiguration("two", "registry", "registry", "10.1.0.6")],
    ],
)
def test_a_configuration_for_no_member_or_the_same_member_is_refused(given: list[IpConfiguration]) -> None:
    with refused("PrivateEndpointIpConfigurationInvalidMember", repr(given[-1].name), repr(given[-1].member)):
        static_addresses(REGISTRY, given)
