"""The decisions of the configuration: zone policies, conflict policies, pins."""

import pytest

from zones.claims.policy import ConflictPolicy, Conflicts, MissPolicy, Pin, Policies, Terms, ZonePolicy
from zones.clocks import WallTime
from zones.dns.name import from_text

ID = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/privateEndpoints/PE"
PRIVATE = from_text("kv.privatelink.vaultcore.azure.net")
PUBLIC = from_text("kv.vault.azure.net")


def test_an_endpoint_zone_has_the_defaults_where_no_override_says_otherwise() -> None:
    policies = Policies(ZonePolicy(ttl=30), {"Privatelink.Vaultcore.Azure.Net": ZonePolicy(on_miss="nxdomain")})

    assert policies.of(from_text("privatelink.blob.core.windows.net")) == Terms(30, 10, MissPolicy.PUBLIC, "", "auto")
    assert policies.of(from_text("privatelink.vaultcore.azure.net")) == Terms(30, 10, MissPolicy.NXDOMAIN, "", "auto")
    assert policies.of(None) == Terms(30, 10, MissPolicy.PUBLIC, "", "auto")


def test_a_zone_file_misses_with_nxdomain_unless_it_is_overridden_by_name() -> None:
    overrides = {"corp.example": ZonePolicy(on_miss="public", negative_ttl=7)}
    policies = Policies(ZonePolicy(on_miss="servfail"), overrides)

    assert policies.of_file(from_text("other.example"), is_open=False) == Terms(
        10, None, MissPolicy.NXDOMAIN, "", "auto"
    )
    assert policies.of_file(from_text("corp.example"), is_open=False) == Terms(10, 7, MissPolicy.PUBLIC, "", "auto")


def test_a_policy_may_send_a_miss_to_a_group_of_upstreams() -> None:
    policies = Policies(ZonePolicy(on_miss="forward:onprem"), {"corp.example": ZonePolicy(on_miss="nodata")})

    terms = policies.of(None)
    assert (terms.on_miss, terms.forward_to, terms.on_miss_text) == (MissPolicy.FORWARD, "onprem", "forward:onprem")
    assert policies.of(from_text("corp.example")).on_miss_text == "nodata"
    assert policies.of_file(from_text("other.example"), is_open=False).on_miss_text == "nxdomain"


def test_the_zones_that_the_configuration_names_are_known() -> None:
    assert Policies(ZonePolicy(), {"A.example": ZonePolicy()}).named == {from_text("a.example")}


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, ConflictPolicy.STICKY),
        ({"azure.net": ConflictPolicy.MERGE}, ConflictPolicy.MERGE),
        (
            {"privatelink.vaultcore.azure.net": ConflictPolicy.REFUSE, "azure.net": ConflictPolicy.MERGE},
            ConflictPolicy.REFUSE,
        ),
        ({"vault.azure.net": ConflictPolicy.REFUSE, "azure.net": ConflictPolicy.MERGE}, ConflictPolicy.REFUSE),
        (
            {"kv.vault.azure.net": ConflictPolicy.REFUSE, "privatelink.vaultcore.azure.net": ConflictPolicy.MERGE},
            ConflictPolicy.REFUSE,
        ),
        (
            {"kv.privatelink.vaultcore.azure.net": ConflictPolicy.MERGE, "kv.vault.azure.net": ConflictPolicy.REFUSE},
            ConflictPolicy.MERGE,
        ),
        ({"x.kv.vault.azure.net": ConflictPolicy.MERGE, "lt.azure.net": ConflictPolicy.MERGE}, ConflictPolicy.STICKY),
    ],
)
def test_the_conflict_policy_closest_above_the_name_counts(
    policies: dict[str, ConflictPolicy], expected: ConflictPolicy
) -> None:
    assert Conflicts(ConflictPolicy.STICKY, policies).of(PRIVATE, PUBLIC) == expected


def test_pins_are_found_by_any_name_and_those_for_one_network_come_first() -> None:
    everywhere, here = Pin("KV.vault.azure.net", "a"), Pin("kv.privatelink.vaultcore.azure.net", "b", network="weu")

    assert Conflicts(ConflictPolicy.STICKY, {}, [everywhere, here]).pinned(WallTime(0), PUBLIC, PRIVATE) == [
        here,
        everywhere,
    ]


def test_a_pin_counts_until_its_time() -> None:
    conflicts = Conflicts(ConflictPolicy.STICKY, {}, [Pin("kv.vault.azure.net", "a", until=WallTime(100.0))])

    assert conflicts.pinned(WallTime(99.9), PUBLIC)
    assert not conflicts.pinned(WallTime(100.0), PUBLIC)


def test_a_pin_has_a_normalised_id_or_the_name_of_the_short_form() -> None:
    normalised = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/privateendpoints/pe"

    assert Pin("n", f"{ID}/").key == normalised
    assert Pin("n", "Lab-PE").key == "Lab-PE"
