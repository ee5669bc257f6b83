"""Which findings an acknowledgement covers, and for how long."""

from msgspec import structs

from zones.clocks import WallTime
from zones.findings.acknowledgement import Acknowledgement, content_of
from zones.findings.board import Board, Topic
from zones.findings.evidence import Severity, listed
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import AddressReused
from zones.findings.state_evidence import StateUnwritable

SHARED = AddressReused(endpoints=listed(["one", "two"]), names=listed(["a.example"]))
FACT = finding("10.0.0.4", SHARED)
KEY = ("address-reused", Severity.ERROR)
NOW, LATER = WallTime(10.0), WallTime(20.0)


def given(fact: Finding, until: WallTime | None = None) -> Acknowledgement:
    return Acknowledgement(fact.id, content_of(fact), "known", "user root (0)", NOW, until)


def acknowledged(fact: Finding, until: WallTime | None = None) -> Board:
    """Return a board with a finding that is acknowledged."""
    board = Board()
    board.replace(Topic.ADDRESS, "a", [fact], NOW)
    board.acknowledge({fact.id: given(fact, until)})
    return board


def test_an_acknowledged_finding_is_current_and_not_open() -> None:
    board = acknowledged(FACT)
    assert list(board) == [FACT]
    assert board.counts[KEY] == 1
    assert board.open_counts(NOW)[KEY] == 0
    assert board.acknowledgements.counts(NOW) == {KEY: 1}
    board.acknowledge({})
    assert board.open_counts(NOW)[KEY] == 1


def test_it_ends_by_itself() -> None:
    board = acknowledged(FACT, until=LATER)
    assert board.acknowledgements.of(FACT, NOW)
    assert board.acknowledgements.of(FACT, LATER) is None
    assert board.open_counts(LATER)[KEY] == 1


def test_a_finding_that_says_something_else_is_open() -> None:
    board = acknowledged(FACT)
    worse = finding("10.0.0.4", structs.replace(SHARED, endpoints=listed(["one", "two", "three"])))
    assert worse.id == FACT.id
    for fact in (worse, structs.replace(FACT, networks=listed(["east"]))):
        board.replace(Topic.ADDRESS, "a", [fact], NOW)
        assert board.open_counts(NOW)[KEY] == 1
    board.replace(Topic.ADDRESS, "a", [FACT], NOW)
    assert board.open_counts(NOW)[KEY] == 0


def test_other_words_of_the_system_are_the_same_finding() -> None:
    board = acknowledged(finding("/state", StateUnwritable(message="No space left on device")))
    other = finding("/state", StateUnwritable(message="Disk quota exceeded"))
    assert board.acknowledgements.of(other, NOW)


def test_a_finding_that_closes_and_opens_again_is_still_known() -> None:
    board = acknowledged(FACT)
    board.replace(Topic.ADDRESS, "a", [], NOW)
    assert not board.acknowledgements.counts(NOW)
    assert board.find(FACT.id) is None
    board.replace(Topic.ADDRESS, "b", [FACT], LATER)
    assert board.acknowledgements.counts(LATER) == {KEY: 1}
    assert board.find(FACT.id) is FACT
