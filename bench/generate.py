"""Writes an estate of any size in the form of Azure's REST interface: private endpoints and their NICs, page by page.

The output depends only on the size. No more than one resource is in memory at a time. One more endpoint has its own
file, which can be changed while pldns runs. The estate has no contests: each name has one claim.
"""

import argparse
import random
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

PAGE: Final = 5_000
"""Maximum number of resources per file."""
PER_VNET: Final = 1_000
"""Azure's limit of private endpoints in one virtual network."""
REGIONS: Final = ("westeurope", "northeurope", "swedencentral", "eastus", "westus2", "japaneast", "australiaeast")
SUBSCRIPTIONS: Final = 20
QUERIES: Final = 100_000
PUBLIC_NAMES: Final = 1_000

CHANGING: Final = "stbenchchanging.blob.core.windows.net"
"""The name of the endpoint in `changing.json`."""

Json = dict[str, Any]


class Service(NamedTuple):
    """A kind of resource: its type, group id, naming prefix, and its NIC's rows as (member, FQDN patterns)."""

    type: str
    group: str
    prefix: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


SERVICES: Final = (
    Service("Microsoft.Storage/storageAccounts", "blob", "st", (("blob", ("{name}.blob.core.windows.net",)),)),
    Service("Microsoft.Storage/storageAccounts", "file", "stf", (("file", ("{name}.file.core.windows.net",)),)),
    Service("Microsoft.KeyVault/vaults", "vault", "kv-", (("default", ("{name}.vault.azure.net",)),)),
    Service("Microsoft.Sql/servers", "sqlServer", "sql-", (("sqlServer", ("{name}.database.windows.net",)),)),
    Service(
        "Microsoft.DocumentDB/databaseAccounts", "Sql", "cosmos-",
        (
            ("{name}", ("{name}.documents.azure.com",)),
            ("{name}-{region}", ("{name}-{region}.documents.azure.com",)),
        ),
    ),
    Service(
        "Microsoft.ContainerRegistry/registries", "registry", "acr",
        (
            ("registry_data_{region}", ("{name}.{region}.data.azurecr.io",)),
            ("registry", ("{name}.azurecr.io",)),
        ),
    ),
    Service(
        "Microsoft.Web/sites", "sites", "app-",
        (("sites", ("{name}.azurewebsites.net", "{name}.scm.azurewebsites.net")),),
    ),
    Service(
        "Microsoft.ServiceBus/namespaces", "namespace", "sb-", (("namespace", ("{name}.servicebus.windows.net",)),)
    ),
    Service("Microsoft.Cache/Redis", "redisCache", "redis-", (("redisCache", ("{name}.redis.cache.windows.net",)),)),
    Service(
        "Microsoft.Search/searchServices", "searchService", "srch-",
        (("searchService", ("{name}.search.windows.net",)),),
    ),
)  # fmt: skip


class VNet(NamedTuple):
    """A virtual network with room for `PER_VNET` endpoints."""

    id: str
    name: str
    subscription: str
    region: str
    prefix: IPv4Network


