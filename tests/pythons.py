"""Runs the tests of what touches the interpreter and the operating system on the other Pythons of this machine.

`python -m tests.pythons` uses the oldest and the newest Python that pldns supports and that the machine has, except for
the one that runs this module: `make test` uses that one. Each gets an environment of its own in `build/pythons/`,
with the locked packages and compiled modules. `--prepare` makes the environments and runs no test. All other arguments
are for pytest.

Does not know how a Python came to the machine.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.paths import ROOT

Version = tuple[int, ...]

TESTS: Final = (
    "tests/chaos/test_chaos.py", "tests/live/test_first_table.py", "tests/live/test_hangs.py", "tests/live/test_log.py",
    "tests/live/test_sandbox.py", "tests/live/test_takeover.py",
    "tests/live/test_processes.py::test_a_killed_worker_is_replaced_and_answers",
    "tests/live/test_processes.py::test_control_that_ends_before_its_workers_logs_no_error",
    "tests/live/test_processes.py::test_ctrl_c_to_the_group_stops_all_and_frees_the_port",
    "tests/live/test_processes.py::test_no_child_outlives_the_supervisor",
    "tests/live/test_reload.py::test_connections_survive_and_no_query_is_lost",
    "tests/resolver/channel", "tests/resolver/main", "tests/resolver/supervisor", "tests/resolver/worker/net",
)  # fmt: skip
"""Processes, signals, sockets, event loops, TLS and the sandbox."""
_LOCK: Final = ROOT / "requirements.lock"
_CLASSIFIER: Final = re.compile(r"Programming Language :: Python :: (3\.\d+)")
_QUESTION: Final = "import ensurepip, sys, venv; print(sys.executable, '{}.{}.{}'.format(*sys.version_info))"


def supported() -> list[str]:
    """Return the versions that pldns supports, such as `3.11`: those of the classifiers in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [found[1] for each in project["classifiers"] if (found := _CLASSIFIER.fullmatch(each))]


def candidates(path: str, pyenv: Path) -> list[Path]:
    """Return files that may be Pythons of supported versions: on `path`, and below pyenv's folder of versions."""
    folders = [Path(folder) for folder in path.split(":") if folder] + sorted(pyenv.glob("versions/*/bin"))
    return [folder / f"python{version}" for version in supported() for folder in folders]


def found(files: Iterable[Path]) -> dict[Version, Path]:
    """Return the Pythons among the files by version. One that cannot make environments is left out."""
    pythons: dict[Version, Path] = {}
    for file in files:
        if not os.access(file, os.X_OK):
            continue
        done = subprocess.run([file, "-c", _QUESTION], capture_output=True, text=True, check=False)
        if done.returncode == 0:  # pyenv has commands for Pythons that are not selected: they fail
            executable, version = done.stdout.rsplit(maxsplit=1)
            pythons.setdefault(tuple(map(int, version.split("."))), Path(executable))
    return pythons


def others(pythons: dict[Version, Path], own: Version) -> dict[Version, Path]:
    """Return the oldest and the newest Python, without those of the minor version of `own`."""
    ends = {min(pythons), max(pythons)} if pythons else set()
    return {version: pythons[version] for version in sorted(ends) if version[:2] != own[:2]}


def environment(version: Version, python: Path) -> Path:
    """Make the environment of a Python where it is missing or old. Return its Python."""
    folder = ROOT / "build/pythons" / ".".join(map(str, version))
    inside = folder / "bin/python"
    lock = folder / "requirements.lock"
    if not lock.exists() or lock.read_bytes() != _LOCK.read_bytes():
        _run(python, "-m", "venv", "--clear", folder)
        pip = (inside, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        _run(*pip, "--no-compile", "--require-hashes", "--requirement", _LOCK)
        _run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        lock.write_bytes(_LOCK.read_bytes())
    if not compiled(version):
        # Tests of behaviour need no fast code, and a compiler that does not optimise takes less than half of the time.
        _run(inside, "hatch_build.py", CFLAGS="-O0 -g0")
    return inside


def compiled(version: Version) -> bool:
    """Return whether the compiled modules of a Python are there, and newer than all of their sources."""
    sources = [*ROOT.glob("resolver/**/*.pxd"), ROOT / "hatch_build.py"]
    sources += [types.with_suffix(".py") for types in sources[:-1]]
    tag = f"cpython-{version[0]}{version[1]}-"
    modules = [file for file in ROOT.glob("resolver/**/*.so") if f".{tag}" in file.name]
    if len(modules) < len(sources) // 2:
        return False
    return min(each.stat().st_mtime for each in modules) > max(each.stat().st_mtime for each in sources)


def main(arguments: list[str]) -> int:
    """Prepare the environments, and run the tests in each unless `arguments` say otherwise. Return the exit status."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    pythons = found(candidates(os.environ.get("PATH", ""), pyenv))
    own = sys.version_info[:3]
    chosen = others(pythons, own)
    if not chosen:
        _say(f"this machine has no older or newer Python than {_text(own)} (supported: {', '.join(supported())})")
    failed = False
    for version, python in chosen.items():
        inside = environment(version, python)
        if "--prepare" not in arguments:
            _say(f"Python {_text(version)}: {python}")
            command = [str(inside), "-m", "pytest", *arguments, *TESTS]
            failed |= subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    return int(failed)


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run(*command: str | Path, **variables: str) -> None:
    subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
