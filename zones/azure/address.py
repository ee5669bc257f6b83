"""Addresses of endpoints: from texts of Azure's resources, and as texts for people."""

from collections.abc import Iterable
from ipaddress import ip_address


def endpoint_address(text: str) -> bytes:
    """Return the packed address. Raises `ValueError` for an address that no endpoint can have."""
    if "/" in text:
        raise ValueError(f"{text[:80]!r} is a prefix, not an address")
    address = ip_address(text[:80])
    if (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address.is_reserved  # 240.0.0.0/4 with the broadcast address; IPv4-mapped IPv6
    ):
        raise ValueError(f"{text!r} is not an address that an endpoint can have")
    return address.packed


def texts(addresses: Iterable[bytes]) -> tuple[str, ...]:
    """Return packed addresses in presentation form, without duplicates, IPv4 first."""
    return tuple(str(ip_address(address)) for address in sorted(set(addresses), key=lambda a: (len(a), a)))
