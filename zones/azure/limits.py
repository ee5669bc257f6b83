"""Azure's limits for private endpoints and private link services, and how much of one is used.

Source: learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits ("Private Link
limits") and learn.microsoft.com/azure/private-link/increase-private-endpoint-vnet-limits. Does not know who counts.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final

NEAR: Final = 80
"""Percent of a limit from which it is reported."""


class Limit(Enum):
    """A limit: how many of `what` one `where` can have."""

    maximum: int
    what: str
    where: str

    ENDPOINTS_PER_VNET = (1_000, "private endpoints", "virtual network")
    ENDPOINTS_PER_HIGH_SCALE_VNET = (5_000, "private endpoints", "virtual network with high-scale private endpoints")
    ENDPOINTS_ACROSS_PEERED_VNETS = (4_000, "private endpoints", "virtual network and its peers")
    ENDPOINTS_ACROSS_HIGH_SCALE_PEERED_VNETS = (
        20_000, "private endpoints", "virtual network with high-scale private endpoints and its peers",
    )  # fmt: skip
    ENDPOINTS_PER_SUBSCRIPTION = (64_000, "private endpoints", "subscription")
    ENDPOINTS_PER_SERVICE = (1_000, "private endpoints", "private link service")
    ENDPOINTS_PER_KEY_VAULT = (64, "private endpoints", "key vault")
    ENDPOINTS_PER_APP_SLOT = (100, "private endpoints", "App Service app or slot")
    SERVICES_PER_SUBSCRIPTION = (800, "private link services", "subscription")
    SERVICES_PER_LOAD_BALANCER = (8, "private link services", "load balancer")
    ADDRESSES_PER_SERVICE = (8, "NAT addresses", "private link service")
    SUBSCRIPTIONS_PER_SERVICE_LIST = (100, "subscriptions", "visibility or auto-approval list")
    ZONE_GROUPS_PER_ENDPOINT = (1, "private DNS zone groups", "private endpoint")
    ZONES_PER_ZONE_GROUP = (5, "private DNS zones", "private DNS zone group")

    def __init__(self, maximum: int, what: str, where: str) -> None:
        self.maximum = maximum
        self.what = what
        self.where = where

    def is_near(self, used: int) -> bool:
        """Return whether 80 % or more of the limit are used. A limit below 5 is never near: each step is large."""
        return self.maximum >= _SMALLEST and used * 100 >= self.maximum * NEAR

    def is_over(self, used: int) -> bool:
        """Return whether more is used than Azure allows."""
        return used > self.maximum


_SMALLEST: Final = 5
LIMITS_OF_TARGETS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "microsoft.network/privatelinkservices": Limit.ENDPOINTS_PER_SERVICE,
        "microsoft.keyvault/vaults": Limit.ENDPOINTS_PER_KEY_VAULT,
        "microsoft.web/sites": Limit.ENDPOINTS_PER_APP_SLOT,
    }
)
"""The limits of endpoints by the folded type of their target."""


def slot_of(groups: Sequence[str]) -> str:
    """Return the deployment slot that the group ids of an endpoint name, folded; empty for the app itself."""
    group = groups[0].casefold() if groups else ""
    return group.removeprefix("sites-") if group.startswith("sites-") else ""
