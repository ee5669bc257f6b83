"""`pldns history` and `pldns diff` with a real daemon."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]
PATIENCE = 60.0
FQDN = "late.blob.core.windows.net"
ENDPOINT = "endpoints: [{{name: late, target: late, group: blob, records: [{{fqdn: {}, ips: [10.1.0.{}]}}]}}]\n"


def changed(run: Run, daemon: Path, file: Path) -> Any:  # noqa: ANN401 - JSON
    """Give an endpoint another address until the history has the change: what is there at its beginning is none."""
    end, host = time.monotonic() + PATIENCE, 100
    while not (found := run("history", FQDN, "--kind", "name", "-c", daemon, "-o", "json").json):
        assert time.monotonic() < end
        host += 1
        file.write_text(ENDPOINT.format(FQDN, host % 250))
    return found[0]


def test_a_change_is_in_the_history_and_in_the_difference(run: Run, daemon: Path) -> None:
    file = daemon.parent / "endpoints" / "late.yaml"
    try:
        entry = changed(run, daemon, file)
        assert entry["subject"] == "late.privatelink.blob.core.windows.net"
        table = run("history", FQDN, "-c", daemon).out
        assert re.search(rf"name +\w+ +{entry['subject']} +.*10\.1\.0\.\d+ from late$", table, re.MULTILINE)
        ran = run("diff", "--from", "1h", "-c", daemon)
        assert ran.code == 2
        assert re.search(r"10\.1\.0\.\d+ from late", ran.out)
    finally:
        file.unlink(missing_ok=True)


def test_a_mistake_is_one_line(run: Run, daemon: Path) -> None:
    ran = run("history", "--since", "yesterday", "-c", daemon)
    assert (ran.code, ran.out) == (1, "")
    assert "`yesterday` is not a time such as" in ran.err
    assert run("history", "nobody.example", "-c", daemon).out == "no changes\n"
