"""A snapshot: the resources of all sources as one JSON file that a `files` source can read.

Owns the format of the file (Azure's format for resources from Azure, the short form for the others), and how the file
is written. Does not know where the resources came from.
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
from zones.azure.resource import Nic, PrivateEndpoint, Resources, ZoneGroup

Resource = PrivateEndpoint | Nic | VirtualNetwork | ZoneGroup


class Snapshot(NamedTuple):
    """The resources of the file, and the number of those that it cannot hold."""

    rows: list[Resource]
    """Resources in Azure's format."""
    short: list[Resource]
    """Endpoints in the short form."""
    differing: int
    """Resources that differ between parts: the file has the version of the first part."""
    unreadable: int
    """Rows and fields that could not be read, and that the file does not have."""

    @property
    def resources(self) -> int:
        """Number of resources in the file."""
        return len(self.rows) + len(self.short)

    def lines(self, shown: Callable[[Resource], Resource] = lambda each: each) -> Iterator[str]:
        """Yield the content of the file. It is made piece by piece: a large estate is hundreds of megabytes of text.

        `shown` returns the resource to write in place of each resource.
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
    """Return the snapshot of these parts. Of two versions of a resource, the first counts."""
    kept: dict[tuple[type, str], Resource] = {}
    differing = unreadable = 0
    for part in parts:
        unreadable += len(part.faults)
        found: Iterable[Resource] = chain(part.endpoints, part.nics, part.vnets, part.zone_groups)
        for each in found:
            if isinstance(each, PrivateEndpoint | Nic):
                unreadable += len(each.faults)
            differing += kept.setdefault((type(each), each.key), each) != each
    rows: list[Resource] = []
    short: list[Resource] = []
    for each in kept.values():
        (short if isinstance(each, PrivateEndpoint) and each.records is not None else rows).append(each)
    return Snapshot(rows, short, differing, unreadable)


def write(path: Path, lines: Iterable[str], *, replace: bool) -> None:
    """Write a complete file that only its owner can read. Raises OSError; FileExistsError if it may not be replaced."""
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(fresh).replace(path)
        else:
            path.hardlink_to(fresh)  # fails if the file exists, even if it was made just now
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
        case ZoneGroup():
            return _zone_group(resource)


def _subnet_id(endpoint: PrivateEndpoint) -> str:
    return f"{endpoint.vnet}/subnets/{endpoint.subnet}" if endpoint.subnet else endpoint.vnet


def _endpoint(endpoint: PrivateEndpoint) -> dict[str, Any]:
    connection = {
        "privateLinkServiceId": endpoint.target,
        "groupIds": endpoint.groups,
        "privateLinkServiceConnectionState": {"status": endpoint.state_text},
    }
    properties = {
        "provisioningState": endpoint.provisioning,
        "subnet": {"id": _subnet_id(endpoint)} if endpoint.vnet else None,
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
        **({"privateEndpointVNetPolicies": "Basic"} if vnet.high_scale else {}),
    }
    return {
        "id": vnet.id, "type": "Microsoft.Network/virtualNetworks", "location": vnet.region, "properties": properties,
    }  # fmt: skip


def _zone_group(group: ZoneGroup) -> dict[str, Any]:
    configs = [
        {
            "privateDnsZoneId": config.zone,
            "recordSets": [{"fqdn": each.name, "ipAddresses": each.addresses} for each in config.records],
        }
        for config in group.configs
    ]
    return {
        "id": group.id,
        "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "properties": {"privateDnsZoneConfigs": [{"properties": each} for each in configs]},
    }
