"""TLS contexts of listeners: what is offered, and certificates loaded into them, again and again.

Refuses to know who listens. New connections of a context have the certificate that it loaded last.
"""

import ssl
from collections.abc import Sequence
from typing import Final

from resolver.settings import Tls

DOT: Final = ("dot",)
"""ALPN identifiers of DNS over TLS …"""
DOH: Final = ("h2", "http/1.1")
"""… and of DNS over HTTPS, both versions of it (RFC 8484 §5.2)."""


def context(alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """A context for a listener, without a certificate: handshakes fail until one is loaded."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


def load(into: ssl.SSLContext, tls: Tls) -> None:
    """Load certificate chain and key. A pair that cannot be used changes nothing.

    Raises `ValueError`, or `OSError` where a file cannot be read; both say what is wrong.
    """
    for made in (context(), into):
        try:
            made.load_cert_chain(tls.certificate, tls.key, password=_no_password)
        except ssl.SSLError as error:
            raise ValueError(_reason(error, tls)) from None


def _no_password() -> str:
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")


def _reason(error: ssl.SSLError, tls: Tls) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {tls.key} is not that of the certificate {tls.certificate}"
    if error.reason in {None, "PEM", "NO_START_LINE", "BAD_BASE64_DECODE", "BAD_END_LINE"} or "PEM" in str(error):
        return f"{tls.certificate} or {tls.key} is not a certificate chain or a key in PEM form"
    return f"{tls.certificate} and {tls.key} cannot be used: {error.reason}"
