"""The audit log: in the log, in two bounded files, and in the interface."""

import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from resolver.admin.access import audit
from resolver.admin.access.audit import FILES, AuditLog
from tests.resolver.admin.json_client import Client, walked

Control = Any  # of conftest


def opened(folder: Path, failures: list[tuple[str, str | None]] | None = None) -> AuditLog:
    return AuditLog(str(folder), lambda path, why: (failures if failures is not None else []).append((path, why)))


def test_a_change_is_logged_and_survives_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = opened(tmp_path)
    log.record("user root (0)", "cache.flush", "www.example.", {"subtree": False}, {"flushed": 3})
    assert caplog.messages == [
        "audit: user root (0): cache.flush www.example.: subtree=False -> flushed=3",
    ]
    log.record("token ci", "reload", "/etc/pldns.yaml", {}, {})
    again = opened(tmp_path)
    assert again.entries == log.entries
    assert [each.id for each in again.entries] == [1, 2]
    assert again.record("x", "y", "z", {}, {}).id == 3
    assert stat.S_IMODE((tmp_path / FILES[0]).stat().st_mode) == 0o600


def test_the_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LARGEST", 2000)
    log = opened(tmp_path)
    for number in range(100):
        log.record("me", "sync.now", f"source-{number}", {"held": False}, {"held": False})
    assert sum((tmp_path / name).stat().st_size for name in FILES) <= 4000
    kept = [each.target for each in opened(tmp_path).entries]
    assert kept[-1] == "source-99"
    assert kept == [f"source-{number}" for number in range(100 - len(kept), 100)]
    assert len(kept) > 10


def test_lines_that_cannot_be_read_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(tmp_path).record("me", "reload", "f", {}, {})
    with (tmp_path / FILES[0]).open("ab") as file:
        file.write(b'{"id": 7, "at"\n\xff\n[]\n')
    log = opened(tmp_path)
    assert [each.action for each in log.entries] == ["reload"]
    assert "has 3 lines that cannot be read" in caplog.text


def test_a_log_that_cannot_be_written_is_reported_and_keeps_its_entries(tmp_path: Path) -> None:
    failures: list[tuple[str, str | None]] = []
    (tmp_path / "state").write_text("a file")
    log = opened(tmp_path / "state", failures)
    log.record("me", "reload", "f", {}, {})
    assert failures == [(str(tmp_path / "state" / FILES[0]), "File exists")]
    assert len(log.entries) == 1
    (tmp_path / "state").unlink()
    log.record("me", "reload", "f", {}, {})
    assert failures[1:] == [(str(tmp_path / "state" / FILES[0]), None)]


async def test_changes_are_listed_the_newest_first(client: Client, control: Control) -> None:
    for name in ("a.example", "b.example", "c.example"):
        async with client.post("/v1/cache", json={"action": "flush", "name": name}) as response:
            assert response.status == 200
    async with client.post("/v1/cache", json={"action": "flush", "name": "a..b"}) as response:
        assert response.status == 400  # changes nothing
    found = await walked(client, "/v1/audit", 2)
    assert [each["target"] for each in found] == ["c.example", "b.example", "a.example"]
    assert found[0]["action"] == "cache.flush"
    assert found[0]["before"] == {"subtree": False, "type": None}
    assert found[0]["after"] == {"flushed": 0, "silent": []}
