"""`pldns cache` with a real daemon."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_the_cache_is_shown_and_flushed(run: Run, daemon: Path) -> None:
    shown = run("cache", "show", "-c", daemon)
    assert shown.code == 0
    assert re.search(r"^0 +\d+ +0\.\d MiB +\d+ +0\.\d MiB$", shown.out, re.MULTILINE)
    assert run("cache", "flush", "www.example", "--subtree", "-c", daemon) == (0, "0 replies removed\n", "")
    assert run("cache", "flush", "www.example", "--type", "AAAA", "-c", daemon, "-o", "json").json == {
        "flushed": 0, "silent": [],
    }  # fmt: skip
    wrong = run("cache", "flush", "www.example", "--type", "NOPE", "-c", daemon)
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err == "pldns: type: NOPE is not a record type\n"
