"""The configuration check as the process that the supervisor starts."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from resolver.host_port import HostPort
from resolver.settings import Accepted


def accept(path: Path, **flags: str) -> subprocess.CompletedProcess[str]:
    request = json.dumps({"path": str(path), "flags": flags})
    command = [sys.executable, "-P", "-m", "resolver.main.check"]
    return subprocess.run(command, input=request, capture_output=True, text=True, check=False)


def test_an_accepted_configuration_is_written_as_settings(tmp_path: Path) -> None:
    path = tmp_path / "pldns.yaml"
    path.write_text('dns: {listen: ["127.0.0.1:0"]}\n')
    done = accept(path, **{"dns.workers": "2"})
    assert done.returncode == 0, done.stderr
    accepted = msgspec.json.decode(done.stdout, type=Accepted)
    assert accepted.worker.listen == (HostPort("127.0.0.1", 0),)
    assert accepted.workers == 2


def test_a_refused_configuration_writes_its_errors_to_stderr_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pldns.yaml"
    path.write_text("dns: {lisen: []}\nadmin: 7\n")
    done = accept(path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert all(line.startswith(f"{path}:") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
