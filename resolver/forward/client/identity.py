"""Verifies the certificate of an upstream server, by its name and an authority or by its pinned key (RFC 7858 §4.2).

A connection fails when verification fails. There is no way to turn verification off.
"""

import base64
import hashlib
import ssl
from typing import Final

from resolver.settings import Server

_SPKI: Final = 6  # index of subjectPublicKeyInfo in a TBSCertificate that has a version (RFC 5280 §4.1)
_VERSION: Final = 0xA0


def context(server: Server, alpn: str) -> ssl.SSLContext:
    """Return the TLS context for a server. With a pin, only `has_pin` verifies the certificate, after the handshake."""
    made = ssl.create_default_context(cadata=server.ca or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols([alpn])
    if server.pin:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def has_pin(tls: ssl.SSLObject | None, pin: str) -> bool:
    """Return whether the SHA-256 of the public key in the peer's certificate is `pin` (base64)."""
    certificate = tls.getpeercert(binary_form=True) if tls else None
    if not certificate:
        return False
    try:
        key = public_key(certificate)
    except IndexError:
        return False
    return base64.b64encode(hashlib.sha256(key).digest()).decode() == pin


def public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate, both in DER. Raises `IndexError` when it is malformed."""
    inside, _ = _element(certificate, 0)
    at, end = _element(certificate, inside)
    fields: list[bytes] = []
    while at < end:
        _, after = _element(certificate, at)
        fields.append(certificate[at:after])
        at = after
    return fields[_SPKI if fields[0][0] == _VERSION else _SPKI - 1]


def _element(der: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends (X.690 §8.1.3). Raises `IndexError`."""
    length = der[at + 1]
    at += 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[at : at + octets], "big")
        at += octets
    if at + length > len(der):
        raise IndexError
    return at, at + length
