"""The page "What is a private endpoint?", statement by statement: each is true of a daemon with a registry.

Source: learn.microsoft.com/azure/private-link/private-endpoint-overview. Each docstring states the fact in our words.
What carries traffic in Azure is answered here: the name of an endpoint leads to its address.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration
from tests.registry_shapes import (
    BOTH,
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUPPLIER,
    Answer,
    Client,
    endpoint,
    group,
    network,
    status_of,
    vnet,
)

pytestmark = pytest.mark.live
HUB, NEAR, FAR, STRANGER, OVER_VPN = (f"127.0.{i}.9" for i in range(1, 6))
"""Clients: in the network of the endpoints, in two that are its peers, in one that is not, and behind a gateway."""
OTHER = "20000000-0000-4000-a000-00000000000e"
"""A subscription without networks."""
STORAGE = "Microsoft.Storage/storageAccounts"


class Lab:
    """A daemon with a registry whose consumer has four networks, and whose provider has what endpoints connect to."""

    def __init__(self, daemon: Daemon, registry: RegistryClient) -> None:
        self.daemon, self.registry = daemon, registry

    def prepare(self) -> None:
        for subscription in (CONSUMER, PROVIDER):
            self.registry.put(group(subscription=subscription), {"location": "westeurope"})
        for i, (name, location) in enumerate(
            {"hub": "westeurope", "near": "westeurope", "far": "eastus", "stranger": "westeurope"}.items(), 1
        ):
            body = vnet(f"10.{i}.0.0/16", f"10.{i}.0.0/24")
            body["location"] = location
            body["properties"]["addressSpace"]["addressPrefixes"].append(f"127.0.{i}.0/24")
            self.registry.put(network(name, "virtualNetworks"), body)
        for one, other in (("hub", "near"), ("near", "hub"), ("hub", "far"), ("far", "hub")):
            peering = {"properties": {"remoteVirtualNetwork": {"id": network(other, "virtualNetworks")}}}
            self.registry.put(network(f"{one}/virtualNetworkPeerings/{other}", "virtualNetworks"), peering)
        nat = {"addressPrefix": "10.9.1.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
        self.registry.put(network("net", "virtualNetworks", subscription=PROVIDER), vnet("10.9.0.0/16", "10.9.0.0/24"))
        self.registry.put(network("net/subnets/nat", "virtualNetworks", subscription=PROVIDER), {"properties": nat})

    def target(self, name: str, full_type: str = STORAGE, **body: Any) -> str:  # noqa: ANN401 - JSON
        """Make a resource of the provider, in another region than the endpoints. Return its id."""
        at = f"{group(subscription=PROVIDER)}/providers/{full_type}/{name}"
        self.registry.put(at, {"location": "northeurope", "kind": "StorageV2", **body}, client=SUPPLIER)
        return at

    def service(self, name: str, **properties: Any) -> Any:  # noqa: ANN401 - JSON
        """Make a private link service of the provider, with a name in DNS. Return its body."""
        frontend = network("lb/frontendIPConfigurations/fe", "loadBalancers", subscription=PROVIDER).replace("lb", name)
        nat = network("net/subnets/nat", "virtualNetworks", subscription=PROVIDER)
        body = {
            "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": nat}}}],
            "visibility": {"subscriptions": ["*"]},
            "fqdns": [f"{name}.corp.example"],
            **properties,
        }
        at = network(name, "privateLinkServices", subscription=PROVIDER)
        return self.registry.put(at, {"location": "westeurope", "properties": body}, client=SUPPLIER)

    def ask(self, name: str, body: Any, client: Client = NETWORKER) -> Answer:  # noqa: ANN401 - JSON
        """Send the PUT of an endpoint."""
        return self.registry.call("PUT", network(name), body, client=client)

    def made(self, name: str, body: Any, client: Client = NETWORKER) -> Any:  # noqa: ANN401 - JSON
        """Make an endpoint. Return its body."""
        answer = self.ask(name, body, client)
        assert answer.status == 201, answer
        return answer.body

    def status(self, name: str) -> str:
        """Return the state that the consumer sees."""
        return status_of(self.registry.get(network(name), client=NETWORKER))

    def interface(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return the network interface of an endpoint."""
        (nic,) = self.registry.get(network(name), client=NETWORKER)["properties"]["networkInterfaces"]
        return self.registry.get(nic["id"], client=NETWORKER)

    def address(self, name: str) -> str:
        """Return the address of an endpoint with one address."""
        (config,) = self.interface(name)["properties"]["ipConfigurations"]
        return str(config["properties"]["privateIPAddress"])

    def connection(self, target: str) -> Any:  # noqa: ANN401 - JSON
        """Return the one connection of a target, as its owner sees it."""
        (row,) = self.registry.get(f"{target}/privateEndpointConnections", client=SUPPLIER)["value"]
        return row

    def decide(self, target: str, status: str) -> None:
        """Approve or reject the one connection of a target, as its owner."""
        state = {"privateLinkServiceConnectionState": {"status": status, "description": "decided"}}
        self.registry.put(self.connection(target)["id"], {"properties": state}, client=SUPPLIER)

    def remove(self, target: str) -> None:
        """Delete the one connection of a target, as its owner."""
        assert self.registry.call("DELETE", self.connection(target)["id"], client=SUPPLIER).status == 202

    def leads(self, fqdn: str, *addresses: str, client: str = HUB) -> None:
        """Wait until a name leads to these addresses for a client."""
        until(lambda: self.daemon.addresses(fqdn, source=client) == set(addresses))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("page")
    config, registry = configuration(folder)
    config["networks"] = ["auto", {"name": "vpn", "clients": ["127.0.5.0/24"], "reach": ["all"]}]
    config["registry"]["subscriptions"].append({"id": OTHER, "name": "other"})
    config["registry"]["clients"][0]["owner"] = [CONSUMER, PROVIDER, OTHER]
    daemon = Daemon(folder, config).start()
    try:
        daemon.ready()
        made = Lab(daemon, registry)
        made.prepare()
        yield made
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def blob(name: str) -> str:
    return f"{name}.blob.core.windows.net"


