"""`pldns plan` with the state directory of a real control process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import structs

from resolver.admin_settings import AdminSettings
from resolver.cli.configuration import load
from resolver.control.state import inventory_file
from tests.resolver.control.running import Running, until

Run = Callable[..., Any]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def saved(config: Path) -> None:
    """Let a control process read the estate and save it."""
    asyncio.run(_saved(config))


async def _saved(config: Path) -> None:
    accepted = structs.replace(load(config, {}).control, admin=AdminSettings())
    Path(accepted.state_directory).mkdir()
    running = Running(config.parent, accepted)
    await until(lambda: running.control.feed.complete)
    await running.stop()


def test_nothing_would_change(run: Run, config: Path) -> None:
    saved(config)
    ran = run("plan", "-c", config)
    assert ran.code == 0
    assert ran.out.startswith("compared with the saved inventory (saved 2")
    assert ran.out.endswith("nothing would change\n")


def test_the_running_daemon_is_compared_where_it_runs_the_configuration(run: Run, daemon: Path, config: Path) -> None:
    ran = run("plan", "-c", daemon)
    address = f"unix:{daemon.parent}/state/admin.sock"
    assert (ran.code, ran.out) == (0, f"compared with the running daemon at {address}\nnothing would change\n")
    assert run("plan", "-c", daemon, "-o", "json").json["daemon"] == address
    ran = run("plan", "-c", config, "--admin", address)
    assert ran.out.startswith(
        f"compared with the saved inventory (nothing is saved, so everything is new), because the daemon at {address} "
        f"runs {daemon}\n"
    )


def test_what_would_change_exits_2_and_changes_nothing(run: Run, config: Path) -> None:
    saved(config)
    kept = contents(config.parent / "state")
    file = config.parent / "endpoints" / "all.yaml"
    file.write_text(file.read_text().replace("10.1.0.4", "10.1.0.44").replace("name: waits", "name: waited"))
    ran = run("plan", "-c", config)
    assert ran.code == 2
    rows = [tuple(line.split()[:3]) for line in ran.out.splitlines()[2:]]
    assert rows == [
        ("change", "endpoint", "shop"), ("add", "endpoint", "waited"), ("remove", "endpoint", "waits"),
        ("change", "name", "shop.privatelink.blob.core.windows.net"),
        ("open", "info", "address-changed"), ("open", "info", "endpoint-pending"),
        ("close", "info", "endpoint-pending"),
    ]  # fmt: skip
    result = run("plan", "-c", config, "-o", "json")
    assert result.code == 2
    assert result.json["endpoints"][0] == {"change": "change", "id": "shop", "differs": ["records"]}
    assert [each["code"] for each in result.json["closes"]] == ["endpoint-pending"]
    assert (result.json["errors"], result.json["held"]) == ({}, {})
    assert contents(config.parent / "state") == kept
    short = run("plan", "-c", config, "--limit", "1")
    assert "6 more not shown" in short.err


def test_a_source_that_cannot_be_read_exits_1(run: Run, config: Path) -> None:
    saved(config)
    (config.parent / "endpoints").rename(config.parent / "away")
    ran = run("plan", "-c", config)
    assert ran.code == 1
    assert "source estate: " in ran.out
    assert "No such file or directory; its last data is kept" in ran.out


def test_without_a_saved_inventory_everything_is_new(run: Run, config: Path) -> None:
    ran = run("plan", "-c", config)
    assert ran.code == 2
    assert "nothing is saved, so everything is new" in ran.out
    assert not (config.parent / "state").exists()


def test_a_damaged_saved_inventory_is_an_error_and_is_kept(run: Run, config: Path) -> None:
    (config.parent / "state").mkdir()
    (config.parent / "state" / inventory_file.FORMAT.name).write_text("noise")
    ran = run("plan", "-c", config)
    assert ran.code == 1
    assert "it is damaged, or another version wrote it" in ran.err
    assert (config.parent / "state" / inventory_file.FORMAT.name).read_text() == "noise"
