"""The board: findings replaced by topic and subject, counted, and dated over restarts; faults merged by resource."""

from collections import Counter

from msgspec import structs

from tests.zones.books import shown
from zones.azure.endpoint import Fault
from zones.clocks import WallTime
from zones.findings.board import KEPT, Board, Topic
from zones.findings.evidence import Listed, Severity
from zones.findings.faults import Reporter
from zones.findings.finding import finding
from zones.findings.name_evidence import AddressReused, ZoneUnknown

UNKNOWN = ZoneUnknown(endpoints=Listed(), expected_zones=Listed(), resources=Listed())
FACT, OTHER = finding("a.example", UNKNOWN), finding("b.example", UNKNOWN)


def test_findings_replace_those_about_the_same_thing_only() -> None:
    board = Board()
    board.replace(Topic.ZONE, "a", [FACT], WallTime(1))
    board.replace(Topic.ZONE, "b", [OTHER], WallTime(1))
    board.replace(Topic.ZONE, "a", [], WallTime(2))

    assert list(board) == [OTHER]


def test_topics_do_not_share_keys() -> None:
    board = Board()
    board.replace(Topic.SOURCE, "a", [FACT], WallTime(1))
    board.replace(Topic.UPSTREAM, "a", [OTHER], WallTime(1))
    board.replace(Topic.UPSTREAM, "a", [], WallTime(2))

    assert list(board) == [FACT]


def test_findings_are_counted_by_code_and_severity() -> None:
    board = Board()
    board.replace(Topic.ZONE, "a", [FACT], WallTime(1))
    board.replace(Topic.ZONE, "b", [OTHER], WallTime(1))
    board.replace(
        Topic.ADDRESS, "c", [finding("10.0.0.4", AddressReused(endpoints=Listed(), names=Listed()))], WallTime(1)
    )
    board.replace(Topic.ZONE, "b", [], WallTime(2))

    expected = {("zone-unknown", Severity.INFO): 1, ("address-reused", Severity.ERROR): 1}
    assert +Counter(board.counts) == expected


def test_a_finding_keeps_its_time_while_it_is_current() -> None:
    board = Board()
    board.replace(Topic.ZONE, "a", [FACT], WallTime(1))
    board.replace(Topic.ZONE, "a", [structs.replace(FACT, action="other")], WallTime(2))
    assert board.first_seen(FACT) == 1.0

    board.replace(Topic.ZONE, "a", [], WallTime(3))
    assert board.first_seen(FACT) is None

    board.replace(Topic.ZONE, "a", [FACT], WallTime(4))
    assert board.first_seen(FACT) == 4.0


def test_a_time_from_before_a_restart_is_used_once() -> None:
    before = Board()
    before.replace(Topic.ZONE, "a", [FACT], WallTime(1))
    after = Board(before.times())

    after.replace(Topic.ZONE, "a", [FACT], WallTime(5))
    assert after.first_seen(FACT) == 1.0
    after.replace(Topic.ZONE, "a", [], WallTime(6))
    after.replace(Topic.ZONE, "a", [FACT], WallTime(7))
    assert after.first_seen(FACT) == 7.0


def test_a_resource_has_one_finding_with_the_faults_of_all_reporters() -> None:
    board = Board()
    endpoint, inventory = Reporter("endpoint", "x"), Reporter("inventory", "/ID/x")
    mine = Fault("/ID/x", "subnet.id", "no id", "a.json")
    twice, nic = Fault("/ID/x", "", "twice", "b.json"), Fault("/ID/nic", "fqdns[0]", "no name", "a.json")
    board.replace_faults(inventory, [twice, mine], WallTime(1))
    board.replace_faults(endpoint, [nic, mine], WallTime(2))
    assert paths(board) == {"/ID/x": ["subnet.id", ""], "/ID/nic": ["fqdns[0]"]}

    board.replace_faults(inventory, [], WallTime(3))
    assert paths(board) == {"/ID/x": ["subnet.id"], "/ID/nic": ["fqdns[0]"]}
    board.replace_faults(endpoint, [], WallTime(4))
    assert paths(board) == {}


def paths(board: Board) -> dict[str, list[str]]:
    return {fact.subject: [fault["path"] for fault in shown(fact.evidence)["faults"]] for fact in board}


def test_moves_are_the_findings_that_opened_and_closed_since_they_were_taken() -> None:
    board = Board()
    board.replace(Topic.ZONE, "a", [FACT], WallTime(1))
    board.replace(Topic.ZONE, "a", [structs.replace(FACT, action="other")], WallTime(2))
    board.replace(Topic.ZONE, "a", [OTHER], WallTime(3))
    moves = [(move.finding.subject, move.is_open) for move in board.take_moves().listed]
    assert moves == [("a.example", True), ("a.example", False), ("b.example", True)]
    assert board.take_moves() == ([], 0)


def test_the_board_keeps_a_bounded_number_of_moves() -> None:
    board = Board()
    for number in range(KEPT + 5):
        board.replace(Topic.ZONE, number, [finding(f"{number}.example", UNKNOWN)], WallTime(1))
    moves = board.take_moves()
    assert (len(moves.listed), moves.more) == (KEPT, 5)
