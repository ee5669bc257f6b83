"""A daemon with a registry, and a client of it that has no library of Azure in between."""

import json
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import trustme

from tests.live.daemon import PATIENCE
from tests.ports import free_port
from tests.registry_shapes import BOTH, CONSUMER, PROVIDER, TENANT, VERSION, Answer, Client, clients, first_resources


class RegistryClient:
    """A client of the registry at a port of 127.0.0.1. `authority`: the file with the certificate to trust."""

    def __init__(self, port: int, authority: Path, tenant: str = TENANT) -> None:
        self.port = port
        self._tenant = tenant
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
            answer = self.send("POST", f"/{self._tenant}/oauth2/v2.0/token", octets, kind)
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
        wanted = {
            "Authorization": f"Bearer {self.token(client)}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
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
        "clients": clients(),
        "hold": 0,
    }
    made = {"registry": registry, "sources": [{"name": "lab", "type": "registry"}]}
    return made, RegistryClient(at, folder / "authority.pem")


def prepare(client: RegistryClient) -> None:
    """Make the first resources."""
    for path, body in first_resources().items():
        client.put(path, body)
