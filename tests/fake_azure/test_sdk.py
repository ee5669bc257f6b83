"""Proof that the fake is faithful: Microsoft's own libraries get a token from it and list all of its resources."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from tests.fake_azure import shapes
from tests.fake_azure.conftest import ONE, TWO, small
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.server import FakeAzure

SCOPE = "https://management.azure.com/.default"
JOINED = """
resources
| where type =~ 'microsoft.network/privateendpoints'
| extend peId = tolower(id)
| project id, peId, name, location, subscriptionId, resourceGroup, properties
| join kind=leftouter (
    resources
    | where type =~ 'microsoft.network/networkinterfaces' and isnotempty(properties.privateEndpoint.id)
    | project peId = tolower(tostring(properties.privateEndpoint.id)), nicId = id,
        ipConfigurations = properties.ipConfigurations
  ) on peId
| project id, name, location, subscriptionId, resourceGroup, properties, nicId, ipConfigurations
| order by id asc
"""


@pytest.fixture
async def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeAzure]:
    """A fake with TLS, which the SDK requires to send a token. Only the two variables of an identity are set."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with FakeAzure(small(), tls=context, page=2) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
async def credential(azure: FakeAzure) -> AsyncIterator[DefaultAzureCredential]:
    async with DefaultAzureCredential() as found:
        yield found


async def test_the_default_chain_gets_a_token_with_two_variables(
    azure: FakeAzure, credential: DefaultAzureCredential
) -> None:
    token = await credential.get_token(SCOPE)
    azure.identity.check(f"Bearer {token.token}")
    assert azure.counts == {("token", 200): 1}


async def test_an_unknown_identity_is_refused(azure: FakeAzure) -> None:
    async with ManagedIdentityCredential(client_id="0c0c0c0c-0000-4000-a000-0000000000cc") as other:
        with pytest.raises(ClientAuthenticationError, match="No User Assigned"):
            await other.get_token(SCOPE)


async def test_the_sdk_lists_networks_endpoints_and_nics(
    azure: FakeAzure, credential: DefaultAzureCredential, tmp_path: Path
) -> None:
    async with NetworkManagementClient(
        credential, ONE, base_url=azure.url, connection_verify=str(tmp_path / "ca.pem")
    ) as sdk:
        endpoints = [found async for found in sdk.private_endpoints.list_by_subscription()]
        nics = [found async for found in sdk.network_interfaces.list_all()]
        vnets = [found async for found in sdk.virtual_networks.list_all()]
        one = await sdk.private_endpoints.get("rg-network", "PE1")
        with pytest.raises(ResourceNotFoundError, match="was not found"):
            await sdk.private_endpoints.get("rg-network", "other")
    assert [found.name for found in endpoints] == ["pe1", "pe2", "pe3", "pe4", "pe5"]
    assert one.name == "pe1"
    state = one.private_link_service_connections[0].private_link_service_connection_state
    assert state.status == "Approved"
    assert {nic.private_endpoint.id for nic in nics} == {found.id for found in endpoints}
    linked = [nic.ip_configurations[0] for nic in nics]
    assert {row.private_link_connection_properties.fqdns[0]: row.private_ip_address for row in linked} == {
        f"st{n}.blob.core.windows.net": f"10.1.0.{n}" for n in range(1, 6)
    }
    assert [found.address_space.address_prefixes for found in vnets] == [["10.1.0.0/16"]]


async def test_the_sdk_lists_subscriptions_zones_record_sets_and_links(
    azure: FakeAzure, credential: DefaultAzureCredential, tmp_path: Path
) -> None:
    verify = str(tmp_path / "ca.pem")
    async with SubscriptionClient(credential, base_url=azure.url, connection_verify=verify) as sdk:
        assert [found.subscription_id async for found in sdk.subscriptions.list()] == [ONE, TWO]
    async with PrivateDnsManagementClient(credential, ONE, base_url=azure.url, connection_verify=verify) as sdk:
        (zone,) = [found async for found in sdk.private_zones.list()]
        assert zone.name == "privatelink.blob.core.windows.net"
        records = [found async for found in sdk.record_sets.list("RG-Network", zone.name)]
        (link,) = [found async for found in sdk.virtual_network_links.list("RG-Network", zone.name)]
    assert [record.fqdn for record in records] == [f"{name}.{zone.name}." for name in ("st1", "other")]
    assert records[0].a_records[0].ipv4_address == "10.1.0.1"
    assert "created by private endpoint pe1" in records[0].metadata["creator"]
    assert (link.resolution_policy, link.virtual_network_link_state) == ("NxDomainRedirect", "Completed")


