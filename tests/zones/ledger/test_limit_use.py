"""Azure's limits in an estate: counted as endpoints come and go, reported from 80 % on, closed below."""

from typing import Any

import pytest

from tests.zones.books import ledger, shown
from tests.zones.findings.samples import SUB, endpoint, only, vnet_id
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId, VirtualNetwork
from zones.azure.limits import Limit
from zones.clocks import WallTime
from zones.findings.finding import Finding
from zones.ledger.ledger import Ledger

NOW = WallTime(1_000.0)
VAULT = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
SERVICE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/svc"
ALIAS = "svc.837de879-b929-40fe-a7e5-673072f4b71e.westeurope.azure.privatelinkservice"
SITE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/app"


def endpoints(count: int, first: int = 0, **fields: Any) -> dict[ResourceId, Endpoint | None]:  # noqa: ANN401 - many types
    """Endpoints that are not served, so that nothing else is reported of them but their state."""
    fields = {"state": ConnectionState.UNKNOWN, **fields}
    keys = [ResourceId(f"pe{n}") for n in range(first, first + count)]
    return {key: endpoint(key, **fields) for key in keys}


def near(one: Ledger) -> list[Finding]:
    return [fact for fact in one.board if fact.code == "limit-near"]


def network(name: str, *peers: str, high_scale: bool) -> dict[ResourceId, VirtualNetwork | None]:
    key = vnet_id(name)
    return {key: VirtualNetwork(key, key, peers=tuple(map(vnet_id, peers)), high_scale=high_scale)}


@pytest.mark.parametrize(
    ("fields", "subject", "limit"),
    [
        ({"target": VAULT, "groups": ("vault",)}, VAULT.casefold(), Limit.ENDPOINTS_PER_KEY_VAULT),
        ({"target": SERVICE}, SERVICE.casefold(), Limit.ENDPOINTS_PER_SERVICE),
        ({"target": ALIAS}, ALIAS, Limit.ENDPOINTS_PER_SERVICE),
        ({"target": SITE, "groups": ("sites",)}, SITE.casefold(), Limit.ENDPOINTS_PER_APP_SLOT),
        (
            {"target": SITE, "groups": ("sites-Stage",)}, f"{SITE.casefold()}/slots/stage",
            Limit.ENDPOINTS_PER_APP_SLOT,
        ),
        ({"vnet": vnet_id("hub")}, vnet_id("hub"), Limit.ENDPOINTS_PER_VNET),
    ],
)  # fmt: skip
def test_a_limit_is_reported_from_80_percent_and_closed_below(
    fields: dict[str, Any], subject: str, limit: Limit
) -> None:
    one = ledger()
    threshold = -(-limit.maximum * 80 // 100)
    one.apply(endpoints(threshold - 1, **fields), NOW)
    assert not near(one)
    one.apply(endpoints(1, first=threshold - 1, **fields), NOW)
    fact = only(near(one))
    assert fact.subject == subject
    use = {"limited": limit.what, "within": limit.where, "used": threshold, "maximum": limit.maximum}
    assert shown(fact.evidence) == {"limits": [use]}
    assert "refuses new ones" in fact.action
    one.apply({ResourceId("pe0"): None}, NOW)
    assert not near(one)


def test_an_endpoint_that_changes_its_target_counts_there_only() -> None:
    one = ledger()
    one.apply(endpoints(52, target=VAULT), NOW)
    assert near(one)
    one.apply(endpoints(52, target=VAULT), NOW)
    assert shown(only(near(one)).evidence)["limits"][0]["used"] == 52
    one.apply(endpoints(1, target=VAULT + "2"), NOW)
    assert not near(one)


def test_more_than_a_limit_is_reported_as_such() -> None:
    one = ledger()
    one.apply(endpoints(65, target=VAULT), NOW)
    assert "beyond this limit" in only(near(one)).action


def test_a_subscription_has_64_000_endpoints_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limit.ENDPOINTS_PER_SUBSCRIPTION, "maximum", 10)
    one = ledger()
    one.apply(endpoints(8, subscription=SUB), NOW)
    assert only(near(one)).subject == f"/subscriptions/{SUB}"


def test_a_network_with_high_scale_endpoints_has_the_higher_limit() -> None:
    one = ledger()
    one.apply(endpoints(800, vnet=vnet_id("hub")), NOW)
    assert near(one)
    one.set_vnets(network("hub", high_scale=True), NOW)
    assert not near(one)
    one.set_vnets(network("hub", high_scale=False), NOW)
    assert near(one)


def test_the_endpoints_of_peered_networks_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limit.ENDPOINTS_ACROSS_PEERED_VNETS, "maximum", 20)
    one = ledger()
    one.set_vnets(network("hub", "spoke", "far", high_scale=False) | network("spoke", "hub", high_scale=False), NOW)
    one.apply(endpoints(8, vnet=vnet_id("hub")) | endpoints(7, first=8, vnet=vnet_id("spoke")), NOW)
    assert not near(one)
    one.apply(endpoints(1, first=20, vnet=vnet_id("spoke")), NOW)
    assert {fact.subject for fact in near(one)} == {vnet_id("hub"), vnet_id("spoke")}
    one.set_vnets(network("spoke", high_scale=False), NOW)
    assert only(near(one)).subject == vnet_id("hub")
    one.apply({ResourceId("pe0"): None}, NOW)
    assert not near(one)
