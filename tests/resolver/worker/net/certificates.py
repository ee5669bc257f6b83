"""Certificates in files, and clients that trust them."""

import ssl
from pathlib import Path

import trustme
from cryptography import x509

from resolver.process import certificate
from resolver.process.socket_role import SocketRole
from resolver.settings import Tls, WorkerSettings
from resolver.supervisor.key_files import key_files
from resolver.worker.access.cookies import Cookies
from resolver.worker.secret_files import SecretFiles


class Pair:
    """A certificate in files, the server's context, and a client's context that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.tls = Tls((), str(folder / "cert.pem"), str(folder / "key.pem"))
        self.client = ssl.create_default_context()
        self._authority.configure_trust(self.client)
        self.issue()
        settings = WorkerSettings((), (), tls=self.tls)
        self._files = key_files(settings)
        self._secrets = SecretFiles(settings, Cookies(b""))
        self.context = self._secrets.contexts[SocketRole.TLS]
        self.check()

    def check(self) -> None:
        """Do what the supervisor and a worker do when it is time to look for changes."""
        self._files.check()
        self._secrets.take(self._files.contents)

    def load(self, context: ssl.SSLContext) -> None:
        """Load the certificate and key into another context."""
        certificate.load(context, self.tls, *self._files.contents.values())

    def issue(self) -> str:
        """Write a new certificate and key. Return the serial number that clients see."""
        made = self._authority.issue_cert("localhost")
        Path(self.tls.certificate).write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        Path(self.tls.key).write_bytes(made.private_key_pem.bytes())
        return _serial(made.cert_chain_pems[0].bytes())


def _serial(pem: bytes) -> str:
    return f"{x509.load_pem_x509_certificate(pem).serial_number:X}"
