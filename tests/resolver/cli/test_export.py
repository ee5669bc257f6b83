"""`pldns export`: the resources of all sources in one file that a `files` source can read."""

import json
from pathlib import Path

from tests.resolver.cli.conftest import Run
from tests.resolver.cli.test_plan import saved


def answered(run: Run, config: Path, name: str) -> list[str]:
    ran = run("explain", name, "-c", config, "-o", "json")
    assert ran.code == 0, ran.err
    answer: list[str] = ran.json["answer"]["answer"]
    return answer


def test_a_files_source_reads_the_exported_file(run: Run, config: Path) -> None:
    before = answered(run, config, "shop.blob.core.windows.net")
    out = config.parent / "estate.json"
    ran = run("export", out, "-c", config)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{out}: 5 resources\n"
    config.write_text(config.read_text().replace("./endpoints", "./estate.json"))
    assert answered(run, config, "shop.blob.core.windows.net") == before


def test_an_existing_file_is_replaced_only_with_force(run: Run, config: Path) -> None:
    out = config.parent / "estate.json"
    out.write_text("mine")
    ran = run("export", out, "-c", config)
    assert (ran.code, out.read_text()) == (1, "mine")
    assert f"{out} exists; `--force` replaces it" in ran.err
    assert run("export", out, "-c", config, "--force").code == 0
    assert json.loads(out.read_text())["endpoints"]


def test_the_saved_inventory_is_written_without_asking_a_source(run: Run, config: Path) -> None:
    ran = run("export", "-", "-c", config, "--saved")
    assert ran.code == 1
    assert "nothing is saved in" in ran.err
    saved(config)
    for file in (config.parent / "endpoints").iterdir():
        file.unlink()
    ran = run("export", "-", "-c", config, "--saved")
    assert ran.code == 0, ran.err
    assert {each["name"] for each in json.loads(ran.out)["endpoints"]} == {"shop", "east", "west", "waits", "star"}


def test_a_source_that_only_a_daemon_reads_is_reported(run: Run, config: Path) -> None:
    hub = "sources: [{name: center, type: hub, urls: ['http://127.0.0.1:1']}, "
    config.write_text(config.read_text().replace("sources: [", hub))
    ran = run("export", "-", "-c", config)
    assert ran.code == 1
    assert "source center: only a running pldns reads it; `--saved` writes what is saved" in ran.err
    assert len(json.loads(ran.out)["endpoints"]) == 5


def test_a_redacted_file_has_no_names(run: Run, config: Path) -> None:
    ran = run("export", "-", "-c", config, "--redact")
    assert ran.code == 0, ran.err
    assert not [name for name in ("shop", "vault-1", "later", "happy", "waits") if name in ran.out]
    assert ".blob.core.windows.net" in ran.out


def test_an_unreadable_file_is_reported_and_the_rest_is_written(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "bad.json").write_text("{")
    ran = run("export", "-", "-c", config)
    assert ran.code == 1
    assert "source estate: " in ran.err
    assert "bad.json" in ran.err
    assert len(json.loads(ran.out)["endpoints"]) == 5
    (config.parent / "endpoints" / "all.yaml").unlink()
    ran = run("export", "-", "-c", config)
    assert (ran.code, ran.out) == (1, "")
    assert "nothing could be read, so nothing is written" in ran.err
