"""A snapshot of the estate: what sources gave, as one JSON file that a `files` source reads again.

Owns the shape of that file, which is Azure's own for what came from Azure and the short form for the rest, and how it
gets on disk. Refuses to know where the resources came from.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from zones.azure.endpoint import VirtualNetwork
from zones.azure.resource import Nic, PrivateEndpoint, Resources

Resource = PrivateEndpoint | Nic | VirtualNetwork


class Snapshot(NamedTuple):
    """The resources of the file, and what it cannot hold."""

    rows: list[Resource]
    """In Azure's shape."""
    short: list[Resource]
    """In the short form."""
    differing: int
    """Resources that several parts told differently: the first part counts, as in a file."""
    unreadable: int
    """Rows and fields that could not be read, so they are not in it."""

    @property
    def resources(self) -> int:
        """How many there are."""
        return len(self.rows) + len(self.short)

    def lines(self, shown: Callable[[Resource], Resource] = lambda each: each) -> Iterator[str]:
        """The file's content, made as it is read: a large estate is text of hundreds of megabytes.

        `shown`: what stands in the file in place of a resource.
        """
        yield from _array('{"value": [', (_row(shown(each)) for each in self.rows))
        yield from _array('], "endpoints": [', (_row(shown(each)) for each in self.short))
        yield "]}\n"


def _array(opening: str, items: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield opening
    between = "\n"
    for item in items:
        yield between + json.dumps(item, ensure_ascii=False)
        between = ",\n"
    yield "\n"


def made(parts: Iterable[Resources]) -> Snapshot:
    """One snapshot of parts in the order in which they count."""
    kept: dict[tuple[type, str], Resource] = {}
    differing = unreadable = 0
    for part in parts:
        unreadable += len(part.faults)
        found: Iterable[Resource] = chain(part.endpoints, part.nics, part.vnets)
        for each in found:
            if not isinstance(each, VirtualNetwork):
                unreadable += len(each.faults)
            differing += kept.setdefault((type(each), each.key), each) != each
    rows: list[Resource] = []
    short: list[Resource] = []
    for each in kept.values():
        (short if isinstance(each, PrivateEndpoint) and each.records is not None else rows).append(each)
    return Snapshot(rows, short, differing, unreadable)


def write(path: Path, lines: Iterable[str], *, replace: bool) -> None:
    """Write the file whole, for its owner alone. Raises OSError: FileExistsError unless it may be replaced."""
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(fresh).replace(path)
        else:
            path.hardlink_to(fresh)  # fails where there is one, even one that was made just now
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(fresh).unlink()


def _short(endpoint: PrivateEndpoint) -> dict[str, Any]:
    row = {
        "name": endpoint.name, "target": endpoint.target, "groups": endpoint.groups, "network": endpoint.network,
        "vnet": endpoint.vnet, "state": endpoint.state_text,
        "records": [{"fqdn": name, "ips": row.addresses} for row in endpoint.records or () for name in row.fqdns],
    }  # fmt: skip
    return {key: value for key, value in row.items() if value}


def _row(resource: Resource) -> dict[str, Any]:
    match resource:
        case PrivateEndpoint() if resource.records is not None:
            return _short(resource)
        case PrivateEndpoint():
            return _endpoint(resource)
        case Nic():
            return _nic(resource)
        case VirtualNetwork():
            return _vnet(resource)


def _endpoint(endpoint: PrivateEndpoint) -> dict[str, Any]:
    connection = {
        "privateLinkServiceId": endpoint.target,
        "groupIds": endpoint.groups,
        "privateLinkServiceConnectionState": {"status": endpoint.state_text},
    }
    properties = {
        "provisioningState": endpoint.provisioning,
        "subnet": {"id": endpoint.vnet} if endpoint.vnet else None,  # which subnet of it, nobody asks
        "networkInterfaces": [{"id": nic} for nic in endpoint.nics],
        "privateLinkServiceConnections": [{"properties": connection}],
        "customDnsConfigs": [
            {"fqdn": next(iter(row.fqdns), None), "ipAddresses": row.addresses} for row in endpoint.dns
        ],
    }
    return {
        "id": endpoint.id, "name": endpoint.name, "type": "Microsoft.Network/privateEndpoints",
        "location": endpoint.region, "properties": properties,
    }  # fmt: skip


def _nic(nic: Nic) -> dict[str, Any]:
    configurations = [
        {
            "privateIPAddress": next(iter(row.addresses), None),
            "privateLinkConnectionProperties": {
                "groupId": row.group, "requiredMemberName": row.member, "fqdns": row.fqdns,
            },
        }
        for row in nic.rows
    ]  # fmt: skip
    properties = {
        "privateEndpoint": {"id": nic.endpoint} if nic.endpoint else {},
        "ipConfigurations": [{"properties": each} for each in configurations],
    }
    return {"id": nic.id, "type": "Microsoft.Network/networkInterfaces", "properties": properties}


def _vnet(vnet: VirtualNetwork) -> dict[str, Any]:
    peerings = [{"peeringState": "Connected", "remoteVirtualNetwork": {"id": peer}} for peer in vnet.peers]
    properties = {
        "addressSpace": {"addressPrefixes": vnet.prefixes},
        "virtualNetworkPeerings": [{"properties": each} for each in peerings],
    }
    return {
        "id": vnet.id, "type": "Microsoft.Network/virtualNetworks", "location": vnet.region, "properties": properties,
    }  # fmt: skip
