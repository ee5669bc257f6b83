"""Resources as Azure writes them, with the keys of its published examples. Each function returns new JSON.

Does not know how resources are stored or requested.
"""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]

TENANT: Final = "72f988bf-0000-4000-a000-2d7cd011db47"
ETAG: Final = "00000000-0000-0000-0000-000000000000"
NETWORK: Final = "providers/Microsoft.Network"


def subscription_id(number: int) -> str:
    """Return the id of a subscription for tests: `00000000-0000-4000-a000-000000000001`."""
    return f"00000000-0000-4000-a000-{number:012d}"


def subscription(own: str, name: str = "", state: str = "Enabled") -> Json:
    """Return a subscription as the list of subscriptions has it."""
    return {
        "id": f"/subscriptions/{own}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": own,
        "tenantId": TENANT,
        "displayName": name or f"subscription {own[-4:]}",
        "state": state,
        "subscriptionPolicies": {
            "locationPlacementId": "Internal_2014-09-01",
            "quotaId": "Internal_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def group(subscription: str, name: str = "rg-network") -> str:
    """Return the id of a resource group, which most functions here take."""
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def endpoint(
    where: str, name: str, records: Mapping[str, str | Iterable[str]], *,
    target: str = "", groups: Iterable[str] = ("blob",), vnet: str = "", location: str = "westeurope",
    status: str = "Approved", manual: bool = False,
) -> tuple[Json, Json]:  # fmt: skip
    """Return a private endpoint in the group `where`, and its NIC. `records` has the address of each FQDN."""
    own, nic = f"{where}/{NETWORK}/privateEndpoints/{name}", f"{name}.nic.{_guid(where, name)}"
    subnet = {"id": f"{vnet or f'{where}/{NETWORK}/virtualNetworks/vnet'}/subnets/endpoints"}
    addresses = {fqdn: [ips] if isinstance(ips, str) else list(ips) for fqdn, ips in records.items()}
    connection = {
        "id": f"{own}/privateLinkServiceConnections/{name}",
        "properties": {
            "groupIds": list(groups),
            "privateLinkServiceConnectionState": {
                "description": "Auto-approved",
                "actionsRequired": "None",
                "status": status,
            },
            "privateLinkServiceId": target or f"{where}/providers/Microsoft.Storage/storageAccounts/{name}",
            "requestMessage": "Please approve my connection.",
        },
    }
    body = {
        "name": name,
        "id": own,
        "type": "Microsoft.Network/privateEndpoints",
        "location": location,
        "properties": {
            "provisioningState": "Succeeded",
            "privateLinkServiceConnections": [] if manual else [connection],
            "manualPrivateLinkServiceConnections": [connection] if manual else [],
            "subnet": subnet,
            "networkInterfaces": [{"id": f"{where}/{NETWORK}/networkInterfaces/{nic}"}],
            "customDnsConfigs": [{"fqdn": fqdn, "ipAddresses": ips} for fqdn, ips in addresses.items()],
            "applicationSecurityGroups": [],
            "ipConfigurations": [],
            "customNetworkInterfaceName": "",
        },
    }
    return body, _nic(f"{where}/{NETWORK}/networkInterfaces/{nic}", body, addresses)


def _nic(own: str, endpoint: Json, addresses: Mapping[str, list[str]]) -> Json:
    properties = endpoint["properties"]
    (connection,) = properties["privateLinkServiceConnections"] or properties["manualPrivateLinkServiceConnections"]
    names: dict[str, list[str]] = {}
    for fqdn, ips in addresses.items():
        for ip in ips:
            names.setdefault(ip, []).append(fqdn)
    linked = (connection["properties"]["groupIds"] or [""])[0]
    return {
        "name": own.rpartition("/")[2],
        "id": own,
        "type": "Microsoft.Network/networkInterfaces",
        "location": endpoint["location"],
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": endpoint["id"]},
            "nicType": "Standard",
            "enableIPForwarding": False,
            "ipConfigurations": [
                _ip_configuration(own, place, ip, fqdns, linked, properties["subnet"])
                for place, (ip, fqdns) in enumerate(names.items())
            ],
        },
    }


def _ip_configuration(nic: str, place: int, ip: str, fqdns: list[str], linked: str, subnet: Json) -> Json:
    name = f"privateEndpointIpConfig.{_guid(nic, str(place))}"
    return {
        "name": name,
        "id": f"{nic}/ipConfigurations/{name}",
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": ip,
            "privateIPAllocationMethod": "Dynamic",
            "privateIPAddressVersion": f"IPv{ip_address(ip).version}",
            "primary": place == 0,
            "subnet": subnet,
            "privateLinkConnectionProperties": {"groupId": linked, "requiredMemberName": linked, "fqdns": fqdns},
        },
    }


