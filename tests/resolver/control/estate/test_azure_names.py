"""The private names that Azure itself has, from private DNS zones, and together with zone groups in files."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import joined, pieces_of
from resolver.control.guard.sync_state import SyncDecision, SyncState
from resolver.sources.reading import PrivateReading, ZoneFiles
from tests.zones.findings.test_drift import made, zone
from tests.zones.tables import ask
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources, ZoneConfig, ZoneGroup, ZoneRecord
from zones.claims.policy import ZonePolicy
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text

NOW = WallTime(1.0)
SUB = "11111111-0000-0000-0000-000000000000"
BASE = f"/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.network"
FQDN, DERIVED = "acct.blob.core.windows.net", "acct.privatelink.blob.core.windows.net"
OWN = "contoso.internal"
AZURES = f"acct.{OWN}"


def of_endpoint(fqdn: str = FQDN, last: int = 4, name: str = "pe") -> Resources:
    key = ResourceId(f"{BASE}/privateendpoints/{name}")
    nic = ResourceId(f"{BASE}/networkinterfaces/{name}")
    return Resources(
        (PrivateEndpoint(key, key, name, subscription=SUB, state_text="Approved", nics=(nic,), groups=("blob",)),),
        (Nic(nic, nic, key, (NicRow((fqdn,), (f"10.0.0.{last}",)),)),),
    )


def of_group(record: str, name: str = "pe") -> Resources:
    key = ResourceId(f"{BASE}/privateendpoints/{name}")
    config = ZoneConfig(f"{BASE}/privatednszones/{OWN}", (ZoneRecord(record, ("10.0.0.4",)),))
    return Resources(zone_groups=(ZoneGroup(key, f"{key}/privateDnsZoneGroups/default", (config,)),))


def configuration(mode: Literal["off", "check", "serve"] = "check") -> settings.ControlSettings:
    azure = AzureSettings(private_dns=mode)
    return settings.ControlSettings(
        zones=settings.Zones(defaults=ZonePolicy(chain="cname")),  # the alias shows the private name
        sources=(settings.SourceSettings("hub", "azure", azure=azure), settings.SourceSettings("f", "files", "/f")),
    )


def take(made: Estate, *zones: PrivateZone) -> None:
    gone = frozenset(made.private.of("hub")) - {each.key for each in zones}
    made.take_private_dns("hub", PrivateReading({each.key: each for each in zones}, gone), NOW)


def sync(made: Estate, data: Resources) -> None:
    made.take_sync("hub", SyncDecision({SUB: data}, {}, {}, SyncState()), NOW, NOW)


def names(made: Estate) -> list[str]:
    return sorted(map(to_text, made.ledger.rows))


def disagreements(made: Estate) -> list[str]:
    if compare := made.private.comparison(WallTime(1000.0)):
        made.take_comparison(compare(), WallTime(1000.0))
    return sorted(each.subject for each in made.board if each.code == "source-disagreement")


@pytest.mark.parametrize("mode", ["check", "serve"])
@pytest.mark.parametrize("order", ["zn", "nz"])
def test_a_record_that_the_endpoint_created_is_its_private_name(order: str, mode: Literal["check", "serve"]) -> None:
    estate = Estate(configuration(mode))
    for step in order:
        if step == "z":
            take(estate, zone(made("acct", 4, by="PE", origin=OWN), origin=OWN, vnets=("a",)), zone(key="blob"))
        else:
            sync(estate, of_endpoint())
    table = estate.table()
    assert AZURES in names(estate)
    assert ask(table, FQDN) == f"CNAME {AZURES}"
    assert ask(table, AZURES) == "A 10.0.0.4"
    assert disagreements(estate) == [FQDN]
    take(estate, zone(made("acct", 4, by="pe"), key="blob"))
    assert ask(estate.table(), FQDN) == f"CNAME {DERIVED}"
    assert disagreements(estate) == []


@pytest.mark.parametrize(
    "record",
    [
        made("acct", 4, origin=OWN),
        made("acct", 4, by="other", origin=OWN),
        made("acct", 9, by="pe", origin=OWN),
        made("stranger", 4, by="pe", origin=OWN),
        made("*", 4, by="pe", origin=OWN),
        made("acct", 4, by="pe", origin=OWN, rtype=5),
    ],
)
def test_a_record_by_hand_of_another_endpoint_or_with_another_address_changes_nothing(record: Any) -> None:  # noqa: ANN401
    estate = Estate(configuration())
    sync(estate, of_endpoint())
    take(estate, zone(record, origin=OWN))
    assert names(estate) == [DERIVED]


def test_a_private_name_that_only_adds_labels_to_the_fqdn_needs_no_common_label() -> None:
    estate = Estate(configuration())
    sync(estate, of_endpoint("adf.new.example"))
    take(
        estate,
        zone(made("portal", 4, by="pe", origin="privatelink.adf.new.example"), origin="privatelink.adf.new.example"),
    )
    assert ask(estate.table(), "adf.new.example") == "CNAME portal.privatelink.adf.new.example"


def test_a_zone_group_comes_before_a_record_in_a_private_dns_zone() -> None:
    estate = Estate(configuration())
    sync(estate, of_endpoint())
    take(estate, zone(made("acct", 4, by="pe", origin="other.internal"), origin="other.internal"))
    assert ask(estate.table(), FQDN) == "CNAME acct.other.internal"
    estate.take([("f", "groups.json", of_group(AZURES))], NOW)
    assert ask(estate.table(), FQDN) == f"CNAME {AZURES}"


def test_the_name_survives_a_restart_without_a_moment_of_the_derived_one() -> None:
    estate = Estate(configuration())
    take(estate, zone(made("acct", 4, by="pe", origin=OWN), origin=OWN))
    sync(estate, of_endpoint())
    saved = joined(pieces_of(estate, NOW))
    again = assemble(configuration(), ZoneFiles({}), saved, {}, NOW)
    assert dict(again.ledger.rows) == dict(estate.ledger.rows)
    assert not list(again.ledger.tombstones)
    off = assemble(configuration("off"), ZoneFiles({}), saved, {}, NOW)
    assert names(off) == [DERIVED]


def test_saved_zone_groups_survive_a_restart() -> None:
    estate = Estate(configuration())
    estate.take([("f", "a.json", of_endpoint()), ("f", "groups.json", of_group(AZURES))], NOW)
    again = assemble(configuration(), ZoneFiles({}), joined(pieces_of(estate, NOW)), {}, NOW)
    assert dict(again.ledger.rows) == dict(estate.ledger.rows)


_STEPS = st.sampled_from(
    [
        ("endpoint", None), ("endpoint", 4), ("endpoint", 5), ("group", None), ("group", AZURES),
        ("group", "x.elsewhere"), ("zones", ()), ("zones", ("acct",)), ("zones", ("acct", "stranger")),
    ]
)  # fmt: skip


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.lists(_STEPS, max_size=8))
def test_any_order_of_changes_ends_with_the_same_rows(steps: list[tuple[str, Any]]) -> None:
    def apply(estate: Estate, kind: str, value: Any) -> None:  # noqa: ANN401
        if kind == "zones":
            take(estate, zone(*(made(each, 4, by="pe", origin="a.internal") for each in value), origin="a.internal"))
        elif kind == "group":
            estate.take([("f", "groups.json", of_group(value) if value else None)], NOW)
        else:
            estate.take([("f", "a.json", of_endpoint(last=value) if value else None)], NOW)

    estate, fresh = Estate(configuration()), Estate(configuration())
    for step in steps:
        apply(estate, *step)
    for kind in ("group", "zones", "endpoint"):
        for step in [step for step in steps if step[0] == kind][-1:]:
            apply(fresh, *step)
    assert dict(estate.ledger.rows) == dict(fresh.ledger.rows)
    assert {(each.id, str(each.evidence)) for each in estate.board if each.code != "address-changed"} == {
        (each.id, str(each.evidence)) for each in fresh.board if each.code != "address-changed"
    }
    assert from_text(FQDN) not in estate.ledger.rows
