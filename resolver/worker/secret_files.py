"""The certificates, keys and cookie secrets of a worker: read at the start, and again when the files change."""

import asyncio
import ssl
from functools import partial
from pathlib import Path
from typing import Final

from resolver.process import certificate
from resolver.process.cookie_secrets import read_secrets
from resolver.process.socket_role import SocketRole
from resolver.settings import WorkerSettings
from resolver.worker.access.cookies import Cookies
from resolver.worker.watched_files import WatchedFiles

_INTERVAL: Final = 5.0  # seconds between two checks for changes


class SecretFiles:
    """Loads certificates into `contexts`, by the role of the socket, and secrets into `cookies`."""

    def __init__(self, settings: WorkerSettings, cookies: Cookies, loop: asyncio.AbstractEventLoop) -> None:
        self.contexts: dict[SocketRole, ssl.SSLContext] = {}
        self._cookies = cookies
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._files = self._of(settings)

    def configure(self, settings: WorkerSettings) -> None:
        """Read the files of these settings now, and watch them. New connections get the certificates."""
        self._files = self._of(settings)
        if not settings.cookies.secrets:
            self._cookies.secrets = ()
        self.watch()

    def _of(self, settings: WorkerSettings) -> list[WatchedFiles]:
        files = []
        for role, tls, alpn in (
            (SocketRole.TLS, settings.tls, certificate.DOT),
            (SocketRole.HTTPS, settings.https, certificate.DOH),
        ):
            if tls:
                into = self.contexts.setdefault(role, certificate.context(alpn))
                files.append(WatchedFiles((tls.certificate, tls.key), partial(certificate.load, into, tls)))
        if path := settings.cookies.secrets:
            files.append(WatchedFiles((path,), partial(self._read_secrets, path)))
        return files

    def watch(self) -> None:
        """Read the files now, and check them for changes from now on."""
        for each in self._files:
            each.check()
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(_INTERVAL, self.watch) if self._files else None

    def _read_secrets(self, path: str) -> None:
        self._cookies.secrets = read_secrets(Path(path).read_text("ascii"))
