"""The certificates, keys and cookie secrets of workers: read at the start, and again when the files change.

A change is found in the metadata of the file behind any links, because a mounted Kubernetes secret changes when a link
is replaced. What cannot be used is not handed to a worker, so that a worker that starts later has the certificate that
the others have.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from resolver.process import certificate
from resolver.process.cookie_secrets import read_secrets
from resolver.process.handed_files import Contents
from resolver.settings import Tls, WorkerSettings

INTERVAL: Final = 5.0
"""Seconds between two checks for changes."""

_log = logging.getLogger(__name__)
_State = tuple[tuple[int, ...], ...]
CheckUsable = Callable[..., None]
"""Takes (path, content) of each file of a group."""


class KeyFiles:
    """Files in groups that are read together, for example a certificate and its key.

    `check_usable` raises ValueError for contents of a group that cannot be used.
    """

    def __init__(self, groups: Sequence[tuple[str, ...]], check_usable: CheckUsable) -> None:
        self._check_usable = check_usable
        self.contents: Contents = {}
        """The contents that were read last. A group that could not be read is not in it."""
        self._states: dict[tuple[str, ...], _State | None] = dict.fromkeys(groups)
        self.check()

    def __bool__(self) -> bool:
        """Return whether there is any file."""
        return bool(self._states)

    def check(self) -> bool:
        """Read the files that changed since the last call; return whether any contents are new.

        An error is logged once for each change, and what was read before stays.
        """
        before = dict(self.contents)
        for group, seen in self._states.items():
            state = tuple(map(_state, group))
            if state != seen:
                self._states[group] = state
                self._read(group, first=seen is None)
        return self.contents != before

    def _read(self, group: tuple[str, ...], *, first: bool) -> None:
        try:
            read = {path: Path(path).read_bytes() for path in group}
            self._check_usable(*((path, read[path]) for path in group))  # both may be in one file
        except (OSError, ValueError) as error:
            _log.error("%s: %s%s", group[0], error, "" if first else "; what was read before stays in use")
        else:
            self.contents |= read


def check_usable(*files: tuple[str, bytes]) -> None:
    """Raise ValueError where a certificate and its key, or a file of cookie secrets, cannot be used."""
    match files:
        case ((chain_path, chain), (key_path, key)):
            certificate.load(certificate.context(), Tls((), chain_path, key_path), chain, key)
        case ((_, secrets),):
            read_secrets(secrets.decode("ascii"))


def key_files(settings: WorkerSettings, check_usable: CheckUsable = check_usable) -> KeyFiles:
    """Return the files that these settings name."""
    pairs = [(tls.certificate, tls.key) for tls in (settings.tls, settings.https) if tls]
    secrets = [(settings.cookies.secrets,)] if settings.cookies.secrets else []
    return KeyFiles([*dict.fromkeys(pairs), *secrets], check_usable)


def _state(path: str) -> tuple[int, ...]:
    """Return a value that differs when the content does; empty where there is no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
