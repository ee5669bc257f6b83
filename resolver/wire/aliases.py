"""The chain of aliases in a reply, from the question to its answer or denial.

Leaves out every record that does not lead from the question to its answer (RFC 1034 §3.6.2, RFC 2181 §5, RFC 6672).
Does not know octets (`relay` reads them), or who may have the answer.
"""

from typing import Final

import msgspec

from resolver.wire import codes
from resolver.wire.relay import MalformedReply, Message
from zones.dns import record
from zones.dns.name import MAX_NAME, Name, is_under, labels
from zones.dns.record import RRset

MAX_HOPS: Final = 20
_LABELS: Final = 3
"""Offset of the number of labels in RRSIG rdata (RFC 4034 §3.1)."""
_SIGNER: Final = 18
"""Offset of the signer's name there."""
_PROOFS: Final = frozenset((codes.NSEC, codes.NSEC3))


class Hop(msgspec.Struct, frozen=True, gc=False):
    """One alias: its records, with the CNAME and its signatures last, and its folded target."""

    target: Name
    rrsets: tuple[RRset, ...]
    proofs: tuple[RRset, ...] = ()
    """NSEC, NSEC3 and their signatures, where a wildcard made the records: no closer name exists (RFC 4035 §5.3.4)."""


class Chain(msgspec.Struct, frozen=True, gc=False):
    """The chain of aliases from a question to its answer or denial."""

    hops: tuple[Hop, ...]
    last: Name
    """Target of the last hop, folded; the name in the question if there are no hops."""
    final: tuple[RRset, ...]
    """RRsets of the type at `last`, with the signatures that cover them."""
    soa: RRset | None
    """The SOA of a negative answer, from a zone that contains `last`."""
    proofs: tuple[RRset, ...]
    """NSEC, NSEC3 and the signatures of these and of `soa`: only a validating client uses them."""
    bare: bool
    """True if the hops end without an answer: their target is still to be asked for."""


def chain(message: Message, name: Name, qtype: int) -> Chain:
    """Return the chain from `name` (folded) to records of `qtype`. Records that are not in the chain are left out.

    Raises `MalformedReply` for a loop, more than `MAX_HOPS` hops, or a CNAME or DNAME with more than one target.
    """
    answer = _Answer(message.answer)
    hops: list[Hop] = []
    current, visited = name, {name}
    while not (final := answer.at(current, qtype)) and qtype != record.CNAME and (hop := answer.hop(current)):
        if hop.target in visited or len(hops) == MAX_HOPS:
            raise MalformedReply("CNAME loop" if hop.target in visited else "too many CNAMEs")
        hops.append(hop)
        current = hop.target
        visited.add(current)
    soa = None if final else _soa(message.authority, current)
    if hops and message.authority:
        hops = [_proven(hop, message.authority) for hop in hops]
    bare = bool(hops) and not final and soa is None and message.rcode == codes.NOERROR
    return Chain(tuple(hops), current, final, soa, _proofs(message.authority, soa), bare)


class _Answer:
    """The answer section by folded owner."""

    __slots__ = ("has_dname", "owners")

    def __init__(self, rrsets: tuple[RRset, ...]) -> None:
        self.owners: dict[bytes, list[RRset]] = {}
        self.has_dname = False
        for rrset in rrsets:
            self.owners.setdefault(rrset.owner.lower(), []).append(rrset)
            self.has_dname |= rrset.type == record.DNAME

    def at(self, owner: bytes, rtype: int) -> tuple[RRset, ...]:
        """Return the RRsets of the type at a name, followed by the signatures that cover them; ANY takes all types."""
        here = self.owners.get(owner, [])
        found = [r for r in here if rtype in (r.type, record.ANY)]
        if found and rtype not in (record.ANY, record.RRSIG):
            found += [r for r in here if _covers(r, rtype)]
        return tuple(found)

    def hop(self, owner: Name) -> Hop | None:
        """Return the hop of a CNAME at the name or a DNAME above it. A CNAME that a DNAME implies follows the DNAME."""
        cname = self.at(owner, record.CNAME)
        target = _target(cname[0]) if cname else None
        dname, substituted = self._dname(owner)
        if not dname or target not in (None, substituted):
            return Hop(target, cname) if target else None
        if len(substituted) > MAX_NAME:
            raise MalformedReply("name too long")  # RFC 6672 §2.2: YXDOMAIN, without a target to follow
        cname = cname or (RRset(owner, record.CNAME, dname[0].ttl, (substituted,)),)
        return Hop(substituted, dname + cname)

    def _dname(self, owner: Name) -> tuple[tuple[RRset, ...], Name]:
        """Return the DNAME above the name, and the name with its suffix replaced; empty if there is none."""
        at = 0
        while self.has_dname and owner[at]:
            at += owner[at] + 1
            if found := self.at(owner[at:], record.DNAME):
                return found, Name(owner[:at] + _target(found[0]))
        return (), owner


def _target(rrset: RRset) -> Name:
    if len(rrset.rdatas) != 1:
        raise MalformedReply(f"{len(rrset.rdatas)} {codes.type_text(rrset.type)} records at one name")
    return Name(rrset.rdatas[0].lower())


def _covers(rrset: RRset, rtype: int) -> bool:
    return rrset.type == record.RRSIG and rrset.rdatas[0][:2] == rtype.to_bytes(2, "big")


def _proven(hop: Hop, authority: tuple[RRset, ...]) -> Hop:
    """Return the hop with the proofs of its zone, if a wildcard made its records."""
    signers = {signer for rrset in hop.rrsets if (signer := _expanded_by(rrset))}
    if not signers:
        return hop
    proofs = [r for r in authority if r.type == record.RRSIG and _is_of_proof(r, None) and _signer(r) in signers]
    owners = {(r.owner.lower(), int.from_bytes(r.rdatas[0][:2], "big")) for r in proofs}
    return Hop(hop.target, hop.rrsets, (*[r for r in authority if (r.owner.lower(), r.type) in owners], *proofs))


def _expanded_by(rrset: RRset) -> bytes | None:
    """Return the signing zone of a signature whose records come from a wildcard (RFC 4035 §5.3.2); None for others."""
    if rrset.type != record.RRSIG or len(rrset.rdatas[0]) < _SIGNER:
        return None
    own = labels(rrset.owner)
    return _signer(rrset) if rrset.rdatas[0][_LABELS] < len(own) - (own[:1] == [b"*"]) else None


def _signer(rrset: RRset) -> bytes:
    """Return the signing zone of a signature, folded."""
    rdata = rrset.rdatas[0]
    at = _SIGNER
    while at < len(rdata) and rdata[at]:
        at += rdata[at] + 1
    return rdata[_SIGNER : at + 1].lower()


def _soa(authority: tuple[RRset, ...], name: Name) -> RRset | None:
    """Return the SOA of a zone that contains the name; an SOA of another zone proves nothing about it."""
    for rrset in authority:
        if rrset.type == record.SOA and is_under(name, rrset.owner.lower()):
            return rrset
    return None


def _proofs(authority: tuple[RRset, ...], soa: RRset | None) -> tuple[RRset, ...]:
    return tuple([r for r in authority if r.type in _PROOFS or (r.type == record.RRSIG and _is_of_proof(r, soa))])


def _is_of_proof(signature: RRset, soa: RRset | None) -> bool:
    """Return True for the signature of an NSEC or NSEC3 record, or of the SOA of a denial."""
    covered = int.from_bytes(signature.rdatas[0][:2], "big")
    if covered == record.SOA:
        return soa is not None and signature.owner.lower() == soa.owner.lower()
    return covered in _PROOFS
