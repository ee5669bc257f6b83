"""A daemon with a registry: what a client of DNS gets after each change of an endpoint."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dns.rdatatype import RdataType

from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.registry_shapes import (
    BOTH,
    NETWORKER,
    PROVIDER,
    SUPPLIER,
    account,
    dual_stack_vnet,
    endpoint,
    group,
    network,
    status_of,
)

pytestmark = pytest.mark.live
NAME = "acct.blob.core.windows.net"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, RegistryClient]]:
    """A daemon, and a client of its registry, with a network and a storage account."""
    folder = tmp_path_factory.mktemp("registry")
    config, client = configuration(folder)
    daemon = Daemon(folder, config).start()
    try:
        daemon.ready()
        prepare(client)
        yield daemon, client
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def test_an_endpoint_answers_from_the_approval_to_the_rejection_and_to_its_deletion(
    lab: tuple[Daemon, RegistryClient],
) -> None:
    daemon, client = lab
    made = client.put(network("pe"), endpoint(account(), "blob"))
    assert status_of(made) == "Approved"
    until(lambda: daemon.addresses(NAME) == {"10.1.0.4"})
    (row,) = client.get(f"{account()}/privateEndpointConnections")["value"]
    state = {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}
    client.put(row["id"], {"properties": state}, client=SUPPLIER)
    until(lambda: not daemon.addresses(NAME))
    assert status_of(client.get(network("pe"))) == "Rejected"
    state = {"privateLinkServiceConnectionState": {"status": "Approved", "description": "yes"}}
    client.put(row["id"], {"properties": state}, client=SUPPLIER)
    until(lambda: daemon.addresses(NAME) == {"10.1.0.4"})
    assert client.call("DELETE", network("pe")).status == 202
    until(lambda: not daemon.addresses(NAME))
    assert client.call("GET", network("pe")).code == "ResourceNotFound"


def test_a_request_without_rights_waits_for_the_owner(lab: tuple[Daemon, RegistryClient]) -> None:
    daemon, client = lab
    made = client.put(network("pe2"), endpoint(account(), "file", manual=True), client=NETWORKER)
    assert status_of(made) == "Pending"
    name = "acct.file.core.windows.net"
    until(lambda: not daemon.addresses(name))
    rows = client.get(f"{account()}/privateEndpointConnections", client=SUPPLIER)["value"]
    (row,) = [each for each in rows if each["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"]
    assert client.call("PUT", row["id"], {"properties": {}}, client=NETWORKER).code == "AuthorizationFailed"
    state = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    client.put(row["id"], {"properties": state}, client=SUPPLIER)
    until(lambda: daemon.addresses(name))
    assert client.call("DELETE", row["id"], client=SUPPLIER).status == 202
    until(lambda: not daemon.addresses(name))
    assert status_of(client.get(network("pe2"), client=NETWORKER)) == "Disconnected"
    assert client.call("PUT", network("pe2"), endpoint(account(), "file", manual=True)).status == 400
    assert client.call("DELETE", network("pe2"), client=NETWORKER).status == 202


def test_an_endpoint_with_both_ip_versions_has_both_kinds_of_addresses(lab: tuple[Daemon, RegistryClient]) -> None:
    daemon, client = lab
    six = network("six", "virtualNetworks")
    client.put(six, dual_stack_vnet())
    client.put(account("near"), {"location": "westeurope", "properties": {}})
    wish = endpoint(account("near"), "blob", ipVersionType="DualStack", subnet={"id": f"{six}/subnets/pe"})
    client.put(network("six"), wish)
    name = "near.blob.core.windows.net"
    until(lambda: daemon.addresses(name) == {"10.6.0.4"})
    (found,) = [each for rows in daemon.ask(name, "AAAA").answer for each in rows if each.rdtype == RdataType.AAAA]
    assert found.to_text() == "fd00:6::4"


def test_a_limit_that_is_near_is_a_finding_as_for_every_estate(lab: tuple[Daemon, RegistryClient]) -> None:
    daemon, client = lab
    vault = f"{group(subscription=PROVIDER)}/providers/Microsoft.KeyVault/vaults/kv"
    client.put(vault, {"location": "westeurope", "properties": {}})
    for i in range(52):
        client.put(network(f"kv{i}"), endpoint(vault, "vault"))
    found = until(lambda: daemon.get("/v1/findings?code=limit-near")[1]["items"])
    assert [each["subject"] for each in found] == [vault.casefold()]
    assert "52 of the 64 private endpoints" in daemon.log.read_text()
    client.call("DELETE", network("kv0"))
    until(lambda: not daemon.get("/v1/findings?code=limit-near")[1]["items"])


def test_endpoints_answer_after_a_restart_too(tmp_path: Path, start: Callable[..., Daemon]) -> None:
    config, client = configuration(tmp_path)
    daemon = start(**config).ready()
    prepare(client)
    client.put(network("pe"), endpoint(account(), "blob"), client=BOTH)
    daemon.kill()
    daemon.start().ready()
    until(lambda: daemon.addresses(NAME) == {"10.1.0.4"})
    assert status_of(client.get(network("pe"))) == "Approved"  # with the token from before