# -- what it is


def test_it_is_an_interface_with_a_private_address_from_the_consumers_network(lab: Lab) -> None:
    """A private endpoint brings a service into a virtual network: an interface with an address from there."""
    lab.made("is", endpoint(lab.target("whatitis"), "blob"), BOTH)
    assert ip_address(lab.address("is")) in ip_network("10.1.0.0/24")
    lab.leads(blob("whatitis"), lab.address("is"))


@pytest.mark.parametrize(
    ("kind", "name", "sub_resource", "fqdn"),
    [
        (STORAGE, "kinds", "blob", "kinds.blob.core.windows.net"),
        ("Microsoft.DocumentDB/databaseAccounts", "kinds", "Sql", "kinds.documents.azure.com"),
        ("Microsoft.Sql/servers", "kinds", "sqlServer", "kinds.database.windows.net"),
    ],
)
def test_the_service_can_be_one_of_azures(lab: Lab, kind: str, name: str, sub_resource: str, fqdn: str) -> None:
    """Storage, Cosmos DB and SQL Database are services that an endpoint can connect to."""
    made = lab.made(f"kinds-{sub_resource}", endpoint(lab.target(name, kind), sub_resource), BOTH)
    assert fqdn in {each["fqdn"] for each in made["properties"]["customDnsConfigs"]}
    until(lambda: lab.daemon.addresses(fqdn, source=HUB))


def test_the_service_can_be_ones_own(lab: Lab) -> None:
    """A service of one's own is published with a private link service."""
    lab.made("own", endpoint(lab.service("own")["id"]), BOTH)
    lab.leads("own.corp.example", lab.address("own"))


# -- the four states


def test_approved(lab: Lab) -> None:
    """Approved: the connection was approved, by a person or automatically, and can be used."""
    by_hand = lab.target("approvedbyhand")
    lab.made("approved1", endpoint(lab.target("approvedatonce"), "blob"), BOTH)
    lab.made("approved2", endpoint(by_hand, "blob", manual=True))
    lab.decide(by_hand, "Approved")
    assert lab.status("approved1") == lab.status("approved2") == "Approved"
    lab.leads(blob("approvedatonce"), lab.address("approved1"))
    lab.leads(blob("approvedbyhand"), lab.address("approved2"))


def test_pending(lab: Lab) -> None:
    """Pending: the connection was requested by hand and waits for the owner of the resource."""
    target = lab.target("pending")
    assert status_of(lab.made("pending", endpoint(target, "blob", manual=True), BOTH)) == "Pending"
    assert not lab.daemon.addresses(blob("pending"), source=HUB)


def test_rejected(lab: Lab) -> None:
    """Rejected: the owner of the resource refused the connection."""
    target = lab.target("rejected")
    lab.made("rejected", endpoint(target, "blob", manual=True))
    lab.decide(target, "Rejected")
    assert lab.status("rejected") == "Rejected"
    assert not lab.daemon.addresses(blob("rejected"), source=HUB)


