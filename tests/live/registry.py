"""A daemon with a registry, and a client of it that has no library of Azure in between."""

import json
import ssl
from hashlib import sha256
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import trustme

from tests.live.daemon import PATIENCE
from tests.ports import free_port

TENANT: Final = "10000000-0000-4000-a000-000000000001"
CONSUMER: Final = "20000000-0000-4000-a000-00000000000c"
PROVIDER: Final = "20000000-0000-4000-a000-00000000000d"
"""Two subscriptions: one has networks and endpoints, the other has what these connect to."""
VERSION: Final = "2025-05-01"
_SECRET: Final = "a secret for tests"


class Client(NamedTuple):
    """A client of the registry."""

    id: str
    name: str
    secret: str = _SECRET


BOTH: Final = Client("30000000-0000-4000-a000-000000000001", "both")
"""Owns both subscriptions."""
NETWORKER: Final = Client("30000000-0000-4000-a000-000000000002", "networker")
"""A consumer in the first subscription, with no role in the other."""
SUPPLIER: Final = Client("30000000-0000-4000-a000-000000000003", "supplier")
"""Owns the second subscription, and has no role in the first."""
AUDITOR: Final = Client("30000000-0000-4000-a000-000000000004", "auditor")
"""Reads both subscriptions."""

_ROLES: Final[dict[Client, dict[str, list[str]]]] = {
    BOTH: {"owner": [CONSUMER, PROVIDER]},
    NETWORKER: {"consumer": [CONSUMER]},
    SUPPLIER: {"owner": [PROVIDER]},
    AUDITOR: {"reader": [CONSUMER, PROVIDER]},
}


class Answer(NamedTuple):
    """A response: status, headers in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of the error; empty where there is none."""
        return str(self.body["error"]["code"]) if isinstance(self.body, dict) and "error" in self.body else ""


class RegistryClient:
    """A client of the registry at a port of 127.0.0.1. `authority`: the file with the certificate to trust."""

    def __init__(self, port: int, authority: Path) -> None:
        self.port = port
        self.authority = authority
        self.origin = f"https://127.0.0.1:{port}"
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._tokens: dict[Client, str] = {}

    def token(self, client: Client) -> str:
        """Return a token."""
        if client not in self._tokens:
            form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret}
            octets = urlencode({**form, "scope": f"{self.origin}/.default"}).encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self.send("POST", f"/{TENANT}/oauth2/v2.0/token", octets, kind)
            assert answer.status == 200, answer
            self._tokens[client] = answer.body["access_token"]
        return self._tokens[client]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        client: Client = BOTH,
        version: str = VERSION,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request with a token."""
        separator = "&" if "?" in path else "?"
        octets = None if body is None else json.dumps(body).encode()
        wanted = {"Authorization": f"Bearer {self.token(client)}", "Content-Type": "application/json", **(headers or {})}
        return self.send(method, f"{path}{separator}api-version={version}" if version else path, octets, wanted)

    def put(self, path: str, body: object, *, client: Client = BOTH) -> Any:  # noqa: ANN401 - JSON
        """Write a resource, which must succeed. Return its body."""
        answer = self.call("PUT", path, body, client=client)
        assert answer.status in {200, 201}, answer
        return answer.body

    def get(self, path: str, *, client: Client = BOTH) -> Any:  # noqa: ANN401 - JSON
        """Return a resource or a list, which must be there."""
        answer = self.call("GET", path, client=client)
        assert answer.status == 200, answer
        return answer.body

    def send(self, method: str, path: str, octets: bytes | None, headers: dict[str, str]) -> Answer:
        """Send any request."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=PATIENCE)
        try:
            connection.request(method, path, octets, headers)
            reply = connection.getresponse()
            read = reply.read()
            found = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, found, json.loads(read) if read else None)
        finally:
            connection.close()


def configuration(folder: Path, port: int | None = None) -> tuple[dict[str, Any], RegistryClient]:
    """Return the configuration of a daemon with a registry, and a client of this registry. Its certificate is made."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "registry.pem"))
    at = port or free_port()
    registry = {
        "listen": f"127.0.0.1:{at}",
        "tls": {"certificate": "registry.pem", "key": "registry.pem"},
        "tenant": TENANT,
        "subscriptions": [{"id": CONSUMER, "name": "consumer"}, {"id": PROVIDER, "name": "provider"}],
        "clients": [
            {"id": each.id, "name": each.name, "sha256": sha256(each.secret.encode()).hexdigest(), **roles}
            for each, roles in _ROLES.items()
        ],
        "hold": 0,
    }
    made = {"registry": registry, "sources": [{"name": "lab", "type": "registry"}]}
    return made, RegistryClient(at, folder / "authority.pem")


# -- resources


def group(name: str = "rg", subscription: str = CONSUMER) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def network(name: str, kind: str = "privateEndpoints", *, subscription: str = CONSUMER) -> str:
    """Return the id of a resource of `Microsoft.Network` in the group `rg`."""
    return f"{group(subscription=subscription)}/providers/Microsoft.Network/{kind}/{name}"


def account(name: str = "acct") -> str:
    """Return the id of a storage account of the provider."""
    return f"{group(subscription=PROVIDER)}/providers/Microsoft.Storage/storageAccounts/{name}"


def vnet(prefix: str = "10.1.0.0/16", subnet: str = "10.1.0.0/24") -> dict[str, Any]:
    subnets = [{"name": "pe", "properties": {"addressPrefix": subnet}}]
    space = {"addressPrefixes": [prefix]}
    return {"location": "westeurope", "properties": {"addressSpace": space, "subnets": subnets}}


SUBNET: Final = network("hub/subnets/pe", "virtualNetworks")


def endpoint(target: str, *groups: str, manual: bool = False, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the body of an endpoint in the subnet of the virtual network `hub`."""
    link: dict[str, Any] = {"privateLinkServiceId": target, "groupIds": list(groups)}
    if manual:
        link["requestMessage"] = "Please"
    kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    connections = {kind: [{"name": "one", "properties": link}]}
    return {"location": "westeurope", "properties": {"subnet": {"id": SUBNET}, **connections, **properties}}


def prepare(client: RegistryClient) -> None:
    """Make the groups, the network `hub` and the storage account `acct`."""
    for subscription in (CONSUMER, PROVIDER):
        client.put(group(subscription=subscription), {"location": "westeurope"})
    client.put(network("hub", "virtualNetworks"), vnet())
    client.put(account(), {"location": "northeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})


def status_of(body: Any) -> str:  # noqa: ANN401 - JSON
    """Return the state of an endpoint's connection."""
    properties = body["properties"]
    both = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
    return str(both[0]["properties"]["privateLinkServiceConnectionState"]["status"])
