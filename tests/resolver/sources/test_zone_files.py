"""Zone files from disk, and their last valid texts."""

from pathlib import Path

import pytest

from resolver.sources import zone_files
from tests.zones.books import shown
from zones.dns.name import from_text
from zones.dns.parsed_zones import ParsedZones

GOOD = "$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n"
CORP, WWW = from_text("corp.example"), from_text("www.corp.example")


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "corp.zone").write_text(GOOD)
    return str(tmp_path / "corp.zone")


def test_a_valid_file_is_read_with_its_text(path: str) -> None:
    zones, texts, findings = zone_files.read([path], {})
    assert WWW in zones[CORP].names
    assert texts == {path: GOOD}
    assert not findings


def test_a_text_that_the_configuration_check_has_parsed_is_not_parsed_again(path: str) -> None:
    parsed = ParsedZones()
    zone = parsed.parse(GOOD, path)
    assert zone_files.read([path], {}, parsed).zones[CORP] is zone
    Path(path).write_text(GOOD.replace("192.0.2.1", "192.0.2.2"))
    assert zone_files.read([path], {}, parsed).zones[CORP] != zone


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_text_of_a_file_is_not_translated(path: str, end: str) -> None:
    text = GOOD + f"txt 60 TXT x ; a{end}\n"
    Path(path).write_bytes(text.encode())
    assert zone_files.read([path], {}).texts == {path: text}


def test_a_valid_file_takes_precedence_over_the_saved_text(path: str) -> None:
    zones, texts, _ = zone_files.read([path], {path: GOOD.replace("www", "old")})
    assert WWW in zones[CORP].names
    assert texts == {path: GOOD}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"\xff", "not UTF-8"),
        (b"www 60 A 192.0.2.1\n", "corp.zone"),
        (GOOD.replace("192.0.2.1", "x").encode(), "corp.zone:3:10: `www 60 A x`: not an IPv4 address"),
    ],
    ids=["missing", "encoding", "no zone", "line"],
)
def test_an_invalid_file_keeps_its_last_valid_text(path: str, content: bytes | None, why: str) -> None:
    Path(path).unlink()
    if content is not None:
        Path(path).write_bytes(content)
    zones, texts, findings = zone_files.read([path], {path: GOOD, "/other.zone": "not used"})
    assert WWW in zones[CORP].names
    assert texts == {path: GOOD}
    (fact,) = findings[path]
    assert (fact.code, fact.subject) == ("source-unreadable", path)
    assert why in shown(fact.evidence)["message"]
    assert fact.action == "its last good data is served"
    zones, texts, findings = zone_files.read([path], {})
    assert (zones, texts) == ({}, {})
    assert [each.action for each in findings[path]] == ["it has never been read, so that no data of it is served"]


def test_a_saved_text_that_is_no_longer_valid_is_ignored(path: str) -> None:
    Path(path).unlink()
    zones, texts, findings = zone_files.read([path], {path: "www 60 A 192.0.2.1\n"})
    assert (zones, texts, set(findings)) == ({}, {}, {path})


def test_an_invalid_file_does_not_affect_the_others(path: str) -> None:
    bad = str(Path(path).with_name("missing"))
    zones, _, findings = zone_files.read([bad, path], {})
    assert set(zones) == {CORP}
    assert set(findings) == {bad}
