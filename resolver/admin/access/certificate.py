"""The certificate of the TCP listener. Files that change are read again; what cannot be used leaves the old one.

Does not know who connects.
"""

import ssl
import time
from typing import Final

from resolver.admin_settings import AdminTls
from resolver.process import certificate
from resolver.settings import Tls
from resolver.supervisor.key_files import INTERVAL, KeyFiles, check_usable

_ALPN: Final = ("http/1.1",)


class Certificate:
    """The TLS context of the listener."""

    def __init__(self, settings: AdminTls) -> None:
        self._tls = Tls((), settings.certificate, settings.key)
        self._context = certificate.context(_ALPN)
        self._files = KeyFiles([(settings.certificate, settings.key)], check_usable)
        self._due = 0.0
        self._load()

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection. Looks for a changed file at most once in `INTERVAL` seconds."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + INTERVAL
            if self._files.check():
                self._load()
        return self._context

    def _load(self) -> None:
        contents = self._files.contents
        if contents:
            certificate.load(self._context, self._tls, contents[self._tls.certificate], contents[self._tls.key])
