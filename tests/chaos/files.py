"""Faults of files: sources that break or disappear, and a state directory that cannot be used."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.chaos.fault import Fault, Over
from tests.chaos.site import Site, estate_text

_TMP: Final = Path("/tmp")  # noqa: S108 - the directory itself is the subject

# -- sources. The guard holds what a file would remove, and unreadable files change nothing.


def _write(text: str, site: Site) -> None:
    (site.endpoints / "estate.json").write_text(text)


def _replace_folder(site: Site) -> None:
    shutil.rmtree(site.endpoints)
    site.endpoints.write_text("{")


def _restore(site: Site) -> None:
    if site.endpoints.is_file():
        site.endpoints.unlink()
    site.endpoints.mkdir(exist_ok=True)
    _write(estate_text(), site)
    site.moved()


def _source(what: str, begin: Callable[[Site], None]) -> Fault:
    return Fault(f"source: {what}", begin, _restore)


SOURCES: Final = (
    _source("a file cannot be parsed", partial(_write, estate_text()[:-200])),
    _source("a file is empty", partial(_write, "")),
    _source("a file has an empty list", partial(_write, '{"endpoints": []}')),
    _source("a file is deleted", lambda site: (site.endpoints / "estate.json").unlink()),
    _source("the folder is deleted", lambda site: shutil.rmtree(site.endpoints)),
    _source("the folder is replaced by a file", _replace_folder),
)

# -- the state directory. Each fault ends control, which cannot save then, and moves an endpoint: the next control must
# neither fail nor serve what was saved before.


def _without_state(spoil: Callable[[Site], object], site: Site) -> Over:
    spoil(site)
    serves = site.serves(site.moved())
    (pid,) = site.children()["control"]
    os.kill(pid, signal.SIGTERM)
    return lambda: pid not in site.children()["control"] and site.is_well() and serves()


def _fill(site: Site) -> None:
    with (site.state.parent / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def _mount(options: str, site: Site) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", site.state.parent], check=True)


def _own(user: int, site: Site) -> None:
    for path in (site.state, *site.state.iterdir()):
        os.chown(path, user, user)


def _take_from_daemon(site: Site) -> None:
    site.owner = site.state.stat().st_uid
    _own(4711, site)


def _move_away(site: Site) -> None:
    site.state.rename(site.state.with_name("away"))


def _move_back(site: Site) -> None:
    shutil.rmtree(site.state, ignore_errors=True)
    site.state.with_name("away").rename(site.state)


def _corrupt(site: Site) -> None:
    for path in site.state.iterdir():
        if path.is_file():
            path.write_bytes(os.urandom(20_000))


def _kill_all_without_state(spoil: Callable[[Site], object], site: Site) -> Over:
    """Spoil the saved data and kill all children: nothing but the sources is left."""
    spoil(site)
    pids = {pid for kind in site.children().values() for pid in kind}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return lambda: not pids & {pid for kind in site.children().values() for pid in kind} and site.is_well()


def _take_over_without_tmp(site: Site) -> None:
    """Have a successor start where no temporary file can be made. The state directory stays writable."""
    subprocess.run(["mount", "--rbind", _TMP, _TMP], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", _TMP], check=True)
    site.take_over()


def _state(what: str, spoil: Callable[[Site], object], end: Callable[[Site], object] = lambda _: None) -> Fault:
    return Fault(f"state directory: {what}", partial(_without_state, spoil), end, hold=0.0)


STATE: Final = (
    _state("removed while running", _move_away, _move_back),
    _state("corrupt files", _corrupt),
    Fault(
        "state directory: corrupt files, and all children killed",
        partial(_kill_all_without_state, _corrupt),
        hold=0.0,
    ),
)
MOUNTED_STATE: Final = (
    _state("disk full", _fill, lambda site: (site.state.parent / "filler").unlink()),
    _state("disk read-only", partial(_mount, "ro"), partial(_mount, "rw")),
    _state("belongs to another user", _take_from_daemon, lambda site: _own(site.owner, site)),
    Fault("takeover while /tmp is read-only", _take_over_without_tmp, lambda _: unmount(_TMP), hold=0.0),
)
"""These need root, and a file system of their own."""


def mount(folder: Path) -> None:
    """Give the state directory a file system of 1 MiB of its own."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", folder], check=True)


def unmount(folder: Path) -> None:
    """Remove that file system."""
    subprocess.run(["umount", "--lazy", folder], check=True)
