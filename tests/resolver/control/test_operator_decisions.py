"""What operators decide: saved before it takes effect, bounded, and there again after a restart and a reload."""

from pathlib import Path

import pytest

from resolver.control import operator_decisions
from resolver.control.estate.estate import Estate
from resolver.control.estate.state_health import SetAside
from resolver.control.operator_decisions import OperatorDecisions, TooManyDecisions
from resolver.control.state import decisions_file
from resolver.control.state.decisions_file import Decisions
from resolver.settings import ControlSettings
from zones.clocks import WallTime
from zones.findings.board import Topic
from zones.findings.evidence import Listed
from zones.findings.finding import finding
from zones.findings.name_evidence import ZoneUnknown

UNKNOWN = ZoneUnknown(endpoints=Listed(), expected_zones=Listed(), resources=Listed())
FACT, OTHER = finding("a.example", UNKNOWN), finding("b.example", UNKNOWN)
NOW = WallTime(10.0)


def made(directory: Path | None = None) -> tuple[Estate, OperatorDecisions]:
    """Return an estate with two findings, as after a start, and its decisions."""
    estate = Estate(ControlSettings(state_directory=str(directory or "")))
    for fact in (FACT, OTHER):
        estate.board.replace(Topic.ZONE, fact.subject, [fact], NOW)
    decided = decisions_file.load(str(directory)) if directory else Decisions()
    return estate, OperatorDecisions(estate, decided)


def test_an_acknowledgement_survives_a_restart(tmp_path: Path) -> None:
    _, decisions = made(tmp_path)
    given = decisions.acknowledge(FACT, "known", "user root (0)", None, NOW)
    estate, decisions = made(tmp_path)
    assert estate.board.acknowledgements.of(FACT, NOW) == given
    assert estate.board.acknowledgements.of(OTHER, NOW) is None
    assert decisions.withdraw(FACT.id) == given
    assert not made(tmp_path)[0].board.acknowledgements.given
    with pytest.raises(KeyError):
        decisions.withdraw(FACT.id)


def test_an_acknowledgement_survives_another_configuration() -> None:
    estate, decisions = made()
    decisions.acknowledge(FACT, "known", "user root (0)", None, NOW)
    other, _ = made()
    estate.become(other, (), NOW)
    assert estate.board.acknowledgements.counts(NOW).total() == 1


def test_a_decision_that_cannot_be_saved_changes_nothing(tmp_path: Path) -> None:
    estate, decisions = made(tmp_path / "file" / "state")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        decisions.acknowledge(FACT, "known", "user root (0)", None, NOW)
    assert not estate.board.acknowledgements.given


def test_their_number_is_bounded_and_those_that_ended_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_decisions, "MOST", 1)
    estate, decisions = made()
    decisions.acknowledge(FACT, "known", "user root (0)", WallTime(20.0), NOW)
    with pytest.raises(TooManyDecisions):
        decisions.acknowledge(OTHER, "known", "user root (0)", None, NOW)
    decisions.acknowledge(FACT, "still known", "user root (0)", WallTime(20.0), NOW)
    decisions.acknowledge(OTHER, "known", "user root (0)", None, WallTime(20.0))
    assert list(estate.board.acknowledgements.given) == [OTHER.id]


@pytest.mark.parametrize("octets", [b"", b"nonsense", decisions_file.FORMAT.magic + bytes(32) + b"{}"])
def test_a_damaged_file_is_set_aside(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / decisions_file.FORMAT.name
    path.write_bytes(octets)
    found = decisions_file.read(str(tmp_path))
    assert isinstance(found, SetAside)
    assert found.kept_as == str(tmp_path / "decisions.broken")
    assert decisions_file.read(str(tmp_path)) == Decisions()
