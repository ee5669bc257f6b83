"""The designation of encrypted listeners: how a client of plain DNS finds DNS over TLS and HTTPS (RFC 9462).

Makes the SVCB records of `_dns.resolver.arpa` (RFC 9461) from the settings of the listeners. Does not know
certificates: a client verifies that the certificate has the address that the client asked. Pure.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from resolver.host_port import HostPort
from resolver.settings import WorkerSettings
from resolver.wire import codes, svcb
from zones.dns.name import Name, from_text
from zones.dns.record import AAAA, A, RRset

DISCOVERY: Final = from_text("_dns.resolver.arpa")
_TTL: Final = 300
"""Seconds. A client looks again after that, so a changed listener is found soon."""
_DOT_PORT: Final = 853
_DOH_PORT: Final = 443

Address = IPv4Address | IPv6Address


class Designation(NamedTuple):
    """The SVCB records, and the addresses of their target for the additional section (RFC 9462 §4)."""

    records: RRset
    addresses: tuple[RRset, ...]


def designation(worker: WorkerSettings) -> Designation | None:
    """Return the designation of the listeners for TLS and HTTPS; None if the settings have no name for them."""
    if not worker.designation:
        return None
    target = from_text(worker.designation)
    tls, https = worker.tls, worker.https
    offers = [*_offers(tls.listen, b"dot", _DOT_PORT)] if tls else []
    offers += _offers(https.listen, b"h2", _DOH_PORT, https.path) if https else []
    listen = (*(tls.listen if tls else ()), *(https.listen if https else ()))
    records = tuple(svcb.rdata(priority, target, offer) for priority, offer in enumerate(offers, 1))
    return Designation(RRset(DISCOVERY, codes.SVCB, _TTL, records), tuple(_addresses(target, _reachable(listen))))


def _offers(
    listen: Iterable[HostPort], protocol: bytes, default_port: int, path: str = ""
) -> Iterator[dict[svcb.Parameter, bytes]]:
    """Yield the parameters of one record for each port, in the order of the configuration."""
    ports: dict[int, list[HostPort]] = {}
    for at in listen:
        ports.setdefault(at.port, []).append(at)
    for port, places in ports.items():
        offer = {svcb.Parameter.ALPN: bytes((len(protocol),)) + protocol}
        if port != default_port:
            offer[svcb.Parameter.PORT] = port.to_bytes(2, "big")
        hints = _reachable(places)
        for parameter, version in ((svcb.Parameter.IPV4HINT, 4), (svcb.Parameter.IPV6HINT, 6)):
            if value := b"".join(each.packed for each in hints if each.version == version):
                offer[parameter] = value
        if path:
            offer[svcb.Parameter.DOHPATH] = f"{path}{{?dns}}".encode()
        yield offer


def _reachable(listen: Iterable[HostPort]) -> list[Address]:
    """Return the addresses by which clients reach listeners.

    A listener on all addresses names none. Loopback is left out where there is another address: only clients on this
    machine reach it.
    """
    named = list(dict.fromkeys(at.address for at in listen if not at.address.is_unspecified))
    return [each for each in named if not each.is_loopback] or named


def _addresses(owner: Name, found: Iterable[Address]) -> Iterator[RRset]:
    packed = [each.packed for each in found]
    for rtype, size in ((A, 4), (AAAA, 16)):
        if rdatas := tuple(each for each in packed if len(each) == size):
            yield RRset(owner, rtype, _TTL, rdatas)
