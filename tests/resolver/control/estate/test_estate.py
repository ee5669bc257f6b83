"""The estate: changes of its sources, their health, and static zones."""

from pathlib import Path

import msgspec
import pytest

from resolver import settings
from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import joined, pieces_of
from resolver.control.guard.sync_state import NothingHeld, SyncState, WithheldSync
from resolver.offline.load import offline
from resolver.sources.reading import Part, Reading, Scan, ZoneFiles
from tests.zones.books import remembered, shown
from zones.azure import arm
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns import zonefile
from zones.dns.name import Name, from_text
from zones.dns.record import A
from zones.findings.finding import Finding
from zones.networks.prefixes import NetworkIndex

FQDN = "acct.blob.core.windows.net"
PRIVATE = from_text("acct.privatelink.blob.core.windows.net")
CORP = from_text("corp.example")
ZONE = "$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n"


def config(*sources: str, on_unsynced: str = "servfail", origins: tuple[str, ...] = ()) -> settings.ControlSettings:
    found = tuple(msgspec.convert(
        {"name": name, "type": "files", "path": f"/{name}", "on_unsynced": on_unsynced}, settings.SourceSettings
    ) for name in sources)  # fmt: skip
    return settings.ControlSettings(sources=found, zones=settings.Zones(origins=origins))


def resources(name: str, address: str = "10.0.0.4", fqdn: str = FQDN) -> Resources:
    body = {"name": name, "target": name, "group": "blob", "records": [{"fqdn": fqdn, "ips": [address]}]}
    return arm.read(msgspec.json.encode({"endpoints": [body]}), "test", form="json")


def taken(estate: Estate, now: float, **parts: Part) -> set[Name]:
    """Apply parts of the source `hub`, and record that the source was read whole."""
    changed = estate.take([("hub", part, given) for part, given in parts.items()], WallTime(now))
    held = {part for _, part, _ in estate.inventory.parts()}
    estate.health.read("hub", len(held | estate.health._unreadable["hub"].keys()), WallTime(now))
    return changed


def findings(estate: Estate) -> list[Finding]:
    return sorted(estate.board, key=lambda fact: fact.subject)


def unreadable(estate: Estate) -> dict[str, str]:
    """Return the messages of `source-unreadable` by subject."""
    return {
        fact.subject: shown(fact.evidence)["message"] for fact in findings(estate) if fact.code == "source-unreadable"
    }


def winner(estate: Estate) -> str:
    (verdict,) = estate.ledger.verdicts(PRIVATE, WallTime(99.0))
    return verdict.rulings[0].winners[0]


# -- files that are not the whole list


def scan(part: Resources, *, lacks: str = "") -> dict[str, Scan]:
    return {"hub": Scan([("a", part)], 1, incomplete={"a": (lacks,)} if lacks else {})}


def incomplete(estate: Estate) -> list[str]:
    return [fact.subject for fact in findings(estate) if fact.code == "source-incomplete"]


def test_an_incomplete_file_removes_nothing_until_it_is_complete() -> None:
    estate = Estate(config("hub"))
    estate.take_scans(scan(resources("one")), WallTime(1.0))
    assert estate.take_scans(scan(resources("two", fqdn="other.example"), lacks="1 of 2 rows"), WallTime(2.0)) == {
        from_text("other.example")
    }
    assert PRIVATE in estate.ledger.rows
    assert incomplete(estate) == ["a"]
    assert [(each.source, each.scope) for each in estate.health.degraded()] == [("hub", "a")]
    assert estate.take_scans(scan(resources("two", fqdn="other.example")), WallTime(3.0)) == {PRIVATE}
    assert incomplete(estate) == []


def test_an_incomplete_file_replaces_the_resources_that_it_has() -> None:
    estate = Estate(config("hub"))
    estate.take_scans(scan(resources("one")), WallTime(1.0))
    estate.take_scans(scan(resources("one", "10.0.0.9"), lacks="1 of 2 rows"), WallTime(2.0))
    assert [resources.addresses for resources in estate.ledger.endpoints[ResourceId("one")].records] == [
        (b"\n\0\0\x09",)
    ]