async def test_the_sdk_reads_every_type_of_record(
    azure: FakeAzure, credential: DefaultAzureCredential, tmp_path: Path
) -> None:
    zone = shapes.zone(shapes.group(ONE, "RG-Network"), "corp.example")
    azure.estate.add(
        zone,
        shapes.record(zone["id"], "six", ["fd00::4"], rtype="AAAA"),
        shapes.record(zone["id"], "mail", [(10, "mx.corp.example")], rtype="MX"),
        shapes.record(zone["id"], "four", ["host.corp.example"], rtype="PTR"),
        shapes.record(zone["id"], "@", ["ns.example", "me.example", 1, 3600, 300, 2419200, 10], rtype="SOA"),
        shapes.record(zone["id"], "_ldap._tcp", [(1, 2, 389, "dc.corp.example")], rtype="SRV"),
        shapes.record(zone["id"], "text", [["a", "b"]], rtype="TXT"),
    )
    async with PrivateDnsManagementClient(
        credential, ONE, base_url=azure.url, connection_verify=str(tmp_path / "ca.pem")
    ) as sdk:
        found = {each.name: each async for each in sdk.record_sets.list("RG-Network", "corp.example")}
    assert found["six"].aaaa_records[0].ipv6_address == "fd00::4"
    assert (found["mail"].mx_records[0].preference, found["mail"].mx_records[0].exchange) == (10, "mx.corp.example")
    assert found["four"].ptr_records[0].ptrdname == "host.corp.example"
    assert (found["@"].soa_record.host, found["@"].soa_record.minimum_ttl) == ("ns.example", 10)
    srv = found["_ldap._tcp"].srv_records[0]
    assert (srv.priority, srv.weight, srv.port, srv.target) == (1, 2, 389, "dc.corp.example")
    assert found["text"].txt_records[0].value == ["a", "b"]


async def test_the_sdk_pages_through_resource_graph(
    azure: FakeAzure, credential: DefaultAzureCredential, tmp_path: Path
) -> None:
    rows: list[Any] = []
    token = None
    async with ResourceGraphClient(
        credential, base_url=azure.url, connection_verify=str(tmp_path / "ca.pem")
    ) as sdk:  # fmt: skip
        while True:
            options = QueryRequestOptions(top=4, skip_token=token)
            page = await sdk.resources(QueryRequest(query=JOINED, subscriptions=[ONE, TWO], options=options))
            rows += page.data
            assert (page.total_records, page.result_truncated) == (6, "false")
            if not (token := page.skip_token):
                break
    assert [row["name"] for row in rows] == [f"pe{n}" for n in range(1, 7)]
    assert rows[0]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.1.0.1"


async def test_the_sdk_understands_a_refusal_and_waits_out_a_throttle(
    azure: FakeAzure, credential: DefaultAzureCredential, tmp_path: Path
) -> None:
    azure.faults.add(FakeFault("forbidden", path=TWO))
    azure.faults.add(FakeFault("status", api="arm", status=429, seconds=0, count=1))
    async with NetworkManagementClient(
        credential, TWO, base_url=azure.url, connection_verify=str(tmp_path / "ca.pem")
    ) as sdk:
        with pytest.raises(HttpResponseError) as refused:
            _ = [found async for found in sdk.private_endpoints.list_by_subscription()]
    assert refused.value.error is not None
    assert refused.value.error.code == "AuthorizationFailed"
    assert "Microsoft.Network/privateEndpoints/read" in refused.value.message
    assert azure.counts["arm", 429] == 1
