"""Where an endpoint may be, and how it may ask for its target: region, subscription, alias, static addresses.

A private endpoint is in the region and the subscription of its virtual network; its target may be anywhere. Source:
learn.microsoft.com/azure/private-link/private-endpoint-overview.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from resolver.registry.model.alias import is_alias
from resolver.registry.model.failure import bad_request
from resolver.registry.model.fqdns import Member
from resolver.registry.model.resource_id import ArmId
from zones.azure.endpoint import fold_region


class IpConfiguration(NamedTuple):
    """An item of `ipConfigurations`: the static address that a member asks for."""

    name: str
    group: str
    member: str
    address: str


def check_placement(endpoint: ArmId, location: str, vnet: ArmId, vnet_location: str) -> None:
    """Check that an endpoint is in the subscription and the region of its virtual network.

    Raises `ArmFailure` 400 `InvalidResourceReference`, the code with which Azure refuses both.
    """
    if endpoint.subscription.casefold() != vnet.subscription.casefold():
        raise bad_request(
            "InvalidResourceReference",
            f"The private endpoint {endpoint} is in the subscription {endpoint.subscription}, but its virtual network "
            f"{vnet} is in {vnet.subscription}. Create the endpoint in the subscription of the virtual network. Its "
            "target may be in another subscription.",
            "properties.subnet.id",
        )
    if fold_region(location) != fold_region(vnet_location):
        raise bad_request(
            "InvalidResourceReference",
            f"The private endpoint {endpoint} is in {location}, but its virtual network {vnet} is in {vnet_location}. "
            "Create the endpoint in the region of the virtual network. Its target may be in another region.",
            "location",
        )


def check_static_allowed(target_type: str, path: str = "properties.ipConfigurations") -> None:
    """Check that endpoints of a target of this type can have static addresses.

    Raises `ArmFailure` 400 `PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames`, the code with which
    Azure refuses a static address for an application gateway.
    """
    if target_type.casefold() in _NO_STATIC:
        raise bad_request(
            "PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames",
            f"Endpoints of a {target_type} cannot have static addresses. Leave out ipConfigurations.",
            path,
        )


_NO_STATIC: Final = frozenset(
    (
        "microsoft.containerservice/managedclusters",
        "microsoft.network/applicationgateways",
        "microsoft.hdinsight/clusters",
        "microsoft.network/privatelinkservices",
        "microsoft.recoveryservices/vaults",
    )
)
"""Folded types. Source: private-endpoint-overview, "Limitations": static IP address."""


def check_alias_is_manual(target: str, *, manual: bool, path: str) -> None:
    """Check that a connection by alias is in `manualPrivateLinkServiceConnections`.

    Raises `ArmFailure` 400 `InvalidRequestContent`.
    """
    if is_alias(target) and not manual:
        raise bad_request(
            "InvalidRequestContent",
            f"{target!r} is an alias. A connection by alias must be in manualPrivateLinkServiceConnections (with az: "
            "--manual-request true). The service may still approve it automatically.",
            path,
        )


def static_addresses(
    members: Iterable[Member],
    configurations: Iterable[IpConfiguration],
    versions: Sequence[int] = (4,),
    path: str = "properties.ipConfigurations",
) -> Mapping[tuple[str, int], str]:
    """Return the static address of each member and IP version, by the member's name; none for dynamic addresses.

    `versions` are those that each member gets. Raises `ArmFailure` 400 where a configuration names no member of the
    target, has an address of another version, is the second for one address, or where some members have a static
    address of a version and others have none.
    """
    needed = {member.name.casefold(): member for member in members}
    found: dict[tuple[str, int], str] = {}
    for each in configurations:
        member = needed.get(each.member.casefold())
        if member is None or member.group.casefold() != each.group.casefold():
            raise bad_request(
                "PrivateEndpointIpConfigurationInvalidMember",
                f"The IP configuration {each.name!r} is for the member {each.member!r} of the group {each.group!r}, "
                f"which the target does not have. It has {_listed(needed.values())}.",
                path,
            )
        version = 6 if ":" in each.address else 4
        if version not in versions:
            raise bad_request(
                "InvalidRequestContent",
                f"{each.address[:60]!r} of the IP configuration {each.name!r} is no address of the version that "
                "`ipVersionType` of the endpoint says.",
                path,
            )
        if (member.name, version) in found:
            raise bad_request(
                "PrivateEndpointIpConfigurationInvalidMember",
                f"The IP configuration {each.name!r} is the second for the member {each.member!r}. A member has one "
                f"IPv{version} address.",
                path,
            )
        found[member.name, version] = each.address
    for version in {version for _, version in found}:
        if missing := [member for member in needed.values() if (member.name, version) not in found]:
            raise bad_request(
                "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps",
                f"The target also needs an address for {_listed(missing)}. Add an IP configuration for each, or leave "
                "out all, so that every address is dynamic.",
                path,
            )
    return found


def _listed(members: Iterable[Member]) -> str:
    return ", ".join(f"member {member.name!r} of group {member.group!r}" for member in members)