def test_an_incomplete_file_removes_nothing_after_a_restart() -> None:
    before = Estate(config("hub"))
    before.take_scans(scan(resources("one")), WallTime(1.0))
    saved = joined(pieces_of(before, WallTime(2.0)))
    page = scan(resources("two", fqdn="other.example"), lacks="1 of 2 rows")
    files = ZoneFiles({})
    after = assemble(config("hub"), files, saved, {}, WallTime(3.0))
    after.take_scans(page, WallTime(4.0))
    at_once = assemble(config("hub"), files, saved, page, WallTime(3.0))
    for estate in (after, at_once):
        assert estate.ledger.rows.keys() == {PRIVATE, from_text("other.example")}
        assert incomplete(estate) == ["a"]


# -- parts


def test_a_part_adds_rows_and_removes_them() -> None:
    estate = Estate(config("hub"))
    assert taken(estate, 1.0, a=resources("one")) == {PRIVATE}
    assert taken(estate, 2.0, a=resources("one", "10.0.0.5")) == {PRIVATE}
    assert taken(estate, 3.0, a=resources("one", "10.0.0.5")) == set()
    assert taken(estate, 4.0, a=None) == {PRIVATE}
    assert not estate.ledger.rows
    assert estate.sources["hub"].last_success == 4.0


def test_an_unreadable_part_keeps_its_data_and_is_reported_until_it_can_be_read() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a=resources("one"), b=resources("two", fqdn="other.example"))
    assert taken(estate, 2.0, a="line 3, column 4: broken") == set()
    assert PRIVATE in estate.ledger.rows
    assert unreadable(estate) == {"a": "line 3, column 4: broken"}
    status = estate.sources["hub"]
    assert (status.parts, status.unreadable, status.last_error, status.last_success) == (2, 1, "", 2.0)
    taken(estate, 3.0, a="line 1, column 1: still")
    assert unreadable(estate) == {"a": "line 1, column 1: still"}
    taken(estate, 4.0, a=resources("one", "10.0.0.9"))
    assert status.unreadable == 0
    assert not unreadable(estate)


def test_an_unreadable_part_that_is_removed_takes_its_data_with_it() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a=resources("one"))
    taken(estate, 2.0, a="broken")
    assert taken(estate, 3.0, a=None) == {PRIVATE}
    assert not findings(estate)
    assert estate.sources["hub"].unreadable == 0


def test_an_endpoint_that_moves_between_parts_is_never_gone() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a=resources("one"))
    assert taken(estate, 2.0, a=None, b=resources("one")) == set()
    (claim,) = estate.ledger.find(PRIVATE)
    assert claim.first_seen == 1.0


# -- health


def test_a_source_is_synced_once_it_was_read() -> None:
    estate = Estate(config("hub", "spoke"))
    unsynced = [estate.health.unsynced]
    taken(estate, 1.0, a=resources("one"))
    unsynced.append(estate.health.unsynced)
    estate.health.failed("spoke", "/spoke: No such file or directory", WallTime(2.0))
    unsynced.append(estate.health.unsynced)
    assert unreadable(estate) == {"/spoke": "/spoke: No such file or directory"}
    estate.health.read("spoke", 0, WallTime(3.0))
    unsynced.append(estate.health.unsynced)
    assert unsynced == [True, True, True, False]
    assert not unreadable(estate)


def test_a_later_failure_changes_only_the_status() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a=resources("one"))
    estate.health.failed("hub", "gone", WallTime(2.0))
    status = estate.sources["hub"]
    assert (status.synced, status.last_error, status.last_success) == (True, "gone", 1.0)
    assert PRIVATE in estate.ledger.rows
    taken(estate, 3.0)
    assert (status.last_error, status.last_success) == ("", 3.0)


def test_a_source_without_a_readable_part_has_no_data() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a="line 1, column 1: broken", b="Permission denied")
    status = estate.sources["hub"]
    assert (status.synced, status.last_error) == (False, "a: line 1, column 1: broken")
    assert estate.health.unsynced
    assert len(findings(estate)) == 2
    taken(estate, 2.0, b=resources("one"))
    assert (status.synced, status.last_error, status.unreadable) == (True, "", 1)
    taken(estate, 3.0, b="Permission denied")
    assert (status.synced, status.last_success) == (True, 2.0)
    assert status.last_error


