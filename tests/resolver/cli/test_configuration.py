"""`pldns config show`: all settings in effect and their origins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_set_overrides_the_file(run: Run, config: Path) -> None:
    ran = run("config", "show", "-c", config, "--set", "dns.workers=3", "-o", "json")
    rows = {row["path"]: row for row in ran.json}
    assert rows["dns.workers"] == {"path": "dns.workers", "value": 3, "origin": "flag dns.workers"}
    assert rows["admin.listen"]["origin"].startswith(f"{config}:")
