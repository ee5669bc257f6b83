"""Evidence as JSON: dates, totals of cut lists, fields that are left out; and its schema."""

from resolver.admin.resources.evidence import encoded, schemas
from zones.clocks import WallTime
from zones.findings.codes import TYPES
from zones.findings.endpoint_evidence import Difference, Differences, EndpointMisplaced
from zones.findings.evidence import LISTED, Listed, listed
from zones.findings.name_evidence import IgnoredPin, PinIgnored
from zones.findings.source_evidence import SyncHeld, ZonesOverlap


def test_a_time_is_a_date_and_a_cut_list_has_its_total() -> None:
    removed = listed([f"/ID/{i}" for i in range(LISTED + 3)])
    held = SyncHeld(
        reasons=listed(["all 35 private endpoints of the source"]), endpoints=35, vnets=0, would_remove=removed,
        held_since=WallTime(1_700_000_000.0),
    )  # fmt: skip
    assert encoded(held) == {
        "reasons": ["all 35 private endpoints of the source"],
        "endpoints": 35,
        "vnets": 0,
        "would_remove": [f"/ID/{i}" for i in range(LISTED)],
        "would_remove_total": LISTED + 3,
        "held_since": "2023-11-14T22:13:20.000Z",
    }


def test_a_field_with_its_default_is_left_out() -> None:
    assert encoded(ZonesOverlap(zones=Listed())) == {"zones": []}
    region = Differences(region=Difference("neu", "weu"))
    assert encoded(EndpointMisplaced(vnet="/v", differs=region)) == {
        "vnet": "/v",
        "differs": {"region": {"endpoint": "neu", "vnet": "weu"}},
    }


def test_a_field_without_a_default_is_always_there() -> None:
    pins = listed([IgnoredPin("pe", None, "no endpoint claims the name", "")])
    assert encoded(PinIgnored(pins=pins)) == {
        "pins": [{"endpoint": "pe", "network": None, "why": "no endpoint claims the name", "reason": ""}]
    }


def test_the_schema_has_every_type() -> None:
    names = [f"{kind.__name__}Evidence" for kind in TYPES]
    *each, every = schemas()
    assert (each, every) == (names, "Evidence")
    assert [option["$ref"].rpartition("/")[2] for option in schemas()["Evidence"]["anyOf"]] == names