def test_only_a_source_with_data_can_be_degraded() -> None:
    estate = Estate(config("hub", "spoke"))
    estate.health.failed("spoke", "gone", WallTime(0.0))
    taken(estate, 0.0, one=resources("a"), two="no permission")
    estate.health.failed("spoke", "gone", WallTime(0.0))
    assert estate.health.degraded() == [("hub", "two", "no permission")]
    estate.health.failed("hub", "no token", WallTime(1.0))
    assert estate.health.degraded() == [("hub", "", "no token"), ("hub", "two", "no permission")]
    taken(estate, 2.0, two=resources("b"))
    assert estate.health.degraded() == []


def test_a_source_whose_only_file_cannot_be_read_has_one_problem() -> None:
    estate = Estate(config("hub"))
    estate.take_scans({"hub": Scan([("/hub/a", resources("a"))], 1)}, WallTime(1.0))
    estate.take_scans({"hub": Scan([("/hub/a", "No such file or directory")], 1)}, WallTime(2.0))
    assert estate.sources["hub"].last_error == "/hub/a: No such file or directory"
    assert estate.health.degraded() == [("hub", "/hub/a", "No such file or directory")]


def test_a_held_scan_keeps_the_data_of_its_files_and_ends_when_they_are_good_again() -> None:
    estate = Estate(config("files"))
    both = Resources.joined((resources("a"), resources("b", "10.0.0.5", "b.blob.core.windows.net")))
    estate.take_scans({"files": Scan([("one", both)], 1)}, WallTime(1.0))
    assert (
        estate.take_scans(
            {"files": Scan([("one", None), ("two", resources("c", "10.0.0.6", "c.blob.core.windows.net"))], 1)},
            WallTime(2.0),
        )
        == set()
    )
    assert estate.inventory.of("files") == {"one": both}
    ((source, scope, message),) = estate.health.degraded()
    assert (source, scope) == ("files", "")
    assert "all 2 private endpoints of the source, everything of file one; it is held" in message
    (held,) = [fact for fact in estate.board if fact.code == "sync-held"]
    assert (held.subject, estate.sources["files"].last_success) == ("files", 1.0)
    estate.take_scans({"files": Scan([("one", "line 1: truncated")], 2)}, WallTime(3.0))
    assert estate.inventory.of("files").keys() == {"one", "two"}
    (broken,) = [fact for fact in estate.board if fact.code in {"sync-held", "source-unreadable"}]
    assert (broken.code, broken.action) == ("source-unreadable", broken.evidence.action)  # it has data
    estate.take_scans({"files": Scan([("one", both)], 2)}, WallTime(4.0))
    assert not list(estate.health.degraded())


@pytest.mark.parametrize("action", ["accept", "drop"])
def test_a_held_scan_is_accepted_or_dropped(action: str) -> None:
    estate = Estate(config("files"))
    both = Resources.joined((resources("a"), resources("b", "10.0.0.5", "b.blob.core.windows.net")))
    estate.take_scans({"files": Scan([("one", both)], 1)}, WallTime(1.0))
    estate.take_scans({"files": Scan([("one", Resources())], 1)}, WallTime(2.0))
    before = estate.revision
    if action == "accept":
        assert estate.accept_held_scan("files", WallTime(3.0))
        assert estate.inventory.of("files") == {"one": Resources()}
    else:
        estate.drop_held_sync("files", WallTime(3.0))
        assert estate.inventory.of("files") == {"one": both}
    assert estate.revision > before
    assert [each.scope for each in estate.health.degraded()] == ([] if action == "accept" else ["one"])
    estate.take_scans({"files": Scan([], 1)}, WallTime(4.0))  # the next scan finds no change
    assert [each.scope for each in estate.health.degraded()] == ([] if action == "accept" else ["one"])
    with pytest.raises(NothingHeld):
        estate.accept_held_scan("files", WallTime(5.0))


