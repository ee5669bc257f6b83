"""Assembling an estate: saved data, scans of files and zone files together."""

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.control.estate.assemble import assemble
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.sources.reading import Scan, ZoneFiles
from tests.resolver.control.estate_feed import resources
from tests.resolver.control.scripted import endpoint, part
from zones.clocks import WallTime
from zones.dns import zonefile
from zones.dns.name import from_text

FQDN = "acct.blob.core.windows.net"
PRIVATE = from_text("acct.privatelink.blob.core.windows.net")
CLOUD = settings.SourceSettings("cloud", "azure", azure=AzureSettings(("s1",)))
FILES = settings.SourceSettings("files", "files", "/files")
CONFIG = settings.ControlSettings(sources=(CLOUD, FILES))
ZONE = zonefile.parse("$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\n", "corp.zone")


def test_saved_data_and_scans_are_one_change() -> None:
    saved = SavedInventory(
        WallTime(9.0), {"cloud": WallTime(8.0)}, [("cloud", "s1", part(endpoint("z", "10.0.0.5", FQDN)))]
    )
    scans = {"files": Scan([("a.yaml", resources(("a", FQDN, "10.0.0.4", "")))], 1)}
    estate = assemble(CONFIG, ZoneFiles({}), saved, scans, WallTime(10.0))
    assert {claim.first_seen for claim in estate.ledger.find(PRIVATE)} == {10.0}
    (verdict,) = estate.ledger.verdicts(PRIVATE, WallTime(10.0))
    assert verdict.rulings[0].winners == (min(claim.endpoint for claim in estate.ledger.find(PRIVATE)),)
    assert {name: (each.saved, each.last_success) for name, each in estate.sources.items()} == {
        "cloud": (True, 8.0),
        "files": (False, 10.0),
    }


def test_saved_data_of_a_removed_source_or_subscription_is_left_out() -> None:
    parts = [
        ("cloud", "s1", part(endpoint("kept", "10.0.0.4"))),
        ("cloud", "s2", part(endpoint("unlisted", "10.0.0.5", sub="s2"))),
        ("former", "s1", part(endpoint("removed", "10.0.0.6"))),
    ]
    estate = assemble(
        CONFIG,
        ZoneFiles({}),
        SavedInventory(WallTime(9.0), {"cloud": WallTime(8.0), "former": WallTime(8.0)}, parts),
        {},
        WallTime(10.0),
    )
    assert [each.name for each in estate.ledger.endpoints.values()] == ["kept"]


def test_a_scan_with_an_error_is_a_failed_source_and_zone_files_are_served() -> None:
    estate = assemble(
        CONFIG, ZoneFiles({ZONE.origin: ZONE}), None, {"files": Scan([], 0, "no such folder")}, WallTime(10.0)
    )
    assert (estate.sources["files"].synced, estate.sources["files"].last_error) == (False, "no such folder")
    assert (estate.static[ZONE.origin].is_open, estate.static[ZONE.origin].is_provided) == (False, False)