def test_disconnected(lab: Lab) -> None:
    """Disconnected: the owner removed the connection. The endpoint is only information, and should be deleted."""
    target = lab.target("disconnected")
    lab.made("disconnected", endpoint(target, "blob"), BOTH)
    lab.leads(blob("disconnected"), lab.address("disconnected"))
    lab.remove(target)
    assert lab.status("disconnected") == "Disconnected"
    lab.leads(blob("disconnected"))
    codes = {each["code"] for each in lab.daemon.get("/v1/findings?limit=500")[1]["items"]}
    assert "endpoint-disconnected" in codes


# -- where its clients are


def test_clients_of_the_same_of_peered_and_of_connected_networks_reach_it(lab: Lab) -> None:
    """An endpoint serves clients of its network, of peered ones in any region, and those that come over a gateway."""
    lab.made("reach", endpoint(lab.target("reach"), "blob"), BOTH)
    for client in (HUB, NEAR, FAR, OVER_VPN):
        lab.leads(blob("reach"), lab.address("reach"), client=client)
    assert not lab.daemon.addresses(blob("reach"), source=STRANGER)


# -- its interface and its address


def test_its_interface_is_read_only_and_lives_as_long_as_the_endpoint(lab: Lab) -> None:
    """An interface is made with the endpoint and goes with it. Nobody else can change or delete it."""
    lab.made("nic", endpoint(lab.target("nic"), "blob"), BOTH)
    nic = lab.interface("nic")
    assert nic["properties"]["privateEndpoint"]["id"] == network("nic")
    assert lab.registry.call("PUT", nic["id"], {"location": "westeurope"}).status == 405
    assert lab.registry.call("DELETE", nic["id"]).code == "NicInUseWithPrivateEndpoint"
    assert lab.registry.call("DELETE", network("nic"), client=NETWORKER).status == 202
    assert lab.registry.call("GET", nic["id"]).code == "ResourceNotFound"


def test_its_address_stays_the_same_for_its_life(lab: Lab) -> None:
    """The address is given from the subnet by itself, and whatever happens to the connection, it stays."""
    target = lab.target("lasting")
    lab.made("lasting", endpoint(target, "blob", manual=True))
    address = lab.address("lasting")
    for decision in ("Approved", "Rejected", "Approved"):
        lab.decide(target, decision)
        assert lab.address("lasting") == address
    lab.ask("lasting", endpoint(target, "blob", manual=True) | {"tags": {"a": "b"}})
    lab.remove(target)
    assert lab.address("lasting") == address


# -- where it may be


def test_it_is_in_the_region_and_the_subscription_of_its_network(lab: Lab) -> None:
    """An endpoint must be in the same region, and in the same subscription, as its virtual network."""
    body = endpoint(lab.target("placed"), "blob")
    elsewhere = lab.ask("placed", body | {"location": "eastus"}, BOTH)
    assert (elsewhere.status, elsewhere.code) == (400, "InvalidResourceReference")
    other = lab.registry.call("PUT", network("placed", subscription=PROVIDER), body)
    assert (other.status, other.code) == (400, "InvalidResourceReference")


def test_its_target_may_be_in_another_region_and_subscription(lab: Lab) -> None:
    """The resource that an endpoint connects to may be in another region than the endpoint and its network."""
    target = lab.target("anywhere", location="eastus")
    made = lab.made("anywhere", endpoint(target, "blob"), BOTH)
    assert (made["location"], lab.registry.get(target)["location"]) == ("westeurope", "eastus")
    lab.leads(blob("anywhere"), lab.address("anywhere"))


def test_a_resource_may_have_several_endpoints_but_one_network_should_use_one(lab: Lab) -> None:
    """Several endpoints may have one resource. In DNS of one network, two of them are duplicates: a finding."""
    target = lab.target("several")
    for name in ("several1", "several2"):
        lab.made(name, endpoint(target, "blob"), BOTH)
    lab.leads(blob("several"), lab.address("several1"))  # the first one answers

    def found() -> bool:
        items = lab.daemon.get("/v1/findings?code=duplicate-endpoint&limit=500")[1]["items"]
        return any(network("several2") in str(each["evidence"]) for each in items)

    until(found)
    lab.registry.call("DELETE", network("several1"), client=NETWORKER)
    lab.leads(blob("several"), lab.address("several2"))


