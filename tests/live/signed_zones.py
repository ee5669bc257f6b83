"""Signs zones for tests, with NSEC (RFC 4034) or NSEC3 (RFC 5155), and serves them with NSD."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdata
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdatatype import DS, NS, NSEC, NSEC3, NSEC3PARAM, RRSIG

from tests.live.daemon import until
from tests.live.programs import running
from tests.peers import tool


class SignedZone(NamedTuple):
    """A zone file with signatures, and the DS record that makes a trust anchor."""

    origin: str
    text: str
    ds: str


def signed(origin: str, text: str, *, nsec3: bool) -> SignedZone:
    """Return the zone with signatures and denials for all its names."""
    apex = dns.name.from_text(origin)
    zone = dns.zone.from_text(text, apex, relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    _put(zone, apex, key)
    if nsec3:
        _put(zone, apex, dns.rdata.from_text("IN", NSEC3PARAM, "1 0 0 -"))
    cuts = {name for name in zone if name != apex and zone.get_rdataset(name, NS)}
    names = sorted(name for name in zone if not any(name != cut and name.is_subdomain(cut) for cut in cuts))
    types = {name: {r.rdtype for r in zone[name] if name not in cuts or r.rdtype in {NS, DS}} for name in names}
    _deny3(zone, apex, types) if nsec3 else _deny(zone, types, cuts)
    for name in [name for name in zone if name in types or zone.get_rdataset(name, NSEC3)]:
        for rdataset in list(zone[name]):
            if name not in cuts or rdataset.rdtype in {DS, NSEC}:
                signature = dns.dnssec.sign((name, rdataset), private, apex, key, lifetime=86400)
                zone.find_rdataset(name, RRSIG, rdataset.rdtype, create=True).add(signature, rdataset.ttl)
    ds = dns.dnssec.make_ds(apex, key, "SHA256")
    return SignedZone(origin, zone.to_text(relativize=False, want_origin=True), f"{apex} DS {ds}")


def _put(zone: dns.zone.Zone, name: dns.name.Name, rdata: dns.rdata.Rdata) -> None:
    zone.find_rdataset(name, rdata.rdtype, create=True).add(rdata, 300)


Types = dict[dns.name.Name, set[dns.rdatatype.RdataType]]


def _deny(zone: dns.zone.Zone, types: Types, cuts: set[dns.name.Name]) -> None:
    """Add the NSEC chain."""
    names = sorted(types)
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        held = {*types[name], NSEC, RRSIG}
        _put(zone, name, dns.rdata.from_text("IN", NSEC, f"{following} {_words(held)}"))
    assert all(zone.get_rdataset(cut, NSEC) for cut in cuts)


def _deny3(zone: dns.zone.Zone, apex: dns.name.Name, types: Types) -> None:
    """Add the NSEC3 chain, with the empty non-terminals."""
    held = dict(types)
    for name in types:
        while name != apex:
            name = name.parent()  # noqa: PLW2901 - each ancestor
            held.setdefault(name, set())
    hashes = {dns.dnssec.nsec3_hash(name, None, 0, 1): name for name in held}
    order = sorted(hashes)
    for digest, following in zip(order, [*order[1:], order[0]], strict=True):
        name = hashes[digest]
        is_signed = bool(held[name] - {NS})
        words = _words(held[name] | ({RRSIG} if is_signed else set()))
        _put(zone, dns.name.from_text(digest, apex), dns.rdata.from_text("IN", NSEC3, f"1 0 0 - {following} {words}"))


def _words(types: set[dns.rdatatype.RdataType]) -> str:
    return " ".join(dns.rdatatype.to_text(each) for each in sorted(types))


@contextmanager
def nsd(folder: Path, port: int, zones: dict[str, str]) -> Iterator[None]:
    """Serve zones, given by origin, while the block runs."""
    folder.mkdir()
    blocks = ""
    for origin, text in zones.items():
        (folder / f"{origin}.zone").write_text(text)
        blocks += f'zone:\n  name: "{origin}"\n  zonefile: "{origin}.zone"\n'
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  username: ""\n  chroot: ""\n  zonesdir: "{folder}"\n'
        f'  database: ""\n  pidfile: "{folder}/nsd.pid"\n  xfrdfile: "{folder}/xfrd.state"\n  xfrdir: "{folder}"\n'
        f"  zonelistfile: {folder}/zone.list\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n{blocks}"
    )
    with running(tool("nsd"), "-d", "-c", folder / "nsd.conf", log=folder / "nsd.log"):
        until(lambda: "nsd started" in (folder / "nsd.log").read_text())
        yield
