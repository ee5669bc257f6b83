"""The walls between the folders, read over our own imports and, for a worker, in the process that runs."""

import ast
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for package in ("zones", "resolver")
    for file in sorted((ROOT / package).rglob("*.py"))
}
IO = {"asyncio", "socket", "ssl", "select", "selectors", "subprocess", "threading", "aiohttp", "anyio", "watchfiles"}
CHANCE = {"time", "random", "secrets", "datetime", "uuid"}
SYSTEM = {"os", "pathlib"}
HEAVY = {"pydantic", "typer", "rich", "yaml", "aiohttp", "watchfiles", "prometheus_client", "dns", "azure"}

FLOORS: Final = """
zones.clocks
zones.dns
zones.azure
zones.networks
zones.claims
zones.findings
zones.ledger
zones.table
resolver.host_port resolver.path_pattern resolver.token_bucket resolver.memory_budget resolver.version
resolver.registry_roles
resolver.azure_settings
resolver.admin_settings resolver.query_log_settings
resolver.registry_settings
resolver.hub_settings
resolver.settings
resolver.settings_change
resolver.process.sandbox
resolver.wire resolver.channel resolver.process resolver.registry.model resolver.hub
resolver.http_protocol
resolver.http_listener
resolver.config
resolver.forward
resolver.forward.client
resolver.sources resolver.supervisor resolver.worker.access resolver.query_log resolver.registry.store
resolver.sources.azure.protocol resolver.worker.answer resolver.registry.service
resolver.sources.azure resolver.registry
resolver.sources.hub
resolver.registry.arm
resolver.worker.net resolver.worker.explain
resolver.worker
resolver.control.guard
resolver.control.estate
resolver.control.feed
resolver.control.state resolver.control.sync resolver.control.history
resolver.control.hub
resolver.control
resolver.admin.access resolver.admin.estate_map
resolver.offline resolver.admin.resources
resolver.admin
resolver.dashboard
resolver.main resolver.cli
"""
"""From the ground up: a folder, or a file in `resolver` or `zones` itself, imports only from the lines above it."""
PURE: Final = """
zones resolver.settings resolver.admin_settings resolver.azure_settings resolver.query_log_settings
resolver.settings_change resolver.version resolver.host_port resolver.token_bucket resolver.memory_budget
resolver.wire resolver.channel.frames resolver.channel.query_records resolver.channel.requests resolver.channel.trace
resolver.forward resolver.sources.reading resolver.sources.azure.protocol resolver.worker.answer
resolver.worker.access resolver.worker.explain resolver.control.guard resolver.control.estate resolver.control.feed
resolver.registry.model resolver.registry_settings resolver.registry_roles resolver.hub resolver.hub_settings
resolver.admin.estate_map
"""
"""No input or output, no clock, no randomness. A folder means its own files, not the folders in it."""


def folder_of(module: str) -> str:
    """Return the folder of a module; a file of `resolver` or `zones` itself counts as a folder."""
    if MODULES[module].name == "__init__.py":
        return module
    folder = module.rpartition(".")[0]
    return module if folder in {"resolver", "zones"} else folder


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports anywhere in it, as full names; ours down to the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
            assert node.module
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update({name for name in inner if name in MODULES} or {node.module})
    return frozenset(found)


def reached(module: str) -> set[str]:
    """All modules that an import of this one loads, as far as our own say."""
    seen: set[str] = set()
    queue = [module]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue += imports(name) if name in MODULES else ()
            queue += [parent] if (parent := name.rpartition(".")[0]) in MODULES else []
    return seen


