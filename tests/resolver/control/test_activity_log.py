"""The lines that are logged when the estate changes: what they say, and how many there are."""

import logging

import pytest

from resolver import settings
from resolver.control.activity_log import LINES, ActivityLog
from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import SyncState
from resolver.control.history.recorder import HistoryRecorder
from resolver.sources.reading import Part, Scan
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.azure.resource import NicRow, PrivateEndpoint, Resources
from zones.clocks import WallTime
from zones.findings import checks
from zones.findings.board import Topic
from zones.findings.evidence import listed
from zones.findings.finding import finding
from zones.findings.source_evidence import SyncHeld


def data(*names: str, address: str = "10.0.0.4") -> Resources:
    """Return endpoints that all claim one name, and a VNet."""
    rows = (NicRow(("acct.blob.core.windows.net",), (address,), "blob"),)
    endpoints = [PrivateEndpoint(ResourceId(n), n, n, target=n, state_text="Approved", records=rows) for n in names]
    return Resources(tuple(endpoints), vnets=(VirtualNetwork(ResourceId("v"), "V"),))


@pytest.fixture
def estate() -> Estate:
    return Estate(settings.ControlSettings(sources=(settings.SourceSettings("lab", "files", "/lab", guard="off"),)))


def test_a_change_of_a_source_is_one_line_however_many_scans_it_took(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = ActivityLog(estate, HistoryRecorder(estate))
    log.started()
    estate.take_scans({"lab": Scan([("/lab/a", data("one"))], 1)}, WallTime(1.0))
    estate.take_scans({"lab": Scan([("/lab/b", data("two", address="10.0.0.5"))], 2)}, WallTime(1.1))
    estate.take_scans({"lab": Scan([("/lab/a", None)], 1)}, WallTime(1.2))
    log.write()
    changed = [message for message in caplog.messages if message.startswith("source lab changed")]
    endpoints = "endpoints_added=2 endpoints_changed=0 endpoints_removed=1"
    assert changed == [f"source lab changed: {endpoints} vnets_added=1 vnets_changed=1 vnets_removed=0 files=2"]
    caplog.clear()
    log.write()
    assert not caplog.messages


def test_a_finding_is_a_line_when_it_opens_and_when_it_closes(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = ActivityLog(estate, HistoryRecorder(estate))
    log.started()
    estate.take_scans({"lab": Scan([("/lab/a", data("one", "two"))], 1)}, WallTime(1.0))
    log.write()
    estate.take_scans({"lab": Scan([("/lab/a", data("one")), ("/lab/b", "line 1: no")], 2)}, WallTime(2.0))
    log.write()
    contest = "subject=acct.privatelink.blob.core.windows.net winner=one rule=resource-id"
    assert sorted((each.levelname, each.message) for each in caplog.records if "finding" in each.message) == [
        ("ERROR", "finding opened: code=address-reused severity=error subject=10.0.0.4"),
        ("ERROR", f"finding opened: code=conflicting-address severity=error {contest}"),
        ("INFO", "finding closed: code=address-reused severity=error subject=10.0.0.4"),
        ("INFO", f"finding closed: code=conflicting-address severity=error {contest}"),
        ("WARNING", 'finding opened: code=source-unreadable severity=warning subject=/lab/b message="line 1: no"'),
    ]


def test_many_findings_are_a_bounded_number_of_lines_with_the_errors_first(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = ActivityLog(estate, HistoryRecorder(estate))
    log.started()
    for number in range(5_000):
        why = checks.unreadable(f"/lab/{number}", "no", has_data=True)
        estate.board.replace(Topic.PART, ("lab", str(number)), [why], WallTime(1.0))
    log.write()
    assert len(caplog.messages) == LINES + 1
    assert caplog.messages[-1] == f"{5_000 - LINES} more findings opened or closed: see `pldns findings`"


def test_the_start_is_a_summary_and_the_errors(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = ActivityLog(estate, HistoryRecorder(estate))
    changes: list[tuple[str, Part]] = [
        ("/lab/a", data("one", "two")),
        *((f"/lab/{number}", "no") for number in range(100)),
    ]
    estate.take_scans({"lab": Scan(changes, 101)}, WallTime(1.0))
    log.write()
    assert not caplog.messages
    log.started()
    log.write()
    assert caplog.messages[:2] == [
        "source lab starts with: endpoints=2 vnets=1 files=1 data=live",
        "findings at the start: error=2 warning=100 info=0 (see `pldns findings`)",
    ]
    assert {message.split("code=")[1].split()[0] for message in caplog.messages[2:]} == {
        "conflicting-address",
        "address-reused",
    }


def test_what_changed_while_pldns_was_stopped_is_a_line(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    estate.take([("lab", "/lab/a", data("one", "two"))], WallTime(1.0))
    estate.health.restored("lab", 1, WallTime(1.0), SyncState())
    log = ActivityLog(estate, HistoryRecorder(estate))
    estate.take_scans({"lab": Scan([("/lab/a", data("one"))], 1)}, WallTime(2.0))
    log.started()
    log.write()
    endpoints = "endpoints_added=0 endpoints_changed=0 endpoints_removed=1"
    assert caplog.messages == [
        "source lab starts with: endpoints=1 vnets=1 files=1 data=live",
        f"source lab changed since the last run: {endpoints} vnets_added=0 vnets_changed=0 vnets_removed=0 files=1",
    ]


def test_a_source_without_changes_since_the_last_run_has_one_line(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    estate.take([("lab", "/lab/a", data("one"))], WallTime(1.0))
    estate.health.restored("lab", 1, WallTime(1.0), SyncState())
    log = ActivityLog(estate, HistoryRecorder(estate))
    estate.take_scans({"lab": Scan([], 1)}, WallTime(2.0))
    log.started()
    assert caplog.messages == ["source lab starts with: endpoints=1 vnets=1 files=1 data=live"]


def test_a_line_about_a_held_or_incomplete_source_says_why(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = ActivityLog(estate, HistoryRecorder(estate))
    log.started()
    held = SyncHeld(
        reasons=listed(["7 of 9 private endpoints"]), endpoints=7, vnets=0, would_remove=listed(["x"]),
        held_since=WallTime(1.0),
    )  # fmt: skip
    estate.board.replace(Topic.HELD, "lab", [finding("lab", held)], WallTime(1.0))
    estate.board.replace(Topic.INCOMPLETE, "lab", [checks.incomplete("/lab/a", ["3 of 250 rows"])], WallTime(1.0))
    log.write()
    assert caplog.messages == [
        'finding opened: code=sync-held severity=error subject=lab reasons="7 of 9 private endpoints"',
        'finding opened: code=source-incomplete severity=error subject=/lab/a lacks="3 of 250 rows"',
    ]
