"""The prefixes of a subnet: what is one, which fit together, and which addresses endpoints can have.

Azure reserves the first four addresses and the last of each prefix. Sources:
learn.microsoft.com/azure/virtual-network/virtual-networks-faq for the sizes, and
azure/azure-resource-manager/troubleshooting/common-deployment-errors for the codes. Does not know who uses an address.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise
from typing import Final

from resolver.registry.model.failure import bad_request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

RESERVED_FIRST: Final = 4
"""Network address, gateway, and two for Azure's DNS."""
RESERVED_LAST: Final = 1
_SMALLEST_IPV4: Final = 29
_LARGEST_IPV4: Final = 2
_IPV6: Final = 64


class Subnet:
    """The prefixes of a subnet, and which of their addresses endpoints can have.

    `id` is the subnet's resource id, for messages. Raises `ArmFailure` 400 for a text that is no prefix, for prefixes
    that overlap, and for one that is too small: IPv4 prefixes are /2 to /29, IPv6 prefixes are /64.
    """

    def __init__(self, id: str, prefixes: Sequence[str]) -> None:  # noqa: A002 - the name of the property in Azure
        self.id = id
        self.prefixes = tuple(read_prefix(text) for text in prefixes)
        if not self.prefixes:
            raise bad_request("InvalidAddressPrefixFormat", f"The subnet {id} has no address prefix.", id)
        for prefix in self.prefixes:
            _check_size(prefix, id)
        check_apart(self.prefixes, id)

    def usable(self, version: int) -> list[range]:
        """Return the addresses that endpoints can have, as numbers, in the order of the prefixes."""
        return [_usable(prefix) for prefix in self.prefixes if prefix.version == version]

    def check_static(self, text: str) -> Address:
        """Return an address that a request names, if an endpoint in this subnet can have it.

        Raises `ArmFailure` 400: `InvalidIPAddressFormat`, `PrivateIPAddressNotInSubnet`,
        `PrivateIPAddressInReservedRange`.
        """
        try:
            address = ip_address(text)
        except ValueError:
            raise bad_request(
                "InvalidIPAddressFormat", f"{text[:60]!r} is not an IP address. Write one such as 10.1.0.5.", self.id
            ) from None
        inside = [each for each in self.prefixes if each.version == address.version and address in each]
        if not inside:
            raise bad_request(
                "PrivateIPAddressNotInSubnet",
                f"{address} is not in the subnet {self.id}, which has {', '.join(map(str, self.prefixes))}. Choose an "
                "address from there.",
                self.id,
            )
        if int(address) not in (usable := _usable(inside[0])):
            first, last = (type(address)(number) for number in (usable[0], usable[-1]))
            raise bad_request(
                "PrivateIPAddressInReservedRange",
                f"Azure reserves {address}: the first four addresses and the last of {inside[0]}. Choose an address "
                f"from {first} to {last}.",
                self.id,
            )
        return address


def read_prefix(text: str) -> Network:
    """Return a prefix in CIDR notation. Raises `ArmFailure` 400 `InvalidAddressPrefixFormat`."""
    try:
        if "/" not in text:
            raise ValueError  # noqa: TRY301 - the same sentence for all texts that are no prefix
        return ip_network(text)
    except ValueError:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"{text[:60]!r} is not an address prefix. Write the first address and the length, such as 10.1.0.0/24.",
        ) from None


def check_apart(prefixes: Iterable[Network], where: str) -> None:
    """Check that no two prefixes overlap. Raises `ArmFailure` 400 `NetcfgSubnetRangesOverlap`."""
    ordered = sorted(prefixes, key=lambda each: (each.version, int(each.network_address), each.prefixlen))
    for one, two in pairwise(ordered):
        if one.version == two.version and int(one.broadcast_address) >= int(two.network_address):
            raise bad_request(
                "NetcfgSubnetRangesOverlap", f"{one} and {two} in {where} overlap. Choose prefixes that do not.", where
            )


def check_within(prefixes: Iterable[Network], space: Sequence[Network], where: str) -> None:
    """Check that each prefix of a subnet is in the address space of its virtual network.

    Raises `ArmFailure` 400 `NetcfgInvalidSubnet`.
    """
    for prefix in prefixes:
        if not any(_contains(each, prefix) for each in space):
            raise bad_request(
                "NetcfgInvalidSubnet",
                f"{prefix} of {where} is not in the address space of its virtual network: "
                f"{', '.join(map(str, space))}. Add the prefix to the address space, or choose another.",
                where,
            )


def _contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and outer.prefixlen <= inner.prefixlen and inner.network_address in outer


def _check_size(prefix: Network, where: str) -> None:
    if prefix.version == 4 and not _LARGEST_IPV4 <= prefix.prefixlen <= _SMALLEST_IPV4:
        fits = f"IPv4 prefixes of a subnet are /{_LARGEST_IPV4} to /{_SMALLEST_IPV4}"
    elif prefix.version == 6 and prefix.prefixlen != _IPV6:
        fits = f"IPv6 prefixes of a subnet are /{_IPV6}"
    else:
        return
    raise bad_request("NetcfgInvalidSubnet", f"{prefix} of {where} has the wrong length: {fits}.", where)


def _usable(prefix: Network) -> range:
    return range(int(prefix.network_address) + RESERVED_FIRST, int(prefix.broadcast_address) + 1 - RESERVED_LAST)
