"""Certificates in files, and clients that trust them."""

import ssl
from pathlib import Path

import trustme
from cryptography import x509

from resolver.process import certificate
from resolver.settings import Tls
from resolver.worker.watched_files import WatchedFiles


class Pair:
    """A certificate in files, the server's context, and a client's context that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.tls = Tls((), str(folder / "cert.pem"), str(folder / "key.pem"))
        self.client = ssl.create_default_context()
        self._authority.configure_trust(self.client)
        self.issue()
        self.context = certificate.context(certificate.DOT)
        self.watched = WatchedFiles(
            (self.tls.certificate, self.tls.key), lambda: certificate.load(self.context, self.tls)
        )

    def issue(self) -> str:
        """Write a new certificate and key. Return the serial number that clients see."""
        made = self._authority.issue_cert("localhost")
        Path(self.tls.certificate).write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        Path(self.tls.key).write_bytes(made.private_key_pem.bytes())
        return _serial(made.cert_chain_pems[0].bytes())


def _serial(pem: bytes) -> str:
    return f"{x509.load_pem_x509_certificate(pem).serial_number:X}"
