"""What Microsoft says a private endpoint is, statement by statement, as far as it is decided without a network.

Source: learn.microsoft.com/azure/private-link/private-endpoint-overview. Each test begins with the fact in other words.
"""

from itertools import permutations

import pytest

from resolver.registry.model.alias import Alias, alias_of
from resolver.registry.model.connection import Action, Approval, Connection, Side, approval, approval_action
from resolver.registry.model.fqdns import Target, check_groups, members_of, service_members
from resolver.registry.model.limits import check_limit
from resolver.registry.model.placement import (
    check_alias_is_manual,
    check_placement,
    check_static_allowed,
)
from resolver.registry.model.registration import check_registered, registration
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.service_access import ServiceAccess
from resolver.registry.model.subnet import Subnet
from tests.resolver.registry.model.refused import refused
from tests.resolver.registry.model.stored_addresses import Stored
from zones.azure.endpoint import ConnectionState
from zones.azure.limits import Limit
from zones.clocks import WallTime

GUID = "837de879-b929-40fe-a7e5-673072f4b71e"
ACCOUNT = Target("Microsoft.Storage/storageAccounts", "acct", "northeurope", GUID, "StorageV2")
VNET = ArmId.parse("/subscriptions/consumer/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub")
ENDPOINT = VNET.resource("Microsoft.Network/privateEndpoints", "pe")
NOW = WallTime(1_000_000.0)
OWNER, CONSUMER = Side.OWNER, Side.CONSUMER


def after(one: Connection, *actions: Action) -> Connection:
    for action in actions:
        found = one.after(OWNER, action)
        assert found
        one = found
    return one


def states() -> list[Connection]:
    """One connection in each state that its owner still has."""
    pending = Connection.requested(Approval.NONE)
    return [pending, after(pending, Action.APPROVE), after(pending, Action.REJECT)]


# -- properties


def test_approved_means_that_the_connection_was_approved_by_rule_or_by_a_person_and_can_be_used() -> None:
    by_rule, by_person = Connection.requested(Approval.BY_CALLER), after(states()[0], Action.APPROVE)
    assert by_rule.state is by_person.state is ConnectionState.APPROVED
    assert by_rule.carries_traffic
    assert by_person.carries_traffic


def test_pending_means_that_the_connection_was_asked_for_by_hand_and_waits_for_the_owner_of_the_resource() -> None:
    how = approval(manual=True, caller_may_approve=True, subscription_is_listed=False)
    assert Connection.requested(how, "please").state is ConnectionState.PENDING


def test_rejected_means_that_the_owner_of_the_resource_said_no() -> None:
    assert after(states()[0], Action.REJECT).state is ConnectionState.REJECTED


def test_disconnected_means_that_the_owner_removed_the_connection_and_the_endpoint_is_only_information() -> None:
    one = after(states()[1], Action.REMOVE)
    assert one.state is ConnectionState.DISCONNECTED
    assert not one.carries_traffic
    with refused("PrivateEndpointCannotBeUpdatedInDisconnectedState"):
        one.after(CONSUMER, Action.UPDATE)


# -- creating endpoints


def test_the_address_comes_from_the_subnet_by_itself_and_stays_for_the_life_of_the_endpoint() -> None:
    pool = Stored(Subnet(str(VNET.child("subnets", "pe")), ["10.1.0.0/24"]), 60.0)
    address = pool.take(ENDPOINT.key, NOW)
    for n in range(20):
        other = pool.take(f"other{n}", NOW)
        pool.release(other, NOW)
        assert other != address
    assert pool.rows[address] == (ENDPOINT.key, None)


def test_an_endpoint_is_in_the_region_and_in_the_subscription_of_its_network() -> None:
    elsewhere = ArmId.parse(str(ENDPOINT).replace("consumer", "provider"))
    with refused("InvalidResourceReference", "region"):
        check_placement(ENDPOINT, "northeurope", VNET, "westeurope")
    with refused("InvalidResourceReference", "subscription"):
        check_placement(elsewhere, "westeurope", VNET, "westeurope")


def test_the_resource_may_be_in_another_region_than_the_network_and_the_endpoint() -> None:
    check_placement(ENDPOINT, "westeurope", VNET, "westeurope")
    assert members_of(ACCOUNT, "blob")[0].fqdns == ("acct.blob.core.windows.net",)  # of northeurope


def test_one_resource_may_have_several_endpoints_each_with_its_own_address() -> None:
    pool = Stored(Subnet(str(VNET.child("subnets", "pe")), ["10.1.0.0/24"]), 60.0)
    assert members_of(ACCOUNT, "blob") == members_of(ACCOUNT, "blob")
    assert len({pool.take(f"pe{n}", NOW) for n in range(5)}) == 5


def test_a_network_may_have_many_endpoints_in_its_subnets_up_to_the_limits_of_network_and_subscription() -> None:
    for limit in (Limit.ENDPOINTS_PER_VNET, Limit.ENDPOINTS_PER_SUBSCRIPTION):
        check_limit(limit, limit.maximum - 1, str(VNET))
        with refused("OperationNotAllowed", f"{limit.maximum:,}"):
            check_limit(limit, limit.maximum, str(VNET))


def test_the_subscriptions_of_the_endpoint_and_of_the_resource_are_registered_with_the_network_provider() -> None:
    for subscription in ("consumer", "provider"):
        with refused("MissingSubscriptionRegistration", subscription, status=409):
            check_registered({registration(subscription, "Microsoft.Network")}, subscription, "Microsoft.Network", "x")


