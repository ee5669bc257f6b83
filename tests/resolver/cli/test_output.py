"""How commands print tables, resource ids and evidence."""

import os
import re
import subprocess
import sys

import pytest

from resolver.cli import finding_text, output


def test_a_table_in_a_pipe_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "what"), [("a" * 300, "x"), ("b", "y")])
    assert capsys.readouterr().out.splitlines() == [f"{'NAME':300}  WHAT", f"{'a' * 300}  x", f"{'b':300}  y"]


def on_terminal(code: str, **environ: str) -> str:
    """Return what code prints on a terminal with 60 columns."""
    terminal, inside = os.openpty()
    given = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    given |= {"TERM": "xterm-256color", "COLUMNS": "60", **environ}
    subprocess.run([sys.executable, "-c", code], stdout=inside, check=True, env=given)
    os.close(inside)
    text = os.read(terminal, 10_000).decode()
    os.close(terminal)
    return text.replace("\r\n", "\n")


def test_a_table_on_a_terminal_is_coloured_and_folded_between_words() -> None:
    code = "from resolver.cli import output; output.table(('severity', 'subject'), [('error', 'words ' * 20)])"
    text = on_terminal(code)
    assert "\x1b[1;31merror" in text
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines())) <= 60
    assert not re.search(r"\x1b\[[0-9;]*31m", on_terminal(code, NO_COLOR="1"))


def test_a_table_that_is_too_wide_for_a_terminal_has_a_paragraph_for_each_row() -> None:
    zone = "privatelink.blob.core.windows.net"
    code = (
        "from resolver.cli import output; output.table(('zone', 'state', 'problem', 'networks'), "
        f"[('{zone}', 'Approved', '', 'a-network-with-a-long-name, another')])"
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(code)).splitlines() == [
        zone, "  state: Approved; networks: a-network-with-a-long-name,", "  another",
    ]  # fmt: skip


def test_fields_that_no_sentence_knows_are_listed_with_their_labels() -> None:
    """The daemon may be of another version than the command."""
    finding = {
        "severity": "warning", "code": "forward-loop", "subject": "onprem", "action": "SERVFAIL", "rule": "",
        "networks": [], "networks_total": 0, "evidence": {"brought_by": ["10.0.0.4"]},
    }  # fmt: skip
    assert finding_text.sentence(finding) == "sent back by: 10.0.0.4 → SERVFAIL"


def test_a_finding_is_a_sentence() -> None:
    pe = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    target = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake"
    finding = {
        "severity": "warning", "code": "companion-missing", "id": "0c26", "subject": target, "rule": "",
        "action": "served without it", "networks": ["east"], "networks_total": 40,
        "evidence": {"missing": [{"group": "dfs", "needs": "blob", "endpoints": [pe], "within": "resource"}]},
    }  # fmt: skip
    said = "lake has a dfs endpoint but none for blob; in east and 39 more → served without it"
    assert finding_text.row(finding) == ("warning", "companion-missing", "0c26", "lake (rg)", said)


def test_findings_on_a_terminal_fit_its_width_and_share_a_heading() -> None:
    code = """if True:
        from resolver.cli import finding_text
        each = {"severity": "error", "code": "state-unwritable", "id": "1", "subject": "/state/file", "networks": [],
                "networks_total": 0, "action": "answers continue " * 5, "evidence": {"message": "no space left " * 9}}
        finding_text.write([each, each | {"subject": "/state/other"}])"""
    terminal, inside = os.openpty()
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "60"}
    environ.pop("NO_COLOR", None)
    subprocess.run([sys.executable, "-c", code], stdout=inside, check=True, env=environ)
    os.close(inside)
    text = re.sub(r"\x1b\[[0-9;]*m", "", os.read(terminal, 10_000).decode())
    os.close(terminal)
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= 60
    assert sum("state-unwritable" in line for line in lines) == 1
    assert "  /state/other (1)" in lines
