"""The nearest known name: one slip away in an estate of any size, and further away in a small one."""

import pytest

from resolver import settings
from resolver.control.estate import nearest_name as module
from resolver.control.estate.estate import Estate
from resolver.control.estate.nearest_name import nearest_name
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.clocks import WallTime
from zones.dns.name import from_text

KEY = ResourceId("/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/privateendpoints/pe")
RECORD = NicRecord(from_text("kv-shared.vault.azure.net"), (b"\x0a\0\0\4",), "vault", "vault")


@pytest.mark.parametrize("few", [0, 400])
@pytest.mark.parametrize("label", ["kv-sharde", "kv-shred", "kv-sharred", "kv-sharex", "kv-shared1"])
def test_one_slip_is_found_in_an_estate_of_any_size(label: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FEW", few)
    estate = Estate(settings.ControlSettings())
    made = Endpoint(KEY, KEY, "pe", ConnectionState.APPROVED, groups=("vault",), records=(RECORD,))
    estate.ledger.apply({KEY: made}, WallTime(0.0))
    for zone in ("vault.azure.net", "privatelink.vaultcore.azure.net"):
        assert nearest_name(estate, from_text(f"{label}.{zone}"), []) == from_text(f"kv-shared.{zone}")
    two_slips = nearest_name(estate, from_text("kv-hsarde.vault.azure.net"), [])
    assert two_slips == (from_text("kv-shared.vault.azure.net") if few else None)
    assert nearest_name(estate, from_text("x.vault.azure.net"), []) is None
    assert nearest_name(estate, from_text("."), []) is None
