"""TLS contexts of listeners, and loading a certificate into a context that is in use.

Does not know the listeners. A new connection gets the certificate that its context loaded last.
"""

import ssl
from collections.abc import Sequence
from typing import Final

from resolver.settings import Tls

DOT: Final = ("dot",)
"""ALPN identifier of DNS over TLS (RFC 7858)."""
DOH: Final = ("h2", "http/1.1")
"""ALPN identifiers of DNS over HTTPS: HTTP/2 and HTTP/1.1 (RFC 8484 §5.2)."""

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


def load(into: ssl.SSLContext, tls: Tls) -> None:
    """Load a certificate chain and its key into a context. Leaves the context unchanged where the pair is unusable.

    Raises `ValueError` for an unusable pair, and `OSError` where a file cannot be read. The message gives the reason.
    """
    for made in (context(), into):
        try:
            made.load_cert_chain(tls.certificate, tls.key, password=_no_password)
        except ssl.SSLError as error:
            raise ValueError(_reason(error, tls)) from None


def _no_password() -> str:
    raise ValueError("the key is encrypted; pldns needs a key without a password")


def _reason(error: ssl.SSLError, tls: Tls) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {tls.key} does not belong to the certificate {tls.certificate}"
    if error.reason in {None, "PEM", "NO_START_LINE", "BAD_BASE64_DECODE", "BAD_END_LINE"} or "PEM" in str(error):
        return f"{tls.certificate} or {tls.key} is not a certificate chain or a key in PEM form"
    return f"{tls.certificate} and {tls.key} cannot be used: {error.reason}"
