"""The real `az`, and the short path of the README with which it begins.

`make az` installs azure-cli into `build/az`; PLDNS_AZ names another program. The README's commands run as they are
written. All later commands run in one process of azure-cli: a process for each would take a second of a processor.
"""

import json
import os
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from resolver.registry_settings import TENANT as LAB_TENANT
from tests.live.daemon import PATIENCE, Daemon
from tests.live.registry import RegistryClient
from tests.paths import ROOT
from tests.peers import tool
from tests.ports import free_port
from tests.registry_shapes import BOTH

_SESSION: Final = """
import io, json, sys
from azure.cli.core import get_default_cli
for line in sys.stdin:
    printed = io.StringIO()
    try:
        status = get_default_cli().invoke(json.loads(line), out_file=printed)
    except SystemExit as ended:
        status = ended.code
    print(json.dumps([status, printed.getvalue()]), flush=True)
"""
"""Runs commands: each line of the input is one, each line of the output its exit status and what it prints."""
_SECTION: Final = "## Private endpoints without Azure\n"


def program() -> Path:
    """Return the path of `az`. Where it is missing the test is skipped, or fails if PLDNS_REQUIRE_PEERS is set."""
    if named := os.environ.get("PLDNS_AZ"):
        return Path(named)
    if (ROOT / "build/az/.installed").exists():
        return ROOT / "build/az/bin/az"
    missing = "azure-cli is not in build/az: run `make az`, or set PLDNS_AZ to the program"
    if os.environ.get("PLDNS_REQUIRE_PEERS"):
        pytest.fail(missing)
    pytest.skip(missing)


class Lab:
    """The registry of the README's short path in a folder, an `az` that uses the registry, and `dig`."""

    def __init__(self, folder: Path) -> None:
        section = (ROOT / "README.md").read_text().partition(_SECTION)[2].partition("\n## ")[0]
        self._preparation, self._commands = _blocks(section, "sh")
        (promised,) = _blocks(section, "")
        self.promised = _lines(promised)
        """The lines that the last command of the README prints, as the README says."""
        self.printed: list[str] = []
        """Those that it printed here."""
        (configuration,) = _blocks(section, "yaml")
        self._folder = folder
        self._port = free_port()
        made = yaml.safe_load(configuration)
        made["registry"]["listen"] = f"127.0.0.1:{self._port}"
        made["registry"]["clients"][0]["sha256"] = sha256(BOTH.secret.encode()).hexdigest()
        self.subscription = str(made["registry"]["subscriptions"][0]["id"])
        del made["dns"]  # the daemon has a port of its own
        self.daemon = Daemon(folder, made)
        self._shells = {
            **os.environ,
            "PATH": f"{program().parent}:{Path(self.daemon.command[0]).parent}:{os.environ['PATH']}",
            "SECRET": BOTH.secret,
            "AZURE_CONFIG_DIR": str(folder / "az"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
        }
        """The environment of the README's commands, which set the rest."""
        self._shells.pop("PYTHONDONTWRITEBYTECODE", None)
        bundle = {"REQUESTS_CA_BUNDLE": str(folder / "dns.pem"), "AZURE_CORE_INSTANCE_DISCOVERY": "false"}
        self._environment = {**self._shells, **bundle}
        self._session: subprocess.Popen[str] | None = None
        tool("dig")

    def start(self) -> RegistryClient:
        """Make what the registry needs as the README says, and start the daemon. Return another client of it."""
        self._shell(self._preparation)
        self.daemon.start().ready()
        return RegistryClient(self._port, self._folder / "dns.pem", LAB_TENANT)

    def follow_the_readme(self) -> None:
        """Run the README's commands."""
        text = self._commands.replace("127.0.0.1:8443", f"127.0.0.1:{self._port}")
        self.printed = self._shell(text.replace("5300", str(self.daemon.port)))[-len(self.promised) :]

    def az(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command, which must succeed. Return what it prints."""
        status, printed, errors = self._invoke(*words, "--output", "json")
        assert status == 0, f"az {' '.join(words)}: {errors}"
        return json.loads(printed) if printed.strip() else None

    def refused(self, *words: str) -> str:
        """Run a command, which must fail. Return its errors."""
        status, printed, errors = self._invoke(*words)
        assert status != 0, f"az {' '.join(words)}: {printed}"
        return errors

    def stop(self) -> None:
        """End the process of azure-cli, and the daemon."""
        if self._session:
            self._session.kill()
            self._session.communicate()
        self.daemon.stop()

    def _invoke(self, *words: str) -> tuple[int, str, str]:
        log = self._folder / "az.log"
        if self._session is None:
            with log.open("w") as errors:
                self._session = subprocess.Popen(
                    [program().with_name("python"), "-c", _SESSION], cwd=self._folder, env=self._environment, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                )  # fmt: skip
        said = len(log.read_text())
        assert self._session.stdin
        assert self._session.stdout
        self._session.stdin.write(json.dumps(words) + "\n")
        self._session.stdin.flush()
        reply = self._session.stdout.readline()
        assert reply, log.read_text()
        status, printed = json.loads(reply)
        return status, printed, log.read_text()[said:]

    def dig(self, name: str) -> list[str]:
        """Return the rows of the answer, as `dig` prints them, with one space between fields."""
        done = self._run(["dig", "@127.0.0.1", "-p", str(self.daemon.port), name, "A", "+noall", "+answer"])
        return _lines(done.stdout)

    def _shell(self, script: str) -> list[str]:
        done = self._run(["sh", "-e", "-c", script], self._shells)
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return _lines(done.stdout)

    def _run(
        self, command: list[str | Path], environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self._folder, env=environment or self._environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip


def _blocks(text: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
