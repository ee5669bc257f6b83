"""Zone files from disk, and their last valid texts."""

from pathlib import Path

import pytest

from resolver.settings import Zones
from resolver.sources import zone_files
from resolver.sources.zone_files import PatternFiles
from tests.zones.books import shown
from zones.dns.name import from_text
from zones.dns.parsed_zones import ParsedZones

GOOD = "$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n"
CORP, WWW = from_text("corp.example"), from_text("www.corp.example")


def zones_of(*patterns: str) -> Zones:
    return Zones(patterns=patterns)


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "corp.zone").write_text(GOOD)
    return str(tmp_path / "corp.zone")


def test_a_valid_file_is_read_with_its_text(path: str) -> None:
    zones, _, texts, findings = zone_files.read(zones_of(path), {})
    assert WWW in zones[CORP].names
    assert texts == {path: GOOD}
    assert not findings


def test_a_text_that_the_configuration_check_has_parsed_is_not_parsed_again(path: str) -> None:
    parsed = ParsedZones()
    zone = parsed.parse(GOOD, path)
    assert zone_files.read(zones_of(path), {}, parsed).zones[CORP] is zone
    Path(path).write_text(GOOD.replace("192.0.2.1", "192.0.2.2"))
    assert zone_files.read(zones_of(path), {}, parsed).zones[CORP] != zone


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_text_of_a_file_is_not_translated(path: str, end: str) -> None:
    text = GOOD + f"txt 60 TXT x ; a{end}\n"
    Path(path).write_bytes(text.encode())
    assert zone_files.read(zones_of(path), {}).texts == {path: text}


def test_a_valid_file_takes_precedence_over_the_saved_text(path: str) -> None:
    zones, _, texts, _ = zone_files.read(zones_of(path), {path: GOOD.replace("www", "old")})
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
    zones, _, texts, findings = zone_files.read(zones_of(path), {path: GOOD, "/other.zone": "not used"})
    assert WWW in zones[CORP].names
    assert texts == {path: GOOD}
    (fact,) = findings[path]
    assert (fact.code, fact.subject) == ("source-unreadable", path)
    assert why in shown(fact.evidence)["message"]
    assert fact.action == "its last good data is served"
    zones, _, texts, findings = zone_files.read(zones_of(path), {})
    assert (zones, texts) == ({}, {})
    assert [each.action for each in findings[path]] == ["it has never been read, so that no data of it is served"]


def test_a_saved_text_that_is_no_longer_valid_is_ignored(path: str) -> None:
    Path(path).unlink()
    zones, _, texts, findings = zone_files.read(zones_of(path), {path: "www 60 A 192.0.2.1\n"})
    assert (zones, texts, set(findings)) == ({}, {}, {path})


def test_an_invalid_file_does_not_affect_the_others(path: str) -> None:
    bad = str(Path(path).with_name("missing"))
    zones, _, _, findings = zone_files.read(zones_of(bad, path), {})
    assert set(zones) == {CORP}
    assert set(findings) == {bad}


# -- files that match a pattern


def written(folder: Path, *zones: str) -> list[str]:
    for zone in zones:
        (folder / f"{zone}.zone").write_text(GOOD.replace("corp", zone))
    return [str(folder / f"{zone}.zone") for zone in zones]


def accepted(folder: Path, *zones: str) -> Zones:
    """The settings that were accepted when the folder had these zones."""
    files = tuple(str(folder / f"{zone}.zone") for zone in zones)
    return Zones(files=files, origins=tuple(f"{zone}.example" for zone in zones), patterns=(str(folder / "*.zone"),))


def test_a_file_that_has_come_since_is_served_and_a_bad_one_is_refused_alone(tmp_path: Path) -> None:
    corp, lab, bad, twin = written(tmp_path, "corp", "lab", "bad", "twin")
    Path(bad).write_text("nonsense")
    Path(twin).write_text(GOOD)
    read = zone_files.read(accepted(tmp_path, "corp"), {corp: GOOD})
    assert read.origins == {corp: CORP, lab: from_text("lab.example")}
    assert read.zones.keys() == set(read.origins.values())
    assert read.findings.keys() == {bad, twin}
    (fact,) = read.findings[twin]
    assert shown(fact.evidence)["message"] == f"{twin} and {corp} are both the zone `corp.example`"


def test_a_file_that_is_gone_is_removed_while_its_pattern_matches_another(tmp_path: Path) -> None:
    corp, lab = written(tmp_path, "corp", "lab")
    settings = accepted(tmp_path, "corp", "lab")
    texts = zone_files.read(settings, {}).texts
    Path(lab).unlink()
    assert zone_files.read(settings, texts).origins == {corp: CORP}
    Path(corp).unlink()
    read = zone_files.read(settings, texts)
    assert read.texts.keys() == {corp, lab}  # perhaps the folder is not mounted
    assert read.findings.keys() == {corp, lab}


def test_a_file_that_has_come_since_keeps_its_zone_and_its_last_text(tmp_path: Path) -> None:
    corp, lab = written(tmp_path, "corp", "lab")
    settings = accepted(tmp_path, "corp")
    texts = zone_files.read(settings, {}).texts
    Path(lab).write_text(GOOD.replace("corp", "other"))
    read = zone_files.read(settings, texts)
    assert read.origins == {corp: CORP, lab: from_text("lab.example")}
    assert read.texts == texts
    assert read.findings.keys() == {lab}


def test_files_of_an_empty_folder_stay(tmp_path: Path) -> None:
    settings = accepted(tmp_path, "corp", "lab")
    texts = dict.fromkeys(settings.files, GOOD)
    assert zone_files.present(settings, texts) == [*settings.files]


def test_a_zone_that_moves_to_another_file_is_served_from_there(tmp_path: Path) -> None:
    (corp,) = written(tmp_path, "corp")
    settings = accepted(tmp_path, "corp")
    texts = zone_files.read(settings, {}).texts
    moved = Path(corp).rename(tmp_path / "new.zone")
    assert zone_files.read(settings, texts).origins == {str(moved): CORP}


def test_files_of_patterns_are_looked_for_when_a_folder_changes(tmp_path: Path) -> None:
    mount, pattern = tmp_path / "mount", str(tmp_path / "mount" / "*.zone")
    for number, zone in ((1, "corp"), (2, "lab")):
        (tmp_path / str(number)).mkdir()
        written(tmp_path / str(number), zone)
    mount.symlink_to("1")
    found = PatternFiles()
    assert found.look([pattern]) == [str(mount / "corp.zone")]
    (tmp_path / "new").symlink_to("2")
    (tmp_path / "new").rename(mount)
    assert found.look([pattern]) == [str(mount / "lab.zone")]
    written(tmp_path / "2", "third")
    assert found.look([pattern]) == [str(mount / "lab.zone"), str(mount / "third.zone")]
