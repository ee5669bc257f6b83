"""`pldns config diff`: what a reload of the running daemon would change."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def edited(daemon: Path) -> Iterator[Callable[[str, str], Path]]:
    """Replace a text in the daemon's configuration file, which the daemon does not read again."""
    before = daemon.read_text()

    def edit(old: str, new: str) -> Path:
        text = daemon.read_text()
        assert old in text
        daemon.write_text(text.replace(old, new))
        return daemon

    yield edit
    daemon.write_text(before)


Edit = Callable[[str, str], Path]


def test_an_unchanged_file_changes_nothing(run: Run, daemon: Path) -> None:
    ran = run("config", "diff", "-c", daemon)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{daemon} says the same as configuration 1, which is in effect\n"


def test_changes_that_take_effect_live(run: Run, edited: Edit) -> None:
    path = edited("{on_miss: nxdomain}", "{on_miss: nodata, ttl: 60}")
    ran = run("config", "diff", "-c", path)
    assert ran.code == 2
    assert ran.out.splitlines() == [
        'zones.overrides["privatelink.blob.core.windows.net"].ttl: added 60',
        'zones.overrides["privatelink.blob.core.windows.net"].on_miss: changed from nxdomain to nodata',
        "a reload would apply all of this to configuration 1",
    ]


def test_changes_that_need_a_restart_have_the_words_of_a_reload(run: Run, edited: Edit) -> None:
    path = edited('dns: {listen: ["', 'cache: {prefetch: false}\ndns: {listen: ["127.0.0.1:5399", "')
    ran = run("config", "diff", "-c", path, "-o", "json")
    assert ran.code == 2
    keys = {each["key"]: each for each in ran.json["keys"]}
    assert keys["dns.listen[0]"]["after"] == "127.0.0.1:5399"
    assert keys["dns.listen[0]"]["takes_effect"] == "restart"
    assert keys["cache.prefetch"]["takes_effect"] == "reload"
    refused = run("reload", "-c", path)
    assert refused.code == 1
    (sentence,) = ran.json["restart_needed"]
    assert f"pldns: {sentence}\n" in refused.err


def test_flags_of_the_daemon_take_precedence_over_the_file(run: Run, edited: Edit) -> None:
    path = edited("dns: {", "dns: {workers: 7, ")  # the daemon was started with `--set dns.workers=1`
    assert run("config", "diff", "-c", path).code == 0


def test_the_environment_of_the_shell_does_not_count(run: Run, daemon: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLDNS_CACHE__PREFETCH", "false")
    assert run("config", "diff", "-c", daemon).code == 0


def test_zone_files_are_compared_by_their_zone(run: Run, edited: Edit, daemon: Path) -> None:
    zone = (daemon.parent / "corp.zone").read_text()
    other = daemon.parent / "other"
    other.mkdir(exist_ok=True)
    (other / "corp.zone").write_text(zone.replace("192.0.2.1", "192.0.2.9"))
    (other / "lab.zone").write_text(zone.replace("corp.example", "lab.example"))
    path = edited("files: [./corp.zone]", "files: [./other/*.zone]")
    ran = run("config", "diff", "-c", path)
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "zones.files[0]: removed ./corp.zone",
        "zones.files[0]: added ./other/*.zone",
        "zones.files: changed the zone file of `corp.example`",
        "zones.files: added the zone file of `lab.example`",
        "a reload would apply all of this to configuration 1",
    ]


def test_an_invalid_file_is_refused_with_every_mistake(run: Run, edited: Edit) -> None:
    path = edited("networks:", "cache: {size: lots, stale: -1}\nnetworks:")
    ran = run("config", "diff", "-c", path)
    assert ran.code == 1
    assert "cache.size" in ran.err
    assert "cache.stale" in ran.err
    assert ran.out == ""


def test_without_a_daemon_the_error_says_what_to_do(run: Run, config: Path) -> None:
    ran = run("config", "diff", "-c", config)
    assert ran.code == 1
    assert "pldns serve" in ran.err
    assert "--admin" in ran.err
