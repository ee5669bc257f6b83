"""The TLS of the TCP listener: its certificate, and the authorities of client certificates.

Files that change are read again; what cannot be used leaves what was read before. Does not know who connects.
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
        self._authorities = settings.client_ca
        groups = [(settings.certificate, settings.key), *([(settings.client_ca,)] if settings.client_ca else [])]
        self._files = KeyFiles(groups, _check)
        self._context = certificate.context(_ALPN)
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
        contents, made = self._files.contents, certificate.context(_ALPN)
        if self._tls.certificate in contents:
            certificate.load(made, self._tls, contents[self._tls.certificate], contents[self._tls.key])
        if self._authorities in contents:
            made.load_verify_locations(cadata=certificate.certificates(contents[self._authorities]))
            made.verify_mode = ssl.CERT_OPTIONAL  # a client may have a token instead
            made.options |= ssl.OP_NO_TICKET  # a session that is resumed would not be verified again
            made.num_tickets = 0
        self._context = made


def _check(*files: tuple[str, bytes]) -> None:
    """Raise ValueError where a certificate and its key, or authorities, cannot be used."""
    match files:
        case ((path, content),):
            try:
                ssl.create_default_context(cadata=certificate.certificates(content) or "none")
            except ssl.SSLError:
                raise ValueError(f"{path} has no certificate of an authority in PEM form") from None
        case _:
            check_usable(*files)