def test_a_dropped_change_degrades_its_files_until_they_are_read_again() -> None:
    estate = Estate(config("files"))
    both = Resources.joined((resources("a"), resources("b", "10.0.0.5", "b.blob.core.windows.net")))
    estate.take_scans({"files": Scan([("one", both)], 1)}, WallTime(1.0))
    estate.take_scans({"files": Scan([("one", None), ("two", resources("c", "10.0.0.6"))], 1)}, WallTime(2.0))
    estate.drop_held_sync("files", WallTime(3.0))
    text = "its change was dropped and is not served: `pldns sync now files` reads the files again"
    assert estate.health.degraded() == [("files", "one", text), ("files", "two", text)]
    estate.take_scans({"files": Scan([("two", resources("c", "10.0.0.6"))], 1)}, WallTime(4.0))
    assert [each.scope for each in estate.health.degraded()] == ["one"]
    estate.take_scans({"files": Scan([("one", both)], 2)}, WallTime(5.0))
    assert estate.health.degraded() == []


def test_a_held_sync_names_the_commands_in_full() -> None:
    estate = Estate(config("files"))
    both = Resources.joined((resources("a"), resources("b", "10.0.0.5", "b.blob.core.windows.net")))
    estate.take_scans({"files": Scan([("one", both)], 1)}, WallTime(1.0))
    estate.take_scans({"files": Scan([("one", None)], 0)}, WallTime(2.0))
    (held,) = [fact for fact in estate.board if fact.code == "sync-held"]
    assert "`pldns sync accept files`" in held.action
    assert "`pldns sync drop files`" in held.action


def test_a_held_sync_degrades_its_source() -> None:
    estate = Estate(config("hub"))
    estate.health.restored(
        "hub",
        1,
        WallTime(0.0),
        SyncState({}, WithheldSync(WallTime(0.0), WallTime(1.0), Reading(), ("7 of 9 private endpoints",), 7, 0, ())),
    )
    ((source, scope, message),) = estate.health.degraded()
    assert (source, scope) == ("hub", "")
    assert message.startswith("a change would remove 7 of 9 private endpoints; it is held")


def test_a_source_may_be_allowed_to_be_unsynced() -> None:
    assert not Estate(config("hub", on_unsynced="public")).health.unsynced
    assert not Estate(config()).health.unsynced


# -- over a restart


def test_first_seen_times_and_incumbents_survive_a_restart() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, b=resources("b-holder"))
    taken(estate, 2.0, a=resources("a-late", "10.0.0.5"))
    assert winner(estate) == "b-holder"
    memory, parts = remembered(estate.ledger), list(estate.inventory.parts())

    again = Estate(config("hub"), memory)
    again.take(parts, WallTime(100.0))
    again.health.restored("hub", 2, WallTime(50.0), SyncState())
    status = again.sources["hub"]
    assert not again.health.unsynced
    assert (status.synced, status.saved, status.parts, status.last_success) == (True, True, 2, 50.0)
    assert (again.ledger.rows, winner(again)) == (estate.ledger.rows, "b-holder")
    assert taken(again, 101.0, a=resources("a-late", "10.0.0.5"), b=resources("b-holder")) == set()
    assert (winner(again), status.saved, status.last_success) == ("b-holder", False, 101.0)
    assert {claim.endpoint: claim.first_seen for claim in again.ledger.find(PRIVATE)} == {
        "b-holder": 1.0,
        "a-late": 2.0,
    }
    assert [again.board.first_seen(fact) for fact in findings(again)] == [2.0]


def test_without_memory_endpoints_of_one_change_are_first_seen_together() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, b=resources("b-holder"), a=resources("a-late", "10.0.0.5"))
    assert winner(estate) == "a-late"


# -- zone files


def test_a_configured_zone_without_its_file_is_awaited() -> None:
    estate = Estate(config(origins=("corp.example", "lab.example")))
    zone = zonefile.parse(ZONE, "corp.zone")
    origins = {"corp.zone": zone.origin, "lab.zone": from_text("lab.example")}
    estate.take_zone_files(ZoneFiles({zone.origin: zone}, origins), WallTime(1.0))
    assert estate.static.awaited == {from_text("lab.example")}
    table = estate.table()
    assert table.awaited == estate.static.awaited
    assert type(table.lookup(from_text("www.lab.example"), A, NetworkIndex(0))).__name__ == "Failure"
    assert type(table.lookup(from_text("www.corp.example"), A, NetworkIndex(0))).__name__ == "Found"


