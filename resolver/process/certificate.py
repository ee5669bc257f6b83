"""TLS contexts of listeners, and loading a certificate into a context that is in use.

Does not know the listeners, and opens no file. A new connection gets the certificate that its context loaded last.
"""

import os
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from resolver.settings import Tls

DOT: Final = ("dot",)
"""ALPN identifier of DNS over TLS (RFC 7858)."""
DOH: Final = ("h2", "http/1.1")
"""ALPN identifiers of DNS over HTTPS: HTTP/2 and HTTP/1.1 (RFC 8484 §5.2)."""

_CERTIFICATE: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]*CERTIFICATE-----.*?-----END [A-Z0-9 ]*CERTIFICATE-----", re.DOTALL
)
_SUITES: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Suites of TLS 1.2: with forward secrecy and authenticated encryption (RFC 9325 §4.2). TLS 1.3 has no others."""


def context(alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Return a context for a listener. It has no certificate, so handshakes fail until one is loaded."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(_SUITES)
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


def load(into: ssl.SSLContext, tls: Tls, chain: bytes, key: bytes) -> None:
    """Load a certificate chain and its key, both PEM, into a context. `tls` names their files, for messages.

    Raises `ValueError` with the reason where the pair is unusable, and leaves the context unchanged.
    """
    with _path(chain) as chain_path, _path(key) as key_path:
        for made in (context(), into):
            try:
                made.load_cert_chain(chain_path, key_path, password=_no_password)
            except ssl.SSLError as error:
                raise ValueError(_reason(error, tls)) from None


def certificates(content: bytes) -> str:
    """Return the PEM certificates in a file, without the text around them; empty where there is none."""
    return "\n".join(_CERTIFICATE.findall(content.decode("ascii", errors="replace")))


@contextmanager
def _path(content: bytes) -> Iterator[str]:
    """Yield the path of a file in memory: Python's `ssl` takes a certificate and a key only from files."""
    descriptor = os.memfd_create("pem")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _no_password() -> str:
    raise ValueError("the key is encrypted; pldns needs a key without a password")


def _reason(error: ssl.SSLError, tls: Tls) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {tls.key} does not belong to the certificate {tls.certificate}"
    if error.reason in {None, "PEM", "NO_START_LINE", "BAD_BASE64_DECODE", "BAD_END_LINE"} or "PEM" in str(error):
        return f"{tls.certificate} or {tls.key} is not a certificate chain or a key in PEM form"
    return f"{tls.certificate} and {tls.key} cannot be used: {error.reason}"
