"""Clean roots of Debian, and processes in them. Needs root and mmdebstrap, and a Debian mirror for a new root.

A process in a root has process ids, mounts and a host name of its own. It shares the network of the machine.
"""

import contextlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.packaging.programs import TOOLS, run
from tests.paths import ROOT

SUITE: Final = "trixie"
PYTHON: Final = "3.13"
"""The Python of that suite, and of the image."""
BUILD: Final = ("python3-venv", "python3-dev", "gcc", "libc6-dev", "ca-certificates")
"""What a root needs to build pldns."""
BASE: Final = ("python3", "python3-venv", "libpython3-dev", "ca-certificates")
"""What the base image of the Dockerfile has."""
RUN: Final = ("python3", "systemd", "init-system-helpers", "ca-certificates")
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Root:
    """A root file system in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, inside: str) -> Path:
        return self.folder / inside.lstrip("/")

    def command(self, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        """Return the command that runs `command` in the root as process 1. `options`: of unshare(1)."""
        proc = f"--mount-proc={self.path('proc')}"
        return ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", proc, *options,
                "env", "-i", _PATH, "LANG=C.UTF-8", "chroot", str(self.folder), *command]  # fmt: skip

    def run(self, *command: str) -> str:
        """Run a command in the root and return what it printed. A failure fails the test."""
        return run(*self.command(*command))

    def exists(self, inside: str) -> bool:
        return os.path.lexists(self.path(inside))


@contextlib.contextmanager
def fresh(folder: Path, packages: tuple[str, ...]) -> Iterator[Root]:
    """Unpack a new root with these packages. It is removed at the end."""
    folder.mkdir()
    with tarfile.open(_archive(packages)) as archive:
        archive.extractall(folder, filter="fully_trusted")  # noqa: S202 - the archive comes from mmdebstrap
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    try:
        yield Root(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _archive(packages: tuple[str, ...]) -> Path:
    """Return the archive of a root, which is made when it is missing."""
    kept = TOOLS.parent / "roots" / f"{SUITE}-{'-'.join(packages)}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        names = ",".join(packages)
        run("mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", f"--include={names}", SUITE, part)
        part.rename(kept)
    return kept


def wheels() -> Path:
    """Return a folder with the locked packages of pldns and of its build, as wheels for the root's Python.

    The machine's pip downloads them, with its own settings. The hashes of the lock files are checked here and there.
    """
    kept = TOOLS.parent / "wheels"
    short = f"cp{PYTHON.replace('.', '')}"
    tags = [f"--platform=manylinux_2_{minor}_x86_64" for minor in (17, 28, 34)]
    for lock in (ROOT / "requirements-run.lock", ROOT / "requirements-build.lock"):
        run(
            ROOT / ".venv/bin/pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
            f"--python-version={PYTHON}", "--implementation=cp", f"--abi={short}", "--abi=abi3", "--abi=none",
            *tags, "--platform=manylinux2014_x86_64", "--platform=any", "--dest", kept, "--requirement", lock,
        )  # fmt: skip
    return kept


def npm_cache() -> Path:
    """Return a cache of npm with what builds the page. The machine's npm downloads that, with its own settings."""
    kept = TOOLS.parent / "npm"
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / "page" / name, folder)
        run("npm", "ci", "--omit=dev", "--prefix", folder, "--cache", kept)
    return kept
