"""The man pages have the commands and options of the command line, and man accepts them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from resolver.cli import manual


def test_each_command_has_a_page_with_its_options(tmp_path: Path) -> None:
    manual.main(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert {"pldns.1", "pldns-serve.1", "pldns-sync-accept.1", "pldns-config-show.1"} <= names
    serve = (tmp_path / "pldns-serve.1").read_text()
    assert r"\fB\-\-config\fR, \fB\-c\fR \fIFILE\fR" in serve
    assert r"\fB\-\-takeover\fR" in serve
    assert r"\fINAME\fR [\fITYPE\fR]" in (tmp_path / "pldns-explain.1").read_text()
    overview = (tmp_path / "pldns.1").read_text()
    assert all(rf"\fB{name[:-2].replace('-', ' ', 1)}\fR(1)" in overview for name in ("pldns-serve.1", "pldns-check.1"))


def test_no_line_of_text_is_read_as_a_request_of_roff() -> None:
    known = {".TH", ".SH", ".B", ".TP", ".PP"}
    lines = [line for page in manual.pages().values() for line in page.splitlines()]
    assert {line.split()[0] for line in lines if line.startswith((".", "'"))} == known


@pytest.mark.parametrize("name", ["pldns.1", "pldns-serve.1", "pldns-query.1"])
def test_groff_accepts_a_page(name: str) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed (Debian: groff-base)")
    done = subprocess.run(
        [groff, "-man", "-ww", "-z"], input=manual.pages()[name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
