"""What operators decide: saved before it takes effect, bounded, and there again after a restart and a reload."""

from pathlib import Path

import pytest

from resolver.control import operator_decisions
from resolver.control.estate.estate import Estate
from resolver.control.estate.rebuild import rebuilding
from resolver.control.estate.state_health import SetAside
from resolver.control.operator_decisions import OperatorDecisions, TooManyDecisions
from resolver.control.state import decisions_file
from resolver.control.state.decisions_file import Decisions
from resolver.settings import ConflictSettings, ControlSettings, SourceSettings
from resolver.sources.reading import ZoneFiles
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.findings.board import Topic
from zones.findings.evidence import Listed
from zones.findings.finding import finding
from zones.findings.name_evidence import PinIgnored, ZoneUnknown

UNKNOWN = ZoneUnknown(endpoints=Listed(), expected_zones=Listed(), resources=Listed())
FACT, OTHER = finding("a.example", UNKNOWN), finding("b.example", UNKNOWN)
NOW = WallTime(10.0)


def made(directory: Path | None = None) -> tuple[Estate, OperatorDecisions]:
    """Return an estate with two findings, as after a start, and its decisions."""
    estate = Estate(ControlSettings(state_directory=str(directory or "")))
    for fact in (FACT, OTHER):
        estate.board.replace(Topic.ZONE, fact.subject, [fact], NOW)
    decided = decisions_file.load(str(directory)) if directory else Decisions()
    return estate, OperatorDecisions(estate, decided, lambda _: None)


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


# -- pins

FQDN = "acct.blob.core.windows.net"


def rivals(directory: Path | None = None, *configured: Pin) -> tuple[Estate, OperatorDecisions, set[Name]]:
    """Return an estate in which `a` and `b` claim one name, as after a start, its decisions, and published names."""
    decided = decisions_file.load(str(directory)) if directory else Decisions()
    settings = ControlSettings(
        state_directory=str(directory or ""), conflicts=ConflictSettings(pins=configured),
        sources=(SourceSettings("estate", "files", "/endpoints"),),
    )  # fmt: skip
    estate, published = Estate(settings, operator_pins=decided.pins), set[Name]()
    estate.ledger.apply({key: claiming(key, number) for number, key in enumerate((A, B))}, NOW)
    return estate, OperatorDecisions(estate, decided, published.update), published


A, B = ResourceId("a"), ResourceId("b")


def claiming(key: ResourceId, number: int) -> Endpoint:
    record = NicRecord(from_text(FQDN), (bytes((10, 0, 0, number)),))
    return Endpoint(key, key, key, ConnectionState.APPROVED, records=(record,), source="estate")


def winner(estate: Estate, now: WallTime = NOW) -> str:
    (name,) = {claim.name for claim in estate.ledger.find(from_text(FQDN))}
    (verdict,) = estate.ledger.verdicts(name, now)
    return verdict.rulings[0].winners[0]


def by_operator(endpoint: str, until: WallTime | None = None) -> Pin:
    return Pin(FQDN, endpoint, None, until, "on call", "user root (0)")


def test_a_pin_decides_at_once_and_after_a_restart(tmp_path: Path) -> None:
    estate, decisions, published = rivals(tmp_path)
    assert winner(estate) == "a"
    assert decisions.pin(by_operator("b"), NOW) is None
    assert winner(estate) == "b"
    assert published == {from_text("acct.privatelink.blob.core.windows.net")}
    estate, decisions, _ = rivals(tmp_path)
    assert winner(estate) == "b"
    assert decisions.pin(by_operator("a"), NOW) == by_operator("b")
    assert winner(estate) == "a"
    assert decisions.unpin(FQDN, None, NOW) == by_operator("a")
    assert not rivals(tmp_path)[0].operator_pins
    with pytest.raises(KeyError):
        decisions.unpin(FQDN, None, NOW)


def test_a_pin_of_the_configuration_takes_precedence() -> None:
    estate, decisions, _ = rivals(None, Pin(FQDN, "a"))
    decisions.pin(by_operator("b"), NOW)
    assert winner(estate) == "a"


def test_a_pin_ends_by_itself() -> None:
    estate, decisions, _ = rivals()
    decisions.pin(by_operator("b", WallTime(20.0)), NOW)
    assert [winner(estate, WallTime(now)) for now in (19.0, 20.0)] == ["b", "b"]  # then it is the incumbent
    assert estate.ledger.conflicts.pinned(WallTime(20.0), from_text(FQDN)) == []


def test_a_pin_survives_another_configuration() -> None:
    estate, decisions, _ = rivals()
    decisions.pin(by_operator("b"), NOW)
    other = rebuilding(estate, estate.settings, ZoneFiles({}), {}, NOW)()
    estate.become(other, ("estate",), NOW)
    assert estate.operator_pins == (by_operator("b"),)
    assert estate.ledger.conflicts.pins


def test_a_pin_that_decides_nothing_is_a_finding_until_it_is_removed() -> None:
    estate, decisions, _ = rivals()
    decisions.pin(by_operator("c"), NOW)
    (fact,) = (each for each in estate.board if each.code == "pin-ignored")
    assert isinstance(fact.evidence, PinIgnored)
    assert fact.evidence.pins.items[0].by == "user root (0)"
    decisions.unpin(FQDN, None, NOW)
    assert "pin-ignored" not in {each.code for each in estate.board}
