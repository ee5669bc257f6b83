"""azure-mgmt-network against a registry: what works with Azure works here, without a change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient

from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.registry_shapes import (
    BOTH,
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUBNET,
    SUPPLIER,
    TENANT,
    Client,
    account,
    endpoint,
    network,
    vnet,
)

pytestmark = pytest.mark.live
QUICK: dict[str, Any] = {"polling_interval": 0}


def _network(registry: RegistryClient, client: Client, subscription: str) -> NetworkManagementClient:
    verify: dict[str, Any] = {"connection_verify": str(registry.authority)}
    credential = ClientSecretCredential(
        TENANT, client.id, client.secret, authority=f"127.0.0.1:{registry.port}", disable_instance_discovery=True,
        **verify,
    )  # fmt: skip
    return NetworkManagementClient(
        credential, subscription, base_url=registry.origin, credential_scopes=[f"{registry.origin}/.default"], **verify
    )


class Lab:
    """A daemon with a registry, the consumer's client and the provider's."""

    def __init__(self, daemon: Daemon, registry: RegistryClient) -> None:
        self.daemon, self.registry = daemon, registry
        self.consumer = _network(registry, NETWORKER, CONSUMER)
        self.provider = _network(registry, SUPPLIER, PROVIDER)
        self.both = _network(registry, BOTH, CONSUMER)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("registry")
    config, registry = configuration(folder)
    daemon = Daemon(folder, config).start()
    try:
        daemon.ready()
        prepare(registry)
        made = Lab(daemon, registry)
        yield made
        for client in (made.consumer, made.provider, made.both):
            client.close()
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def test_a_manual_endpoint_is_approved_rejected_and_deleted(lab: Lab) -> None:
    name = "acct.blob.core.windows.net"
    body: Any = endpoint(account(), "blob", manual=True)
    made = lab.consumer.private_endpoints.begin_create_or_update("rg", "pe", body, **QUICK).result()
    (connection,) = made.manual_private_link_service_connections or [None]
    assert connection
    assert connection.private_link_service_connection_state
    assert connection.private_link_service_connection_state.status == "Pending"
    until(lambda: not lab.daemon.addresses(name))
    (row,) = lab.registry.get(f"{account()}/privateEndpointConnections", client=SUPPLIER)["value"]
    state = {"privateLinkServiceConnectionState": {"status": "Approved", "description": "yes"}}
    lab.registry.put(row["id"], {"properties": state}, client=SUPPLIER)
    seen = lab.consumer.private_endpoints.get("rg", "pe")
    assert [each.fqdn for each in seen.custom_dns_configs or ()] == [name]
    (nic,) = lab.consumer.network_interfaces.list("rg")
    assert nic.private_endpoint
    assert nic.private_endpoint.id == network("pe")
    (configured,) = nic.ip_configurations or [None]
    assert configured
    until(lambda: lab.daemon.addresses(name) == {configured.private_ip_address})
    assert [each.name for each in lab.consumer.private_endpoints.list_by_subscription()] == ["pe"]
    lab.consumer.private_endpoints.begin_delete("rg", "pe", **QUICK).result()
    until(lambda: not lab.daemon.addresses(name))
    with pytest.raises(ResourceNotFoundError) as raised:
        lab.consumer.private_endpoints.get("rg", "pe")
    assert raised.value.error
    assert raised.value.error.code == "ResourceNotFound"


def test_an_endpoint_by_alias_answers_after_the_providers_approval(lab: Lab) -> None:
    prefixes = vnet("10.9.0.0/16", "10.9.0.0/24")
    prefixes["properties"]["subnets"][0]["properties"]["privateLinkServiceNetworkPolicies"] = "Disabled"
    body: Any = prefixes
    lab.provider.virtual_networks.begin_create_or_update("rg", "net", body, **QUICK).result()
    frontend = network("lb/frontendIPConfigurations/fe", "loadBalancers", subscription=PROVIDER)
    nat = network("net/subnets/pe", "virtualNetworks", subscription=PROVIDER)
    service: Any = {
        "location": "westeurope",
        "properties": {
            "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": nat}}}],
            "visibility": {"subscriptions": ["*"]},
            "fqdns": ["app.corp.example"],
        },
    }
    made = lab.provider.private_link_services.begin_create_or_update("rg", "svc", service, **QUICK).result()
    assert made.alias
    wanted: Any = endpoint(made.alias, manual=True)
    lab.consumer.private_endpoints.begin_create_or_update("rg", "by-alias", wanted, **QUICK).result()
    until(lambda: not lab.daemon.addresses("app.corp.example"))
    (connection,) = lab.provider.private_link_services.list_private_endpoint_connections("rg", "svc")
    assert connection.name
    state: Any = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    lab.provider.private_link_services.update_private_endpoint_connection("rg", "svc", connection.name, state)
    until(lambda: lab.daemon.addresses("app.corp.example"))
    lab.provider.private_link_services.begin_delete_private_endpoint_connection(
        "rg", "svc", connection.name, **QUICK
    ).result()
    until(lambda: not lab.daemon.addresses("app.corp.example"))


def test_lists_are_read_page_by_page(lab: Lab) -> None:
    for i in range(3):
        body: Any = vnet(f"10.{20 + i}.0.0/16", f"10.{20 + i}.0.0/24")
        lab.provider.virtual_networks.begin_create_or_update("rg", f"page{i}", body, **QUICK).result()
    pages = [list(each) for each in lab.provider.virtual_networks.list("rg", params={"$top": 1}).by_page()]
    names = [each.name for page in pages for each in page]
    assert [name for name in names if name and name.startswith("page")] == ["page0", "page1", "page2"]
    assert {len(page) for page in pages} == {1}


def test_errors_have_azures_codes(lab: Lab) -> None:
    body: Any = endpoint(account(), "blob", subnet={"id": f"{SUBNET}x"})
    with pytest.raises(HttpResponseError) as raised:
        lab.both.private_endpoints.begin_create_or_update("rg", "bad", body, **QUICK)
    assert raised.value.error
    assert (raised.value.status_code, raised.value.error.code) == (400, "InvalidResourceReference")
