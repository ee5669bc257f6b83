"""The certificate of a TCP listener of control. A file that changes is read again; one that cannot be used is ignored.

Does not know who connects.
"""

import ssl
import time
from typing import Final

from resolver.process import certificate
from resolver.settings import Tls
from resolver.supervisor.key_files import INTERVAL, KeyFiles, check_usable

_ALPN: Final = ("http/1.1",)


class Certificate:
    """The TLS context of a listener of control. `chain` and `key` are paths."""

    def __init__(self, chain: str, key: str) -> None:
        self._tls = Tls((), chain, key)
        self._context = certificate.context(_ALPN)
        self._files = KeyFiles([(chain, key)], check_usable)
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
