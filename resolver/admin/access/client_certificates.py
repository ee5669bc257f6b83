"""Client certificates: the names in a certificate that TLS has verified, and the role of each name.

Does not know how a certificate is verified (`certificate`).
"""

from collections.abc import Iterable

from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.problems import Code, Refused
from resolver.admin_settings import CertificateClient


def names(der: bytes) -> list[str]:
    """Return the names in a certificate, as `admin.tls.clients` writes them: its subject, then its SANs.

    The subject is `SUBJECT:` and text as in RFC 4514. SANs are `DNS:`, `EMAIL:`, `URI:` and `IP:` and their value.
    """
    from cryptography import x509  # noqa: PLC0415 - takes memory that a pldns without client certificates need not pay

    out: list[str] = []
    try:
        found = x509.load_der_x509_certificate(der)
        out.append(f"SUBJECT:{found.subject.rfc4514_string()}")
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        out += [f"DNS:{each.lower()}" for each in extension.get_values_for_type(x509.DNSName)]
        out += [f"EMAIL:{each.lower()}" for each in extension.get_values_for_type(x509.RFC822Name)]
        out += [f"URI:{each}" for each in extension.get_values_for_type(x509.UniformResourceIdentifier)]
        out += [f"IP:{each}" for each in extension.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        return out
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []
    return out


def identity(der: bytes, clients: Iterable[CertificateClient], remote: str | None) -> Identity:
    """Return the identity of a certificate: the highest role of its names. Raises `Refused` for one without a role."""
    found = names(der)
    known = [(Role(each.role), each.name) for each in clients if each.name in found]
    if not known:
        shown = ", ".join(each[:200] for each in found[:4])
        raise Refused(
            Code.CERTIFICATE_UNKNOWN, f"`admin.tls.clients` has none of the names in the certificate: {shown}"
        )
    role, name = max(known, key=lambda item: list(Role).index(item[0]))
    return Identity(f"certificate {name} at {remote}", role)