def test_a_network_may_have_endpoints_in_the_same_and_in_other_subnets(lab: Lab) -> None:
    """Many endpoints may be in one subnet, and in several subnets of one virtual network, up to Azure's limits."""
    subnet = network("hub/subnets/more", "virtualNetworks")
    lab.registry.put(subnet, {"properties": {"addressPrefix": "10.1.7.0/24"}})
    for name in ("one", "two"):
        lab.made(f"same-{name}", endpoint(lab.target(f"same{name}"), "blob"), BOTH)
    lab.made("same-three", endpoint(lab.target("samethree"), "blob", subnet={"id": subnet}), BOTH)
    addresses = [lab.address(f"same-{name}") for name in ("one", "two", "three")]
    assert len(set(addresses)) == 3
    assert ip_address(addresses[2]) in ip_network("10.1.7.0/24")


def test_the_subscriptions_of_the_endpoint_and_of_the_resource_must_be_registered(lab: Lab) -> None:
    """The subscriptions of the endpoint and of the resource must be registered with Microsoft.Network."""
    provider = f"/subscriptions/{OTHER}/providers/Microsoft.Network"
    home = group(subscription=OTHER)
    target = f"{home}/providers/{STORAGE}/registered"
    lab.registry.put(home, {"location": "westeurope"})
    lab.registry.put(target, {"location": "westeurope", "kind": "StorageV2"})
    assert lab.registry.call("POST", f"{provider}/unregister").status == 200
    refused = lab.ask("registered", endpoint(target, "blob"), BOTH)
    assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
    refused = lab.registry.call("PUT", network("net", "virtualNetworks", subscription=OTHER), vnet())
    assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
    assert lab.registry.call("POST", f"{provider}/register").status == 200
    lab.made("registered", endpoint(target, "blob"), BOTH)


# -- what it connects to


@pytest.mark.parametrize("kind", ["Storage", "BlobStorage"])
def test_of_storage_accounts_only_general_purpose_v2_can_have_endpoints(lab: Lab, kind: str) -> None:
    """Endpoints can be made for general purpose v2 accounts only."""
    refused = lab.ask("old", endpoint(lab.target(f"old{kind.casefold()}", kind=kind), "blob"), BOTH)
    assert (refused.status, refused.code) == (400, "FeatureNotSupportedForAccount")


def test_each_sub_resource_needs_an_endpoint_of_its_own(lab: Lab) -> None:
    """An endpoint leads to one sub-resource. For the blobs and the files of an account, two endpoints are needed."""
    target = lab.target("sub")
    both = lab.ask("sub-both", endpoint(target, "blob", "file"), BOTH)
    assert (both.status, both.code) == (400, "OnlyOneGroupIdPermitted")
    lab.made("sub-blob", endpoint(target, "blob"), BOTH)
    lab.leads(blob("sub"), lab.address("sub-blob"))
    assert not lab.daemon.addresses("sub.file.core.windows.net", source=HUB)
    lab.made("sub-file", endpoint(target, "file"), BOTH)
    lab.leads("sub.file.core.windows.net", lab.address("sub-file"))


def test_network_policies_are_kept(lab: Lab) -> None:
    """A subnet has network policies for endpoints, and an endpoint may be in application security groups."""
    subnet = network("hub/subnets/policies", "virtualNetworks")
    properties = {"addressPrefix": "10.1.8.0/24", "privateEndpointNetworkPolicies": "Enabled"}
    lab.registry.put(subnet, {"properties": properties})
    groups = [{"id": network("asg", "applicationSecurityGroups")}]
    body = endpoint(lab.target("policies"), "blob", subnet={"id": subnet}, applicationSecurityGroups=groups)
    assert lab.made("policies", body, BOTH)["properties"]["applicationSecurityGroups"] == groups
    assert lab.registry.get(subnet)["properties"]["privateEndpointNetworkPolicies"] == "Enabled"


# -- approval


def test_who_may_approve_on_the_resource_is_approved_at_once(lab: Lab) -> None:
    """Automatic: the caller has the permission `privateEndpointConnectionsApproval/action` on the resource."""
    assert status_of(lab.made("auto", endpoint(lab.target("auto"), "blob"), BOTH)) == "Approved"


def test_who_may_not_approve_asks_the_owner_and_can_use_it_after_the_approval(lab: Lab) -> None:
    """Manual: endpoint and connection are Pending until the owner approves. Then traffic flows."""
    target = lab.target("asked")
    lab.made("asked", endpoint(target, "blob", manual=True))
    shown = lab.connection(target)["properties"]["privateLinkServiceConnectionState"]
    assert lab.status("asked") == shown["status"] == "Pending"
    assert not lab.daemon.addresses(blob("asked"), source=HUB)
    lab.decide(target, "Approved")
    lab.leads(blob("asked"), lab.address("asked"))


