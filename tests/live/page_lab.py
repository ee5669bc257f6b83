"""A daemon that has everything the page shows: findings, a held sync, a registry, and a token for each role."""

from pathlib import Path
from typing import Any, Final

import yaml

from resolver.admin.access.tokens import digest
from tests.live import example
from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.registry_shapes import CONSUMER, PROVIDER, account, endpoint, network

ROLES: Final[dict[str, dict[str, Any]]] = {
    "reader": {"role": "read"},
    "operator": {"role": "operate"},
    "administrator": {"role": "admin"},
    "auditor": {"role": "registry", "registry": {"reader": [CONSUMER, PROVIDER]}},
    "consumer": {"role": "registry", "registry": {"consumer": [CONSUMER]}},
    "supplier": {"role": "registry", "registry": {"owner": [PROVIDER]}},
    "owner": {"role": "registry", "registry": {"owner": [CONSUMER, PROVIDER]}},
}
"""The role of each token, by its name. `supplier` owns one of the two subscriptions."""
HELD: Final = "lab"
"""The source with a held sync."""


def token(name: str) -> str:
    """Return the text of a token."""
    return f"pldns_{name}"


def lab(folder: Path, *names: str) -> tuple[Daemon, RegistryClient]:
    """Return a daemon that does not run yet, with tokens of these names. Without any, there is no access control."""
    shown = example.copy(folder)
    config, client = configuration(folder)
    (folder / HELD).mkdir()
    write(folder / HELD / "all.yaml", 8)
    held = {"name": HELD, "type": "files", "path": f"./{HELD}"}
    registry = {"name": "registry", "type": "registry"}
    config |= shown | {"sources": [*shown["sources"], held, registry]}
    daemon = Daemon(folder, config)
    daemon.config["admin"]["tokens"] = [{"name": each, "sha256": digest(token(each)), **ROLES[each]} for each in names]
    daemon.write()
    return daemon, client


def fill(daemon: Daemon, client: RegistryClient) -> None:
    """Wait until the daemon is ready, fill its registry, and have a sync held.

    The private endpoints `waits` and `other` wait for the approval of their target's owner.
    """
    until(lambda: daemon.unix("GET", "/readyz")[0] == 200)
    prepare(client)
    client.put(network("waits"), endpoint(account(), "file", manual=True))
    client.put(network("other"), endpoint(account(), "table", manual=True))
    hold(daemon)


def hold(daemon: Daemon) -> None:
    """Have a sync held that would remove all endpoints of a source. Its present data is written again first."""
    for count in (8, 0):
        write(daemon.directory / HELD / "all.yaml", count)
        status, body = daemon.unix("POST", f"/v1/sources/{HELD}/sync", {"action": "now", "wait": 60})
        assert (status, body["result"]["outcome"]) == (202, "published" if count else "held"), body


def write(path: Path, count: int) -> None:
    """Write a file with a number of endpoints."""
    path.with_suffix(".new").write_text(yaml.safe_dump({"endpoints": [_endpoint(each) for each in range(count)]}))
    path.with_suffix(".new").rename(path)


def _endpoint(number: int) -> dict[str, object]:
    target = f"/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/lab{number}"
    records = [{"fqdn": f"lab{number}.blob.core.windows.net", "ips": [f"10.0.8.{number + 10}"]}]
    return {"name": f"pe-lab{number}", "target": target, "group": "blob", "state": "Approved", "records": records}
