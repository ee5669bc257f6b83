"""Fixtures that start the supervisor with small children, and stop it at the end of the test."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.resolver.supervisor.small_daemon import ACCEPT, CONTROL, LAUNCHER, WORKER, Daemon, configure


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"launcher": LAUNCHER, "accept": ACCEPT, "control": CONTROL, "worker": WORKER}.items():
        (tmp_path / f"{name}.py").write_text(text)
    configure(tmp_path)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Daemon]]:
    daemons: list[Daemon] = []

    def call(*words: int | str, under: Sequence[str] = (), **environ: str) -> Daemon:
        daemons.append(Daemon(folder, *words, under=under, **environ))
        return daemons[-1]

    yield call
    for daemon in daemons:
        daemon.kill()