class GeneratedEstate:
    """An estate of `size` endpoints, spread over virtual networks and regions."""

    def __init__(self, size: int, seed: int = 1, subscriptions: int = SUBSCRIPTIONS) -> None:
        self.size = size
        self._random = random.Random(seed)
        owners = [self._guid() for _ in range(subscriptions)]
        self.vnets = [self._vnet(index, owners) for index in range(-(-size // PER_VNET))]

    def _guid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _vnet(self, index: int, owners: list[str]) -> VNet:
        region, owner = REGIONS[index % len(REGIONS)], owners[index % len(owners)]
        name = f"vnet-{region}-{index:04d}"
        prefix = IPv4Network((int(IPv4Address("10.0.0.0")) + (index << 12), 20))
        return VNet(
            f"/subscriptions/{owner}/resourceGroups/rg-network-{index:04d}/providers/Microsoft.Network/virtualNetworks/{name}",
            name, owner, region, prefix,
        )  # fmt: skip

    def resources(self) -> Iterator[tuple[Json, Json]]:
        """Yield each endpoint with its NIC."""
        for index in range(self.size):
            place, vnet = divmod(index, len(self.vnets))
            service = SERVICES[place % len(SERVICES)]
            first = self.vnets[vnet].prefix.network_address + 4 + place * 2
            yield self.pair(f"{service.prefix}contoso{index:06d}", service, self.vnets[vnet], first)

    def changing(self, address: IPv4Address) -> bytes:
        """Return a file with one endpoint and its NIC, in which `CHANGING` has this address."""
        # Ids are the same at every call, so it is the same endpoint each time.
        private_endpoint, nic = GeneratedEstate(1).pair(CHANGING.partition(".")[0], SERVICES[0], self.vnets[0], address)
        return msgspec.json.encode([private_endpoint, nic])

    def pair(self, name: str, service: Service, vnet: VNet, first: IPv4Address) -> tuple[Json, Json]:
        """Return a private endpoint of the resource `name` and its NIC. Addresses count up from `first`."""
        group = f"/subscriptions/{vnet.subscription}/resourceGroups/rg-{vnet.name[5:]}/providers"
        endpoint_id = f"{group}/Microsoft.Network/privateEndpoints/pe-{name}-{service.group}"
        nic_name = f"pe-{name}-{service.group}.nic.{self._guid()}"
        nic_id = f"{group}/Microsoft.Network/networkInterfaces/{nic_name}"
        subnet = {"id": f"{vnet.id}/subnets/snet-endpoints"}
        rows = [
            self._ip_configuration(nic_id, subnet, str(first + i), service.group, member, i == 0, (name, vnet.region))
            for i, member in enumerate(service.rows)
        ]
        return (
            self._endpoint(endpoint_id, f"{group}/{service.type}/{name}", service.group, vnet, subnet, nic_id, rows),
            self._nic(nic_id, nic_name, vnet.region, endpoint_id, rows),
        )

    def _ip_configuration(
        self, nic_id: str, subnet: Json, address: str, group: str, row: tuple[str, tuple[str, ...]], primary: bool,
        terms: tuple[str, str],
    ) -> Json:  # fmt: skip
        member, fqdns = row
        name, region = terms
        own = f"privateEndpointIpConfig.{self._guid()}"
        return {
            "name": own,
            "id": f"{nic_id}/ipConfigurations/{own}",
            "etag": f'W/"{self._guid()}"',
            "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
            "properties": {
                "provisioningState": "Succeeded",
                "privateIPAddress": address,
                "privateIPAllocationMethod": "Dynamic",
                "subnet": subnet,
                "primary": primary,
                "privateIPAddressVersion": "IPv4",
                "privateLinkConnectionProperties": {
                    "groupId": group,
                    "requiredMemberName": member.format(name=name, region=region),
                    "fqdns": [fqdn.format(name=name, region=region) for fqdn in fqdns],
                },
            },
        }

    def _endpoint(
        self, own: str, target: str, group: str, vnet: VNet, subnet: Json, nic_id: str, rows: list[Json]
    ) -> Json:
        name = own.rpartition("/")[2]
        etag = f'W/"{self._guid()}"'
        configs = [row["properties"] for row in rows]
        return {
            "name": name,
            "id": own,
            "etag": etag,
            "type": "Microsoft.Network/privateEndpoints",
            "location": vnet.region,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": self._guid(),
                "privateLinkServiceConnections": [
                    {
                        "name": name,
                        "id": f"{own}/privateLinkServiceConnections/{name}",
                        "etag": etag,
                        "properties": {
                            "provisioningState": "Succeeded",
                            "privateLinkServiceId": target,
                            "groupIds": [group],
                            "privateLinkServiceConnectionState": {
                                "status": "Approved",
                                "description": "Auto-Approved",
                                "actionsRequired": "None",
                            },
                        },
                        "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
                    }
                ],
                "manualPrivateLinkServiceConnections": [],
                "customNetworkInterfaceName": "",
                "subnet": subnet,
                "ipConfigurations": [],
                "networkInterfaces": [{"id": nic_id}],
                "customDnsConfigs": [
                    {"fqdn": fqdn, "ipAddresses": [config["privateIPAddress"]]}
                    for config in configs
                    for fqdn in config["privateLinkConnectionProperties"]["fqdns"]
                ],
                "ipVersionType": "IPv4",
            },
        }

    def _nic(self, own: str, name: str, region: str, endpoint_id: str, rows: list[Json]) -> Json:
        return {
            "name": name,
            "id": own,
            "etag": f'W/"{self._guid()}"',
            "type": "Microsoft.Network/networkInterfaces",
            "location": region,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": self._guid(),
                "ipConfigurations": rows,
                "dnsSettings": {
                    "dnsServers": [],
                    "appliedDnsServers": [],
                    "internalDomainNameSuffix": "w3rq0hzsvtmuhhp2lcf4lb5ydb.ax.internal.cloudapp.net",
                },
                "macAddress": "",
                "enableAcceleratedNetworking": False,
                "vnetEncryptionSupported": False,
                "enableIPForwarding": False,
                "disableTcpStateTracking": False,
                "hostedWorkloads": [],
                "tapConfigurations": [],
                "nicType": "Standard",
                "allowPort25Out": False,
                "privateEndpoint": {"id": endpoint_id},
            },
        }


def _vnet_resource(vnet: VNet) -> Json:
    return {
        "name": vnet.name,
        "id": vnet.id,
        "type": "Microsoft.Network/virtualNetworks",
        "location": vnet.region,
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": [str(vnet.prefix)]},
            "virtualNetworkPeerings": [],
        },
    }