# -- tools without a daemon


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, address in (("a", "10.0.0.4"), ("b", "10.0.0.5")):
        file = tmp_path / name / "e.yaml"
        file.parent.mkdir()
        file.write_text(f"endpoints: [{{name: {name}, group: blob, records: [{{fqdn: {FQDN}, ips: [{address}]}}]}}]")
    (tmp_path / "corp.zone").write_text(ZONE)
    return tmp_path


def read(folder: Path, *sources: str) -> Estate:
    found = tuple(settings.SourceSettings(name, "files", str(folder / name)) for name in sources)
    file = str(folder / "corp.zone")
    zones = settings.Zones(files=(file,), origins=("corp.example",), patterns=(file,))
    return offline(settings.ControlSettings(sources=found, zones=zones), WallTime(5.0))


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_offline_tools_read_all_sources_as_one_change(folder: Path, order: str) -> None:
    estate = read(folder, *order)
    assert winner(estate) == "a"
    assert {claim.first_seen for claim in estate.ledger.find(PRIVATE)} == {5.0}
    assert set(estate.static) == {CORP}
    assert not estate.health.unsynced


def test_offline_tools_report_a_source_that_cannot_be_read_and_go_on(folder: Path) -> None:
    (folder / "a" / "broken.json").write_text("{")
    (folder / "b" / "e.yaml").write_text("{")
    (folder / "corp.zone").unlink()
    estate = read(folder, "a", "b", "missing")
    assert {name: (status.synced, status.unreadable) for name, status in estate.sources.items()} == {
        "a": (True, 1), "b": (False, 1), "missing": (False, 0),
    }  # fmt: skip
    assert unreadable(estate).keys() == {
        str(folder / path) for path in ("a/broken.json", "b/e.yaml", "corp.zone", "missing")
    }
    assert estate.static.awaited == {CORP}
    assert PRIVATE in estate.ledger.rows


# -- how fresh it is


def test_a_source_is_fresh_for_three_intervals_then_stale_then_expired() -> None:
    estate = Estate(config("hub"))
    status = estate.sources["hub"]
    status.interval, status.expire = 60.0, 1000.0
    assert status.freshness(WallTime(0.0)) is None
    assert not estate.health.update_freshness(WallTime(0.0))
    assert not estate.health.stale
    taken(estate, 100.0, a=resources("one"))
    states = [
        (status.freshness(WallTime(now)), estate.health.update_freshness(WallTime(now)), estate.health.stale)
        for now in (100.0, 279.9, 280.0, 1099.9, 1100.0)
    ]
    assert states == [
        ("fresh", False, False), ("fresh", False, False), ("stale", True, True), ("stale", False, True),
        ("expired", False, True),
    ]  # fmt: skip
    taken(estate, 2000.0, a=resources("one"))
    assert estate.health.update_freshness(WallTime(2000.0))
    assert (estate.health.stale, estate.table().stale) == (False, False)
    estate.health.update_freshness(WallTime(9e9))
    assert estate.table().stale


# -- the revision: control saves the inventory when it rises


def test_readable_data_raises_the_revision_and_an_unreadable_part_does_not() -> None:
    estate = Estate(config("hub"))
    taken(estate, 1.0, a="line 1: broken")
    assert estate.revision == 0
    taken(estate, 2.0, a=resources("one"))
    assert estate.revision == 1


def test_the_end_of_a_lingering_claim_raises_the_revision() -> None:
    hub = settings.SourceSettings("hub", "azure", hold_down=300)
    estate = Estate(settings.ControlSettings(sources=(hub,)))
    taken(estate, 1.0, a=resources("one"))
    taken(estate, 2.0, a=None)
    before = estate.revision
    assert estate.expire(WallTime(200.0)) == set()
    assert estate.revision == before
    assert estate.expire(WallTime(303.0)) == {PRIVATE}
    assert estate.revision == before + 1


def test_a_dropped_sync_raises_the_revision() -> None:
    estate = Estate(config("hub"))
    held = WithheldSync(WallTime(0.0), WallTime(1.0), Reading(), ("7 of 9 private endpoints",), 7, 0, ())
    estate.health.restored("hub", 1, WallTime(0.0), SyncState(held=held))
    estate.drop_held_sync("hub", WallTime(1.0))
    assert estate.revision == 1