def test_the_owner_reviews_the_details_of_connections(lab: Lab) -> None:
    """The owner of a resource sees who asks for what, and in which state each connection is."""
    target = lab.target("review")
    lab.made("review", endpoint(target, "blob", manual=True))
    properties = lab.connection(target)["properties"]
    assert properties["privateEndpoint"]["id"] == network("review")
    assert properties["groupIds"] == ["blob"]
    assert properties["privateLinkServiceConnectionState"]["status"] == "Pending"


def test_the_owners_rejection_is_seen_on_the_endpoint(lab: Lab) -> None:
    """A rejection changes the state of the consumer's endpoint, also after an approval."""
    target = lab.target("refuse")
    lab.made("refuse", endpoint(target, "blob"), BOTH)
    lab.leads(blob("refuse"), lab.address("refuse"))
    lab.decide(target, "Rejected")
    assert lab.status("refuse") == "Rejected"
    lab.leads(blob("refuse"))


@pytest.mark.parametrize("state", ["Pending", "Approved", "Rejected"])
def test_the_owner_deletes_a_connection_in_any_state_and_the_endpoint_can_only_be_deleted(lab: Lab, state: str) -> None:
    """After the owner has deleted a connection, its endpoint is Disconnected, and only a deletion is possible."""
    name = f"del{state.casefold()}"
    target = lab.target(name)
    body = endpoint(target, "blob", manual=True)
    lab.made(name, body)
    if state != "Pending":
        lab.decide(target, state)
    lab.remove(target)
    assert lab.status(name) == "Disconnected"
    assert lab.ask(name, body).code == "PrivateEndpointCannotBeUpdatedInDisconnectedState"
    assert lab.registry.call("DELETE", network(name), client=NETWORKER).status == 202
    assert lab.registry.call("GET", network(name)).code == "ResourceNotFound"


# -- alias


def test_a_service_is_reached_by_its_id_or_by_its_alias(lab: Lab) -> None:
    """An alias is unique, and its owner may give it to others, who connect with it instead of the id."""
    one, other = lab.service("alias1"), lab.service("alias2")
    assert one["properties"]["alias"] != other["properties"]["alias"]
    lab.made("by-id", endpoint(one["id"]), BOTH)
    lab.made("by-alias", endpoint(other["properties"]["alias"], manual=True))
    lab.decide(other["id"], "Approved")
    for name, service in (("by-id", "alias1"), ("by-alias", "alias2")):
        lab.leads(f"{service}.corp.example", lab.address(name))


def test_an_alias_needs_a_manual_request(lab: Lab) -> None:
    """A connection by alias must be a manual request."""
    alias = lab.service("manual")["properties"]["alias"]
    refused = lab.ask("manual", endpoint(alias), BOTH)
    assert (refused.status, refused.code) == (400, "InvalidRequestContent")
    assert status_of(lab.made("manual", endpoint(alias, manual=True))) == "Pending"


def test_a_manual_request_of_a_listed_subscription_is_approved_at_once(lab: Lab) -> None:
    """The provider may list subscriptions, whose manual requests are approved automatically."""
    service = lab.service("listed", autoApproval={"subscriptions": [CONSUMER]})
    made = lab.made("listed", endpoint(service["properties"]["alias"], manual=True))
    assert status_of(made) == "Approved"
    lab.leads("listed.corp.example", lab.address("listed"))


# -- DNS, and limitations


def test_the_interface_has_what_dns_needs(lab: Lab) -> None:
    """The names and addresses for DNS are on the network interface of the endpoint."""
    lab.made("dns", endpoint(lab.target("dnsinfo"), "blob"), BOTH)
    (config,) = lab.interface("dns")["properties"]["ipConfigurations"]
    assert config["properties"]["privateLinkConnectionProperties"]["fqdns"] == [blob("dnsinfo")]
    lab.leads(blob("dnsinfo"), config["properties"]["privateIPAddress"])


@pytest.mark.parametrize(
    ("kind", "sub_resource"),
    [("Microsoft.ContainerService/managedClusters", "management"), ("Microsoft.HDInsight/clusters", "gateway")],
)
def test_a_few_services_allow_no_static_address(lab: Lab, kind: str, sub_resource: str) -> None:
    """Kubernetes Service, Application Gateway and HDInsight do not allow an endpoint with a static address."""
    member = {"groupId": sub_resource, "memberName": sub_resource, "privateIPAddress": "10.1.0.77"}
    target = lab.target(f"static{sub_resource}", kind)
    body = endpoint(target, sub_resource, ipConfigurations=[{"name": "one", "properties": member}])
    refused = lab.ask("static", body, BOTH)
    assert (refused.status, refused.code) == (400, "PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames")