@pytest.mark.parametrize("kind", ["Storage", "BlobStorage"])
def test_of_storage_accounts_only_general_purpose_v2_can_be_reached(kind: str) -> None:
    old = Target("Microsoft.Storage/storageAccounts", "acct", "northeurope", GUID, kind)
    with refused("FeatureNotSupportedForAccount", "acct", kind, "StorageV2"):
        check_groups(old, ["blob"], "x")
    assert check_groups(ACCOUNT, ["blob"], "x") == "blob"


# -- security


def test_an_endpoint_reaches_one_sub_resource_and_others_need_endpoints_of_their_own() -> None:
    with refused("OnlyOneGroupIdPermitted", "file, blob"):
        check_groups(ACCOUNT, ["file", "blob"], "x")
    file, blob = members_of(ACCOUNT, "file"), members_of(ACCOUNT, "blob")
    assert not set(file[0].fqdns) & set(blob[0].fqdns)


# -- approval


def test_a_caller_with_the_permission_on_the_resource_is_approved_at_once() -> None:
    action = "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action"
    assert approval_action(ACCOUNT.type) == action
    how = approval(manual=False, caller_may_approve=True, subscription_is_listed=False)
    assert Connection.requested(how).carries_traffic


def test_without_the_permission_the_request_waits_and_can_send_traffic_after_the_approval() -> None:
    how = approval(manual=False, caller_may_approve=False, subscription_is_listed=False)
    one = Connection.requested(how, "please")
    assert (one.state, one.carries_traffic) == (ConnectionState.PENDING, False)
    assert after(one, Action.APPROVE).carries_traffic


def test_the_owner_of_the_resource_sees_all_details_of_a_connection() -> None:
    one = Connection.requested(Approval.NONE, "please")
    assert one.owner_has_it
    assert (one.shown()["status"], one.request_message) == ("Pending", "please")


@pytest.mark.parametrize("order", list(permutations([Action.APPROVE, Action.REJECT])))
@pytest.mark.parametrize("before", states(), ids=lambda one: one.state)
def test_the_owner_approves_and_rejects_at_any_time_and_the_endpoint_shows_it(
    before: Connection, order: tuple[Action, Action]
) -> None:
    expected = "Rejected" if order[1] is Action.REJECT else "Approved"
    assert after(before, *order).shown()["status"] == expected


@pytest.mark.parametrize("before", states(), ids=lambda one: one.state)
def test_the_owner_removes_a_connection_in_any_state_and_its_consumer_can_only_delete_the_endpoint(
    before: Connection,
) -> None:
    one = after(before, Action.REMOVE)
    assert one.shown()["status"] == "Disconnected"
    for action in (Action.APPROVE, Action.REJECT, Action.REMOVE):
        with refused("NotFound", status=404):
            one.after(OWNER, action)
    with refused("PrivateEndpointCannotBeUpdatedInDisconnectedState"):
        one.after(CONSUMER, Action.UPDATE)
    assert one.after(CONSUMER, Action.DELETE) is None


def test_only_endpoints_in_the_state_approved_can_send_traffic() -> None:
    every = [*states(), after(states()[1], Action.REMOVE)]
    assert [one.state for one in every if one.carries_traffic] == [ConnectionState.APPROVED]


# -- alias


def test_a_service_gets_an_alias_of_its_own_that_its_owner_can_give_to_consumers() -> None:
    other = "00000000-b929-40fe-a7e5-673072f4b71e"
    assert str(alias_of("svc", GUID, "westeurope")) == f"svc.{GUID}.westeurope.azure.privatelinkservice"
    assert alias_of("svc", GUID, "westeurope") != alias_of("svc", other, "westeurope")
    assert Alias.parse(f"svc.{GUID}.westeurope.azure.privatelinkservice")


def test_a_service_is_reached_by_its_id_or_by_its_alias_and_an_alias_needs_the_manual_way() -> None:
    alias = str(alias_of("svc", GUID, "westeurope"))
    service = str(VNET.resource("Microsoft.Network/privateLinkServices", "svc"))
    check_alias_is_manual(service, manual=False, path="x")
    check_alias_is_manual(alias, manual=True, path="x")
    with refused("InvalidRequestContent", "alias"):
        check_alias_is_manual(alias, manual=False, path="x")


def test_a_manual_request_is_approved_at_once_where_the_service_lists_the_subscription_of_the_consumer() -> None:
    access = ServiceAccess.of(["*"], ["consumer"])
    for subscription, expected in (("consumer", "Approved"), ("stranger", "Pending")):
        listed = access.approves(subscription)
        how = approval(manual=True, caller_may_approve=False, subscription_is_listed=listed)
        assert Connection.requested(how).shown()["status"] == expected


# -- DNS and limitations


def test_the_network_interface_has_the_names_that_dns_needs_and_a_service_those_that_its_owner_declares() -> None:
    assert [member.fqdns for member in members_of(ACCOUNT, "blob")] == [("acct.blob.core.windows.net",)]
    assert service_members(["api.contoso.example"])[0].fqdns == ("api.contoso.example",)


@pytest.mark.parametrize("kind", ["Microsoft.ContainerService/managedClusters", "Microsoft.HDInsight/clusters"])
def test_a_few_services_do_not_allow_a_static_address(kind: str) -> None:
    with refused("PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames", kind):
        check_static_allowed(kind)
