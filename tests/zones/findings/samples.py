"""Short constructors of endpoints, virtual networks and networks, for the tests of findings."""

from typing import Any

from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId, VirtualNetwork
from zones.dns.name import from_text
from zones.findings.codes import TYPES
from zones.findings.finding import Finding
from zones.networks.network import Network, Networks

SUB, OTHER_SUB = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
ALONE = Networks([])
STORAGE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
PURVIEW = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Purview/accounts/p"
COSMOS = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/db"


def vnet_id(name: str, sub: str = SUB) -> ResourceId:
    return ResourceId(f"/subscriptions/{sub}/resourcegroups/rg/providers/microsoft.network/virtualnetworks/{name}")


def endpoint(key: str = "pe", **fields: Any) -> Endpoint:  # noqa: ANN401 - fields of many types
    return Endpoint(**{"key": key, "id": f"/ID/{key}", "name": key, "state": ConnectionState.APPROVED, **fields})


def record(fqdn: str = "acct.blob.core.windows.net", *octets: int) -> NicRecord:
    return NicRecord(from_text(fqdn), tuple(bytes((10, 0, 0, each)) for each in octets or (4,)))


def vnet(name: str, *prefixes: str, region: str = "", peers: tuple[str, ...] = ()) -> VirtualNetwork:
    return VirtualNetwork(vnet_id(name), vnet_id(name).upper(), region, prefixes, tuple(map(vnet_id, peers)))


def two_networks() -> Networks:
    return Networks([Network("a", (), (vnet_id("a"),)), Network("b", (), (vnet_id("b"),), (vnet_id("hub"),))])


def only(facts: Any) -> Finding:  # noqa: ANN401 - any iterable
    (fact,) = facts
    assert isinstance(fact, Finding)
    assert type(fact.evidence) in TYPES
    return fact
