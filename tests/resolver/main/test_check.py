"""The configuration check as the process that the supervisor starts."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from resolver.host_port import HostPort
from resolver.settings import Accepted
from zones.dns.parsed_zones import ParsedZones


def accept(path: Path, **flags: str) -> subprocess.CompletedProcess[str]:
    with parsed_by(path).open("wb") as zones:
        request = json.dumps({"path": str(path), "flags": flags, "zones": zones.fileno()})
        command, fds = [sys.executable, "-P", "-m", "resolver.main.check"], [zones.fileno()]
        return subprocess.run(command, input=request, capture_output=True, text=True, check=False, pass_fds=fds)


def parsed_by(path: Path) -> Path:
    """Return where the check of a configuration writes the parsed zones."""
    return path.with_suffix(".zones")


def test_an_accepted_configuration_is_written_as_settings(tmp_path: Path) -> None:
    path = tmp_path / "pldns.yaml"
    path.write_text('dns: {listen: ["127.0.0.1:0"]}\n')
    done = accept(path, **{"dns.workers": "2"})
    assert done.returncode == 0, done.stderr
    accepted = msgspec.json.decode(done.stdout, type=Accepted)
    assert accepted.worker.listen == (HostPort("127.0.0.1", 0),)
    assert accepted.workers == 2


def test_the_parsed_zones_are_written_to_the_descriptor(tmp_path: Path) -> None:
    path, text = tmp_path / "pldns.yaml", "$ORIGIN corp.example.\r\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n"
    path.write_text('dns: {listen: ["127.0.0.1:0"]}\nzones: {files: [corp.zone]}\n')
    (tmp_path / "corp.zone").write_bytes(text.encode())
    done = accept(path)
    assert done.returncode == 0, done.stderr
    parsed = ParsedZones()
    parsed.parse(text, "corp.zone")
    assert parsed_by(path).read_bytes() == parsed.encoded()


def test_a_refused_configuration_writes_its_errors_to_stderr_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pldns.yaml"
    path.write_text("dns: {lisen: []}\nadmin: 7\n")
    done = accept(path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert all(line.startswith(f"{path}:") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
