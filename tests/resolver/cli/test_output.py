"""How commands print tables, resource ids and evidence."""

import os
import subprocess
import sys

import pytest

from resolver.cli import finding_text, output


def test_a_table_in_a_pipe_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "what"), [("a" * 300, "x"), ("b", "y")])
    assert capsys.readouterr().out.splitlines() == [f"{'NAME':300}  WHAT", f"{'a' * 300}  x", f"{'b':300}  y"]


def test_a_table_on_a_terminal_is_folded_and_coloured() -> None:
    code = "from resolver.cli import output; output.table(('severity', 'subject'), [('error', 'x' * 100)])"
    terminal, inside = os.openpty()
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "60"}
    environ.pop("NO_COLOR", None)
    subprocess.run([sys.executable, "-c", code], stdout=inside, check=True, env=environ)
    os.close(inside)
    text = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert "\x1b[1;31merror" in text
    assert text.count("\n") == 3


def test_a_resource_id_is_shown_as_its_name_and_group() -> None:
    text = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    assert output.short(text) == "pe (rg)"
    assert output.short(f"{text}/privateDnsZoneGroups/default") == "pe/default (rg)"
    assert output.short("a.example") == "a.example"


def test_the_words_for_evidence_come_from_its_type() -> None:
    finding = {
        "severity": "warning", "code": "forward-loop", "subject": "onprem", "action": "SERVFAIL", "rule": "",
        "networks": [], "networks_total": 0, "evidence": {"names": ["a"], "brought_by": ["10.0.0.4"]},
    }  # fmt: skip
    assert finding_text.sentence(finding) == "names: a; sent back by: 10.0.0.4 → SERVFAIL"


def test_evidence_is_told_in_words() -> None:
    pe = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    finding = {
        "severity": "warning", "code": "companion-missing", "subject": pe, "action": "served without it", "rule": "",
        "networks": ["east"], "networks_total": 40,
        "evidence": {
            "missing": [{"group": "dfs", "needs": "blob", "endpoints": [pe]}], "none": [], "served": True,
            "names": ["a", "b"], "names_total": 5,
        },
    }  # fmt: skip
    missing = "missing: (group: dfs; needs: blob; endpoints: pe (rg))"
    rest = "served: yes; names: a, b and 3 more; in east and 39 more → served without it"
    assert finding_text.row(finding) == ("warning", "companion-missing", "pe (rg)", f"{missing}; {rest}")