class JsonPage:
    """A file `{"value": […]}` that is written resource by resource."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._between = b'{"value":['

    def add(self, resource: Json) -> None:
        """Append one resource."""
        self._file.write(self._between)
        self._file.write(msgspec.json.encode(resource))
        self._between = b",\n"

    def end(self) -> None:
        """Close the page; it has at least one resource."""
        self._file.write(b"]}\n")


class Ports(NamedTuple):
    """Ports of the daemon and of the upstream server for public names, all on 127.0.0.1."""

    dns: int = 5391
    admin: int = 8391
    upstream: int = 5392


def configuration(estate: GeneratedEstate, ports: Ports) -> bytes:
    """Return the configuration: a network per region, and one for this machine that sees everything. JSON is YAML."""
    networks: list[Json] = [{"name": "bench", "clients": ["127.0.0.0/8"], "reach": ["all"]}]
    for region in REGIONS:
        here = [vnet for vnet in estate.vnets if vnet.region == region]
        if here:
            networks.append({
                "name": region,
                "clients": [str(vnet.prefix) for vnet in here],
                "vnets": [vnet.id for vnet in here],
                "reach": [f"region:{region}"],
            })  # fmt: skip
    return msgspec.json.format(
        msgspec.json.encode({
            "dns": {"listen": [f"127.0.0.1:{ports.dns}"]},
            "sources": [{"name": "estate", "type": "files", "path": "./endpoints"}],
            "networks": networks,
            "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{ports.upstream}"]}},
            "admin": {"listen": f"127.0.0.1:{ports.admin}"},
            "state": {"directory": "./state"},
        })
    )  # fmt: skip


def write(directory: Path, size: int, ports: Ports, seed: int = 1) -> GeneratedEstate:
    """Fill `directory`: endpoints/, pldns.yaml, private.txt and public.txt (queries for dnsperf)."""
    estate = GeneratedEstate(size, seed)
    folder = directory / "endpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vnets.json").write_bytes(msgspec.json.encode([_vnet_resource(vnet) for vnet in estate.vnets]))
    (folder / "changing.json").write_bytes(estate.changing(IPv4Address("10.255.0.4")))
    names = _write_pages(folder, estate)
    (directory / "pldns.yaml").write_bytes(configuration(estate, ports))
    order = random.Random(seed)
    chosen = order.sample(names, min(len(names), QUERIES))
    (directory / "private.txt").write_text("".join(f"{name} A\n" for name in chosen))
    (directory / "public.txt").write_text("".join(f"www{n}.public.example A\n" for n in range(PUBLIC_NAMES)))
    return estate


def _write_pages(folder: Path, estate: GeneratedEstate) -> list[str]:
    """Write all endpoints and NICs, and return the first FQDN of each."""
    names: list[str] = []
    resources = estate.resources()
    for number, start in enumerate(range(0, estate.size, PAGE)):
        with ExitStack() as stack:
            kinds = ("private-endpoints", "network-interfaces")
            pages = [JsonPage(stack.enter_context((folder / f"{kind}-{number:04d}.json").open("wb"))) for kind in kinds]
            for _ in range(start, min(start + PAGE, estate.size)):
                endpoint, nic = next(resources)
                names.append(endpoint["properties"]["customDnsConfigs"][0]["fqdn"])
                pages[0].add(endpoint)
                pages[1].add(nic)
            for page in pages:
                page.end()
    return names


def main() -> None:
    """`python -m bench.generate --endpoints N DIRECTORY`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    write(given.directory, given.endpoints, Ports(), given.seed)


if __name__ == "__main__":
    main()
