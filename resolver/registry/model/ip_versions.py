"""The IP versions of an endpoint's addresses (`ipVersionType`), and where an endpoint can have IPv6 addresses.

Azure has IPv6 for private endpoints as a preview: the target must be in the region of the endpoint, while targets of
IPv4 endpoints may be anywhere. A private link service takes IPv4 only. Sources: the page "What is a private endpoint?"
and learn.microsoft.com/azure/private-link/private-link-service-overview.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resolver.registry.model.address_pool import IpVersion
from resolver.registry.model.failure import bad_request
from resolver.registry.model.fqdns import PRIVATE_LINK_SERVICE
from resolver.registry.model.subnet import Subnet
from zones.azure.endpoint import fold_region

PATH: Final = "properties.ipVersionType"
IP_VERSION_TYPES: Final[Mapping[str, tuple[IpVersion, ...]]] = MappingProxyType(
    {"IPv4": (4,), "IPv6": (6,), "DualStack": (4, 6)}
)
"""The IP versions of the addresses that each member of an endpoint gets, by `ipVersionType`. The first one is Azure's
default.
"""


def check_ip_versions(kind: str, subnet: Subnet, location: str, target_type: str, target_location: str) -> None:
    """Check that an endpoint can have addresses of an `ipVersionType`. Raises `ArmFailure` 400."""
    if 6 in IP_VERSION_TYPES[kind]:
        if target_type.casefold() == PRIVATE_LINK_SERVICE.casefold():
            raise bad_request(
                "InvalidRequestContent", f"A private link service takes IPv4 only: `{PATH}` must be IPv4.", PATH
            )
        if fold_region(location) != fold_region(target_location):
            raise bad_request(
                "InvalidRequestContent",
                f"`{PATH}` is {kind}, so the target must be in the region of the endpoint, {location}. It is in "
                f"{target_location}.",
                PATH,
            )
    for version in IP_VERSION_TYPES[kind]:
        if not subnet.usable(version):
            raise bad_request(
                "InvalidRequestContent",
                f"`{PATH}` is {kind}, but the subnet {subnet.id} has no IPv{version} prefix: it has "
                f"{', '.join(map(str, subnet.prefixes))}. Add one to the subnet, or choose another ipVersionType.",
                PATH,
            )