def among(names: Iterable[str], forbidden: Iterable[str]) -> set[str]:
    """Those names that are, or lie in, something forbidden."""
    return {name for name in names for wall in forbidden if name == wall or name.startswith(f"{wall}.")}


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """One circle of a graph; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def pure(module: str) -> bool:
    return folder_of(module) in PURE.split() or module in PURE.split() or module.partition(".")[0] == "zones"


# -- which folder may import which


def test_imports_point_from_the_upper_floors_to_the_lower_ones() -> None:
    floors = {folder: number for number, line in enumerate(FLOORS.split("\n")) for folder in line.split()}
    assert {folder_of(name) for name, file in MODULES.items() if file.stat().st_size} - floors.keys() == {"zones"}
    upward = [
        f"{name} -> {other}"
        for name, file in MODULES.items()
        if file.stat().st_size and name != "zones"
        for other in imports(name) & MODULES.keys()
        if (one := folder_of(name)) != (two := folder_of(other)) and floors[one] <= floors[two]
    ]
    assert not upward


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not circle({name: imports(name) & MODULES.keys() for name in MODULES})


@pytest.mark.parametrize("module", [name for name in MODULES if pure(name)])
def test_what_is_pure_knows_no_io_no_clock_and_no_chance(module: str) -> None:
    assert not among(reached(module), {*SYSTEM, *IO, *CHANCE})


@pytest.mark.parametrize("module", [name for name in MODULES if name.partition(".")[0] == "zones"])
def test_zones_know_no_daemon(module: str) -> None:
    assert not among(reached(module), {"resolver", "logging", "io"})


def test_zones_read_one_file_their_own() -> None:
    readers = {name for name in MODULES if name.startswith("zones") and among(imports(name), {"importlib.resources"})}
    assert readers == {"zones.azure.catalogue"}
    for name, file in MODULES.items():
        if name.startswith("zones"):
            assert not re.search(r"\bopen\(", file.read_text()), name


def test_a_worker_reaches_no_source_no_admin_surface_and_no_heavy_library() -> None:
    parts = ("sources", "admin", "cli", "control", "config", "supervisor", "offline")
    forbidden = {f"resolver.{name}" for name in parts}
    assert not among(reached("resolver.main.worker"), {*forbidden, *HEAVY})


def test_the_supervisor_has_no_event_loop_no_packets_and_no_configuration_parser() -> None:
    forbidden = {f"resolver.{name}" for name in ("wire", "worker", "control", "config", "admin", "forward")}
    assert not among(reached("resolver.supervisor.serve"), {*forbidden, "asyncio", "multiprocessing", *HEAVY})


def test_a_library_for_identities_is_loaded_with_the_first_token_and_not_before() -> None:
    entries = "import resolver.sources.azure.sync, resolver.main.control, resolver.config.file, resolver.cli"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, json; {entries}; json.dump(sorted(sys.modules), sys.stdout)"],
        stdout=subprocess.PIPE,
        check=True,
    )
    loaded = json.loads(done.stdout)
    assert "resolver.sources.azure.credential" in loaded
    assert not among(loaded, {"azure", "msal", "requests", "jwt", "cryptography"})


def test_packages_of_the_daemon_are_empty_in_themselves() -> None:
    packages = [name for name, file in MODULES.items() if file.name == "__init__.py" and name.startswith("resolver")]
    filled = {name for name in packages if MODULES[name].read_text().strip()}
    assert filled <= {"resolver.cli"}  # the command's entry, which no process of the daemon imports


# -- a worker that runs

WORKER = """
import json, sys
from pathlib import Path
folder = Path({folder!r})
from resolver.main import worker
worker.leave = lambda: (folder / "modules.json").write_text(json.dumps(sorted(sys.modules)))
worker.main()
"""
SERVE = """
import sys
from pathlib import Path
from resolver.supervisor.serve import Commands, serve
folder = Path(sys.argv[1])
sys.exit(serve(folder / "pldns.yaml", {}, commands=Commands(worker=(sys.executable, str(folder / "worker.py")))))
"""
HEALTH = b"\0\7\1\0\0\1\0\0\0\0\0\0\6health\5pldns\0\0\1\0\1"


@pytest.fixture
def daemon(tmp_path: Path, write_world: Callable[..., Path]) -> Iterator[Callable[[], list[str]]]:
    """A daemon that serves an endpoint; called, it stops and tells what modules its worker had loaded."""
    estate = "endpoints: [{name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}]"
    settings = "sources: [{name: estate, type: files, path: ./endpoints}]"
    write_world(tmp_path, settings, {"endpoints/a.yaml": estate, "worker.py": WORKER.format(folder=str(tmp_path))}, {})
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(tmp_path)],
            stderr=stderr,
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path), "PLDNS_USER": "root", "PLDNS_SANDBOX": "off"},
        )

    def stop() -> list[str]:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
        modules: list[str] = json.loads((tmp_path / "modules.json").read_text())
        return modules

    deadline = time.monotonic() + 60
    while "all workers are up" not in log.read_text() or "all sources have data" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        select.select([], [], [], 0.02)
    yield stop
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.mark.live
def test_a_running_worker_has_loaded_nothing_that_is_forbidden(
    tmp_path: Path, daemon: Callable[[], list[str]], ask: Callable[..., bytes]
) -> None:
    found = re.search(r"listening on ([\d.]+):(\d+)", (tmp_path / "log").read_text())
    assert found
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.connect((found[1], int(found[2])))
        for packet in (HEALTH, ask("acct.blob.core.windows.net"), ask("www.example")):
            sock.send(packet)
            assert sock.recv(4096)[:2] == packet[:2]
    modules = daemon()
    assert "resolver.main.worker" in modules
    assert not among(modules, {"resolver.sources", "resolver.admin", "resolver.cli", "resolver.config", *HEAVY})


def test_every_path_that_architecture_names_exists() -> None:
    """A bare file name lies in the folder of the path before it in its row."""
    missing = []
    for row in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        folder = ROOT
        for path in re.findall(r"`([\w/*]+(?:\.py|/))`", row) if row.startswith("|") else ():
            found = [*ROOT.glob(path), *folder.glob(path), *(ROOT / "resolver").glob(path)]
            missing += [] if found else [path]
            folder = found[0].parent if found and found[0].is_file() else folder
    assert not missing