def virtual_network(
    where: str, name: str, prefixes: Iterable[str], *,
    peers: Iterable[Json] = (), state: str = "Connected", location: str = "westeurope",
) -> Json:  # fmt: skip
    """Return a virtual network with its peerings to these others. For the other direction, use `peering`."""
    own, spaces = f"{where}/{NETWORK}/virtualNetworks/{name}", list(prefixes)
    return {
        "name": name,
        "id": own,
        "type": "Microsoft.Network/virtualNetworks",
        "location": location,
        "properties": {
            "addressSpace": {"addressPrefixes": spaces},
            "dhcpOptions": {"dnsServers": []},
            "subnets": [
                {
                    "name": "endpoints",
                    "id": f"{own}/subnets/endpoints",
                    "properties": {"addressPrefix": spaces[0], "provisioningState": "Succeeded"},
                }
            ],
            "virtualNetworkPeerings": [peering(own, peer, state) for peer in peers],
            "provisioningState": "Succeeded",
        },
    }


def peering(vnet: str, peer: Json, state: str = "Connected") -> Json:
    """Return the peering of the network with this id to another."""
    name = f"to-{peer['name']}"
    return {
        "name": name,
        "id": f"{vnet}/virtualNetworkPeerings/{name}",
        "properties": {
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "allowGatewayTransit": False,
            "useRemoteGateways": False,
            "remoteVirtualNetwork": {"id": peer["id"]},
            "remoteAddressSpace": peer["properties"]["addressSpace"],
            "remoteVirtualNetworkAddressSpace": peer["properties"]["addressSpace"],
            "peeringState": state,
            "peeringSyncLevel": "FullyInSync",
            "provisioningState": "Succeeded",
        },
    }


def zone(where: str, name: str) -> Json:
    """Return a private DNS zone."""
    return {
        "name": name,
        "type": "Microsoft.Network/privateDnsZones",
        "etag": ETAG,
        "id": f"{where}/{NETWORK}/privateDnsZones/{name}",
        "location": "global",
        "properties": {
            "maxNumberOfRecordSets": 25000,
            "maxNumberOfVirtualNetworkLinks": 1000,
            "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
            "numberOfRecordSets": 1,
            "numberOfVirtualNetworkLinks": 0,
            "numberOfVirtualNetworkLinksWithRegistration": 0,
            "provisioningState": "Succeeded",
        },
        "tags": {},
    }


def record(zone: str, name: str, values: Iterable[Any], *, rtype: str = "A", ttl: int = 10, creator: str = "") -> Json:
    """Return a record set of the zone with this id.

    `values` are addresses and names, or the fields of MX, SRV, TXT and SOA. `creator` is the endpoint that wrote it.
    """
    found = list(values)
    fields: dict[str, Callable[[], Json]] = {
        "A": lambda: {"aRecords": [{"ipv4Address": value} for value in found]},
        "AAAA": lambda: {"aaaaRecords": [{"ipv6Address": value} for value in found]},
        "CNAME": lambda: {"cnameRecord": {"cname": found[0]}},
        "MX": lambda: {"mxRecords": [{"preference": number, "exchange": host} for number, host in found]},
        "PTR": lambda: {"ptrRecords": [{"ptrdname": value} for value in found]},
        "SOA": lambda: {"soaRecord": dict(zip(_SOA, found, strict=True))},
        "SRV": lambda: {"srvRecords": [dict(zip(_SRV, value, strict=True)) for value in found]},
        "TXT": lambda: {"txtRecords": [{"value": list(value)} for value in found]},
    }
    by = f"created by private endpoint {creator} with resource guid {_guid(zone, creator)}"
    origin = zone.rpartition("/")[2]
    return {
        "name": name,
        "type": f"Microsoft.Network/privateDnsZones/{rtype}",
        "etag": ETAG,
        "id": f"{zone}/{rtype}/{name}",
        "properties": {
            **fields[rtype](),
            "fqdn": f"{origin}." if name == "@" else f"{name}.{origin}.",
            "isAutoRegistered": False,
            "metadata": {"creator": by} if creator else {},
            "ttl": ttl,
        },
    }


_SRV: Final = ("priority", "weight", "port", "target")
_SOA: Final = ("host", "email", "serialNumber", "refreshTime", "retryTime", "expireTime", "minimumTtl")


def link(zone: str, name: str, vnet: str, *, registration: bool = False, policy: str = "Default") -> Json:
    """Return the link of a zone to a virtual network."""
    return {
        "name": name,
        "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "etag": ETAG,
        "id": f"{zone}/virtualNetworkLinks/{name}",
        "location": "global",
        "properties": {
            "provisioningState": "Succeeded",
            "registrationEnabled": registration,
            "resolutionPolicy": policy,
            "virtualNetwork": {"id": vnet},
            "virtualNetworkLinkState": "Completed",
        },
    }


def _guid(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))
