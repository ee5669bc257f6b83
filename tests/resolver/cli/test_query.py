"""`pldns query` with a real daemon."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_query_prints_the_reply_and_exits_0(run: Run, daemon: Path) -> None:
    ran = run("query", "kv.vault.azure.net", "-c", daemon)
    assert ran.code == 0
    assert "kv.vault.azure.net. 10 IN A 10.1.0.5" in ran.out
    assert ran.out.startswith(";; NOERROR [QR AA RD RA] kv.vault.azure.net. A\n")


@pytest.mark.parametrize("tcp", [[], ["--tcp"]])
def test_query_as_json(run: Run, daemon: Path, tcp: list[str]) -> None:
    ran = run("query", "nothing.privatelink.blob.core.windows.net", "AAAA", "-c", daemon, "-o", "json", *tcp)
    assert ran.code == 0
    assert (ran.json["rcode"], ran.json["answer"]) == ("NXDOMAIN", [])
    assert ran.json["authority"][0].startswith("privatelink.blob.core.windows.net. 10 IN SOA ")
