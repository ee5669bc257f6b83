"""@azure/arm-network against a registry: Azure's library for JavaScript works here without a change.

`make javascript` installs it into `build/javascript`. Needs node and npm, and is skipped where these are missing.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.daemon import Daemon, until
from tests.live.registry import configuration, prepare
from tests.paths import ROOT
from tests.registry_shapes import BOTH, CONSUMER, PROVIDER, TENANT, account, endpoint, network, vnet

pytestmark = pytest.mark.live
PACKAGES = ROOT / "build/javascript/node_modules"
SCRIPT = ROOT / "tests/live/javascript/calls.mjs"


class Lab:
    """A daemon with a registry, and a node process that calls the library."""

    def __init__(self, daemon: Daemon, node: "subprocess.Popen[str]") -> None:
        self.daemon = daemon
        self._node = node

    def reply(self, group: str, method: str, *arguments: object, subscription: str = CONSUMER) -> Any:  # noqa: ANN401 - JSON
        """Call a method of a group of operations. Return `value`, or `code` and `status` of the error."""
        call = {"subscription": subscription, "group": group, "method": method, "arguments": arguments}
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps(call) + "\n")
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        assert line, "node has ended"
        return json.loads(line)

    def call(self, group: str, method: str, *arguments: object, subscription: str = CONSUMER) -> Any:  # noqa: ANN401 - JSON
        """Call a method, which must succeed. Return what it returns."""
        reply = self.reply(group, method, *arguments, subscription=subscription)
        assert "value" in reply, reply
        return reply["value"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    node = shutil.which("node")
    if not node or not (ROOT / "build/javascript/.installed").exists():
        pytest.skip("@azure/arm-network is not in build/javascript: install node and npm, and run `make javascript`")
    folder = tmp_path_factory.mktemp("javascript")
    config, registry = configuration(folder)
    shutil.copy(SCRIPT, folder)
    (folder / "node_modules").symlink_to(PACKAGES)
    daemon = Daemon(folder, config).start()
    command = [node, SCRIPT.name, registry.origin, TENANT, BOTH.id, BOTH.secret]
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": str(registry.authority)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            daemon.ready()
            prepare(registry)
            yield Lab(daemon, process)
        finally:
            process.kill()
            daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def test_an_endpoint_answers_until_it_is_deleted(lab: Lab) -> None:
    name = "acct.blob.core.windows.net"
    body = endpoint(account(), "blob")
    made = lab.call("privateEndpoints", "createOrUpdate", "rg", "pe", _flat(body))
    assert made["provisioningState"] == "Succeeded"
    (nic,) = lab.call("networkInterfaces", "list", "rg")
    assert nic["privateEndpoint"]["id"] == made["id"]
    address = nic["ipConfigurations"][0]["privateIPAddress"]
    until(lambda: lab.daemon.addresses(name) == {address})
    zone = {"name": "blob", "privateDnsZoneId": network("privatelink.blob.core.windows.net", "privateDnsZones")}
    group = lab.call("privateDnsZoneGroups", "createOrUpdate", "rg", "pe", "default", {"privateDnsZoneConfigs": [zone]})
    assert group["privateDnsZoneConfigs"][0]["recordSets"][0]["ipAddresses"] == [address]
    lab.call("privateEndpoints", "delete", "rg", "pe")
    until(lambda: not lab.daemon.addresses(name))
    reply = lab.reply("privateEndpoints", "get", "rg", "pe")
    assert (reply["code"], reply["status"]) == ("ResourceNotFound", 404)


def test_the_owner_of_a_service_approves_rejects_and_removes_a_connection_by_alias(lab: Lab) -> None:
    name = "app.corp.example"
    network_of_service = _flat(vnet("10.9.0.0/16", "10.9.0.0/24"))
    network_of_service["subnets"] = [
        {"name": "nat", "addressPrefix": "10.9.0.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    ]
    lab.call("virtualNetworks", "createOrUpdate", "rg", "net", network_of_service, subscription=PROVIDER)
    service = {
        "location": "westeurope",
        "loadBalancerFrontendIpConfigurations": [
            {"id": network("lb/frontendIPConfigurations/fe", "loadBalancers", subscription=PROVIDER)}
        ],
        "ipConfigurations": [
            {"name": "nat", "subnet": {"id": network("net/subnets/nat", "virtualNetworks", subscription=PROVIDER)}}
        ],
        "visibility": {"subscriptions": ["*"]},
        "fqdns": [name],
    }
    made = lab.call("privateLinkServices", "createOrUpdate", "rg", "svc", service, subscription=PROVIDER)
    seen = lab.call("privateLinkServices", "checkPrivateLinkServiceVisibility", "westeurope",
                    {"privateLinkServiceAlias": made["alias"]})  # fmt: skip
    assert seen["visible"] is True
    asked = _flat(endpoint(made["alias"], manual=True))
    refused = lab.reply("privateEndpoints", "createOrUpdate", "rg", "by-alias", _flat(endpoint(made["alias"])))
    assert (refused["code"], refused["status"]) == ("InvalidRequestContent", 400)
    lab.call("privateEndpoints", "createOrUpdate", "rg", "by-alias", asked)
    assert not lab.daemon.addresses(name)
    services = "privateLinkServices"
    (connection,) = lab.call(services, "listPrivateEndpointConnections", "rg", "svc", subscription=PROVIDER)
    one = ("rg", "svc", connection["name"])

    def decide(status: str) -> None:
        state = {"privateLinkServiceConnectionState": {"status": status, "description": "decided"}}
        lab.call(services, "updatePrivateEndpointConnection", *one, state, subscription=PROVIDER)

    decide("Approved")
    until(lambda: lab.daemon.addresses(name))
    decide("Rejected")
    until(lambda: not lab.daemon.addresses(name))
    decide("Approved")
    until(lambda: lab.daemon.addresses(name))
    lab.call(services, "deletePrivateEndpointConnection", *one, subscription=PROVIDER)
    until(lambda: not lab.daemon.addresses(name))
    (link,) = lab.call("privateEndpoints", "get", "rg", "by-alias")["manualPrivateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Disconnected"


def _flat(body: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a body as the library has it: the properties of a resource are its own."""
    if isinstance(body, list):
        return [_flat(each) for each in body]
    if not isinstance(body, dict):
        return body
    inner = {name: _flat(value) for name, value in body.items() if name != "properties"}
    return inner | (_flat(body["properties"]) if "properties" in body else {})
