"""`pldns check`: counts, findings and mistakes of the configuration, without a daemon."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_check_prints_counts_and_findings(run: Run, config: Path) -> None:
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "5 endpoints, 4 served" in ran.out
    assert "findings: 1 info" in ran.out
    (row,) = [line for line in ran.out.splitlines() if "endpoint-pending" in line]
    assert "waits" in row
    assert row.endswith("→ not served")


def test_check_exits_2_for_an_error_and_names_the_claims(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested)
    assert ran.code == 2
    (row,) = [line for line in ran.out.splitlines() if "conflicting-address" in line]
    assert "served: 10.1.0.9 of rival; not served: 10.1.0.4 of shop (rule: resource-id); in east, west" in row
    assert "the rule `incumbent` is skipped" in ran.err


def test_check_as_json_has_findings_in_the_form_of_the_admin_interface(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "-o", "json")
    assert ran.code == 2
    assert ran.json["counts"]["findings"] == {"error": 1, "warning": 0, "info": 1}
    assert ran.json["findings"][0]["evidence"]["winners"][0]["addresses"] == ["10.1.0.9"]
    assert ran.json["skipped"] == ["incumbent"]


def test_check_prints_every_mistake_of_the_configuration_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text("dns: {lisen: []}\nsauces: []\n")
    ran = run("check", "-c", file)
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert f"pldns: {file}:1:" in lines[0]
    assert "`listen`" in lines[0]
    assert f"{file}:2:1" in lines[1]


def test_check_continues_after_a_file_that_cannot_be_read(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "bad.json").write_text('{"value": [')
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "1 unreadable" in ran.out
    assert "source-unreadable" in ran.out


def test_check_prints_at_most_limit_findings(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "--limit", "1")
    assert "conflicting-address" in ran.out
    assert "endpoint-pending" not in ran.out
    assert "1 more not shown" in ran.err


def test_check_uses_the_saved_data_of_a_remote_source(run: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("sources: [", "sources: [{name: hub, type: azure}, "))
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "\nsource hub: https://management.azure.com: no data of this source is saved in " in ran.out
    assert f"\nsource estate: {config.parent / 'endpoints'}: 1 file\n" in ran.out
