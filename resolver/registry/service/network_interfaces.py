"""Network interfaces: each belongs to a private endpoint, has its addresses, and is made and deleted with it."""

from collections.abc import Iterable
from typing import NamedTuple

from resolver.registry.model.address_pool import IpVersion
from resolver.registry.model.connection import Connection
from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.fqdns import Member
from resolver.registry.model.placement import IpConfiguration, static_addresses
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.resource_name import check_name
from resolver.registry.model.subnet import Address
from resolver.registry.service.addresses import SubnetAddresses
from resolver.registry.service.body import Body
from resolver.registry.service.call import NIC, Call
from resolver.registry.store.row import Json, Row


class Placed(NamedTuple):
    """A member of an endpoint with one of its addresses."""

    member: Member
    address: Address
    static: bool


def placed(
    call: Call,
    found: ArmId,
    subnet: Row,
    members: tuple[Member, ...],
    versions: tuple[IpVersion, ...],
    asked: Iterable[IpConfiguration],
) -> list[Placed]:
    """Take an address of each version for each member: the one that is asked for, or the lowest that is free.

    Raises `ArmFailure` 400.
    """
    addresses = SubnetAddresses(call, subnet)
    wanted = static_addresses(members, asked, versions)
    taken = []
    for known in members:
        for version in versions:
            static = wanted.get((known.name, version), "")
            taken.append(Placed(known, addresses.take(found, static, version), bool(static)))
    return taken


def made(
    call: Call,
    found: ArmId,
    subnet: Row,
    addresses: list[Placed],
    location: str,
    connection: Connection,
    given: Body,
) -> Row:
    """Write the network interface of a new endpoint. `given`: the properties of the endpoint.

    It has the FQDNs of an approved connection; the others follow with the approval. Raises `ArmFailure` 409.
    """
    path = given.where("customNetworkInterfaceName")
    wanted = given.text("customNetworkInterfaceName")
    name = check_name(wanted, path) if wanted else f"{found.name}.nic.{call.new_guid()}"
    nic = ArmId(found.subscription, found.group).resource(NIC, name)
    if call.tx.get(nic.key) is not None:
        raise ArmFailure(
            409, "NetworkInterfaceNameInUse", f"There is a network interface {nic} already. Choose another name.",
            path,
        )  # fmt: skip
    configurations = []
    for i, each in enumerate(addresses):
        label = f"privateEndpointIpConfig.{call.new_guid()}"
        configurations.append(
            {
                "name": label,
                "id": f"{nic}/ipConfigurations/{label}",
                "type": f"{NIC}/ipConfigurations",
                "properties": {
                    "provisioningState": "Succeeded",
                    "privateIPAddress": str(each.address),
                    "privateIPAllocationMethod": "Static" if each.static else "Dynamic",
                    "privateIPAddressVersion": f"IPv{each.address.version}",
                    "subnet": {"id": subnet.id},
                    "primary": i == 0,
                    "privateLinkConnectionProperties": {
                        "groupId": each.member.group,
                        "requiredMemberName": each.member.name,
                        "fqdns": list(each.member.fqdns) if connection.carries_traffic else [],
                    },
                },
            }
        )
    body: Json = {
        "name": name,
        "id": str(nic),
        "type": NIC,
        "location": location,
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": call.new_guid(),
            "ipConfigurations": configurations,
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "macAddress": "",
            "enableIPForwarding": False,
            "nicType": "Standard",
            "privateEndpoint": {"id": str(found)},
        },
    }
    return call.tx.put(nic, body, parent=found.key)


def delete(_call: Call, row: Row) -> None:
    """Refuse to delete the interface of an endpoint. Raises `ArmFailure` 400."""
    owner = row.json["properties"]["privateEndpoint"]["id"]
    raise bad_request(
        "NicInUseWithPrivateEndpoint",
        f"The network interface {row.id} belongs to the private endpoint {owner}. Delete the endpoint.",
        row.id,
    )
