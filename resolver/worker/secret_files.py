"""The certificates, keys and cookie secrets of a worker, from contents of files that the supervisor reads.

Does not know when the files change: the supervisor hands over the contents again.
"""

import logging
import ssl
from collections.abc import Callable
from functools import partial

from resolver.process import certificate
from resolver.process.cookie_secrets import read_secrets
from resolver.process.handed_files import Contents
from resolver.process.socket_role import SocketRole
from resolver.settings import WorkerSettings
from resolver.worker.access.cookies import Cookies

_log = logging.getLogger(__name__)


class SecretFiles:
    """Loads certificates into `contexts`, by the role of the socket, and secrets into `cookies`."""

    def __init__(self, settings: WorkerSettings, cookies: Cookies) -> None:
        self.contexts: dict[SocketRole, ssl.SSLContext] = {}
        self._cookies = cookies
        self._contents: Contents = {}
        self._uses = self._of(settings)

    def configure(self, settings: WorkerSettings) -> None:
        """Use the files of these settings. New connections get the certificates."""
        self._uses = self._of(settings)
        if not settings.cookies.secrets:
            self._cookies.secrets = ()
        self.take(self._contents)

    def _of(self, settings: WorkerSettings) -> list["_Use"]:
        uses = []
        for role, tls, alpn in (
            (SocketRole.TLS, settings.tls, certificate.DOT),
            (SocketRole.HTTPS, settings.https, certificate.DOH),
        ):
            if tls:
                into = self.contexts.setdefault(role, certificate.context(alpn))
                uses.append(_Use((tls.certificate, tls.key), partial(certificate.load, into, tls)))
        if path := settings.cookies.secrets:
            uses.append(_Use((path,), self._read_secrets))
        return uses

    def take(self, contents: Contents) -> None:
        """Use the contents that are new. Where they cannot be used, what was used before stays in use."""
        self._contents = contents
        for each in self._uses:
            each.take(contents)

    def _read_secrets(self, text: bytes) -> None:
        self._cookies.secrets = read_secrets(text.decode("ascii"))


class _Use:
    """Files that are used together. `load` takes their contents, and raises ValueError where they cannot be used."""

    def __init__(self, files: tuple[str, ...], load: Callable[..., None]) -> None:
        self._files = files
        self._load = load
        self._taken: tuple[bytes, ...] | None = None

    def take(self, contents: Contents) -> None:
        """Load the contents of the files if they are new. An error is logged."""
        taken = tuple(contents[file] for file in self._files if file in contents)
        if len(taken) < len(self._files) or taken == self._taken:
            return
        first, self._taken = self._taken is None, taken
        try:
            self._load(*taken)
        except (OSError, ValueError) as error:
            _log.error("%s: %s%s", self._files[0], error, "" if first else "; what was read before stays in use")
        else:
            if not first:
                _log.info("%s: read again", self._files[0])
