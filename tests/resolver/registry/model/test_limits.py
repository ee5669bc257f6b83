"""Azure's limits: reported from 80 %, refused beyond 100 %."""

import pytest

from resolver.registry.model.limits import check_limit
from tests.resolver.registry.model.refused import refused
from zones.azure.limits import Limit

VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub"
TOLD = [limit for limit in Limit if limit.maximum >= 5]


def test_the_figures_of_the_documentation() -> None:
    assert Limit.ENDPOINTS_PER_VNET.maximum == 1_000
    assert Limit.ENDPOINTS_PER_HIGH_SCALE_VNET.maximum == 5_000
    assert Limit.ENDPOINTS_PER_SUBSCRIPTION.maximum == 64_000
    assert Limit.SERVICES_PER_LOAD_BALANCER.maximum == 8
    assert Limit.SERVICES_PER_SUBSCRIPTION.maximum == 800
    assert Limit.ENDPOINTS_PER_SERVICE.maximum == 1_000


@pytest.mark.parametrize("limit", TOLD, ids=lambda limit: limit.name)
def test_a_request_is_reported_from_80_percent(limit: Limit) -> None:
    near = -(-limit.maximum * 80 // 100)
    assert check_limit(limit, near - 2, VNET) is None
    warning = check_limit(limit, near - 1, VNET)
    assert warning
    assert VNET in warning
    assert f"{near:,} of the {limit.maximum:,} {limit.what}" in warning


def test_a_network_that_fills_up_is_reported_a_few_times() -> None:
    warned = [used + 1 for used in range(1_000) if check_limit(Limit.ENDPOINTS_PER_VNET, used, VNET)]
    assert warned == [800, 850, 900, 950, 1_000]


@pytest.mark.parametrize("limit", Limit, ids=lambda limit: limit.name)
def test_a_request_beyond_the_limit_is_refused(limit: Limit) -> None:
    check_limit(limit, limit.maximum - 1, VNET)
    with refused("OperationNotAllowed", VNET, f"{limit.maximum:,} {limit.what}", "no more can be added"):
        check_limit(limit, limit.maximum, VNET)


def test_several_at_once_must_all_fit() -> None:
    assert check_limit(Limit.ZONES_PER_ZONE_GROUP, 0, VNET, added=5)
    with refused("OperationNotAllowed", "6 more do not fit"):
        check_limit(Limit.ZONES_PER_ZONE_GROUP, 0, VNET, added=6)
