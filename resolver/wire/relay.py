"""The upstream side: queries to a server, its replies matched and read, and the answer's own chain taken from them.

What is read is plain data: names expanded, RRs grouped to RRsets, everything that does not lead from the question to
its answer left behind (RFC 1034 §3.6.2, RFC 2181 §5, RFC 6672). Refuses to know sockets, retries and caching.
"""

import struct
from typing import Final

import msgspec

from resolver.wire import codes
from zones.dns import record
from zones.dns.name import MAX_NAME, Name, is_under
from zones.dns.record import RRset

MAX_HOPS: Final = 20
_MAX_JUMPS: Final = 127  # a name has no more labels than that to share
_header: Final = struct.Struct(">6H")
_record: Final = struct.Struct(">2HIH").unpack_from  # type, class, TTL, rdlength
_question_tail: Final = struct.Struct(">2H").pack
_opt: Final = struct.Struct(">x2HIH").pack  # root, type, payload, TTL, rdlength
_BARE_ERRORS: Final = frozenset((codes.FORMERR, codes.SERVFAIL, codes.NOTIMP, codes.REFUSED))
_PROOFS: Final = frozenset((codes.NSEC, codes.NSEC3))


class Mismatch(Exception):  # noqa: N818 - it is no error of ours
    """The packet is no reply to the question that was asked: noise or a forgery, to be ignored."""


class Malformed(Exception):  # noqa: N818 - the state of the reply
    """The reply is to our question, but broken; the message says where."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A reply. With `tc` it has no records: what was cut is not to be used (RFC 2181 §9)."""

    rcode: int
    """With the upper bits of the OPT record, if there is one."""
    aa: bool
    ad: bool
    ra: bool
    tc: bool
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    cookie: bytes = b""
    """The COOKIE option (RFC 7873): our own cookie, then the server's."""


class Hop(msgspec.Struct, frozen=True, gc=False):
    """One CNAME or DNAME: the records that say so, the CNAME and its signatures last, and the folded target."""

    target: Name
    rrsets: tuple[RRset, ...]


class Chain(msgspec.Struct, frozen=True, gc=False):
    """What a message says about one question."""

    hops: tuple[Hop, ...]
    last: Name
    """Where the hops lead, folded; the name asked for when there are none."""
    final: tuple[RRset, ...]
    """RRsets of the type at `last`, with the signatures that cover them."""
    soa: RRset | None
    """Of a negative answer, from a zone that holds `last`."""
    proofs: tuple[RRset, ...]
    """NSEC, NSEC3 and the signatures of these and of `soa`: of use to a validating client only."""
    bare: bool
    """Hops that end in nothing: their target is still to be asked for."""


def question(name: bytes, qtype: int) -> bytes:
    """The octets of a question of class IN."""
    return name + _question_tail(qtype, codes.IN)


def query(
    id: int,  # noqa: A002 - the field's name in RFC 1035 §4.1.1
    name: Name,
    qtype: int,
    *,
    do: bool = False,
    cd: bool = False,
    payload: int = codes.PAYLOAD,
    options: bytes = b"",
    edns: bool = True,
) -> bytes:
    """A query to an upstream server. RD always, and AD, which asks for AD in the reply (RFC 6840 §5.7).

    `options`: those of EDNS as octets. Without `edns`, for servers that cannot stand it, there is no DO either.
    """
    flags = codes.AD | codes.RD | (codes.CD if cd else 0)
    opt = _opt(codes.OPT, payload, codes.DO if do else 0, len(options)) + options if edns else b""
    return _header.pack(id, flags, 1, 0, 0, int(edns)) + question(name, qtype) + opt


def parse(packet: bytes, id: int, question: bytes) -> Message:  # noqa: A002 - as above
    """Read the reply to `question` (as `question()` makes it, folded).

    Raises `Mismatch` or `Malformed`, and nothing else, whatever the octets are. Records of other classes than IN are
    left out, and so is the additional section. A reply that is only an error may come without the question, as servers
    from before EDNS send it (RFC 6891 §7).
    """
    if len(packet) < codes.HEADER_SIZE:
        raise Mismatch
    ident, flags, qdcount, ancount, nscount, arcount = _header.unpack_from(packet)
    if ident != id or flags & (codes.QR | codes.OPCODE) != codes.QR:
        raise Mismatch
    rcode = flags & 0xF
    tc = bool(flags & codes.TC)
    end = codes.HEADER_SIZE + len(question)
    if qdcount == 1:
        if packet[codes.HEADER_SIZE : end - 4].lower() + packet[end - 4 : end] != question:
            raise Mismatch
    elif qdcount or ancount or rcode not in _BARE_ERRORS:
        raise Mismatch
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    cookie = b""
    if qdcount and not tc:
        reader = _Reader(packet, end)
        try:
            answer = reader.section(ancount)
            authority = reader.section(nscount)
            upper, cookie = reader.edns(arcount)
        except (IndexError, struct.error):
            raise Malformed("cut off") from None
        rcode |= upper
    aa, ad, ra = (bool(flags & bit) for bit in (codes.AA, codes.AD, codes.RA))
    return Message(rcode, aa, ad, ra, tc, answer, authority, cookie)


class _Reader:
    """Reads records one after the other. Past the end of the packet, methods raise `IndexError` or `struct.error`.

    Every name that a pointer leads to is expanded once, so that the work is linear in the size of the packet.
    """

    __slots__ = ("at", "names", "packet")

    def __init__(self, packet: bytes, at: int) -> None:
        self.packet = packet
        self.at = at
        self.names: dict[int, bytes] = {}

    def section(self, count: int) -> tuple[RRset, ...]:
        """The next `count` records as RRsets in order of appearance (RFC 2181 §5).

        Signatures are grouped by the type that they cover, since each has the TTL of that (RFC 4034 §3).
        """
        owners: dict[tuple[bytes, int, bytes], bytes] = {}
        ttls: dict[tuple[bytes, int, bytes], int] = {}
        rdatas: dict[tuple[bytes, int, bytes], dict[bytes, None]] = {}
        for _ in range(count):
            owner, rtype, rclass, ttl, size = self.head()
            at, self.at = self.at, self.at + size
            if rclass != codes.IN or rtype in codes.META:
                continue
            rdata = self.rdata(rtype, at, self.at)
            key = owner.lower(), rtype, rdata[:2] if rtype == record.RRSIG else b""
            if ttl > 0x7FFFFFFF:  # RFC 2181 §8
                ttl = 0
            if key in owners:
                ttls[key] = min(ttl, ttls[key])
                rdatas[key][rdata] = None
            else:
                owners[key] = owner
                ttls[key] = ttl
                rdatas[key] = {rdata: None}
        return tuple([RRset(owners[key], key[1], ttls[key], tuple(rdatas[key])) for key in owners])

    def edns(self, count: int) -> tuple[int, bytes]:
        """The upper bits of the rcode and the cookie from the OPT record among the next `count` records."""
        upper: int | None = None
        cookie = b""
        for _ in range(count):
            _, rtype, _, ttl, size = self.head()
            at, self.at = self.at, self.at + size
            if rtype == codes.OPT:
                if upper is not None:
                    raise Malformed("two OPT records")
                upper = ttl >> 24 << 4
                cookie = self.option(codes.OPTION_COOKIE, at, self.at)
        return upper or 0, cookie

    def option(self, wanted: int, at: int, end: int) -> bytes:
        """The data of an option in an OPT record's rdata; empty where it is not."""
        while at + 4 <= end:
            code, size = int.from_bytes(self.packet[at : at + 2], "big"), self.packet[at + 2] << 8 | self.packet[at + 3]
            at += 4 + size
            if code == wanted and at <= end:
                return self.packet[at - size : at]
        return b""

    def head(self) -> tuple[bytes, int, int, int, int]:
        """Owner, type, class, TTL and rdata size of the next record, all of whose octets are there."""
        owner, at = self.name(self.at)
        rtype, rclass, ttl, size = _record(self.packet, at)
        self.at = at + 10
        if self.at + size > len(self.packet):
            raise Malformed("cut off")
        return owner, rtype, rclass, ttl, size

    def rdata(self, rtype: int, at: int, end: int) -> bytes:
        """Rdata with its names expanded, checked against its type's layout."""
        packet = self.packet
        layout = codes.LAYOUTS.get(rtype)
        if layout is None:
            return packet[at:end]
        cursor = at + layout.octets
        for _ in range(layout.strings):
            cursor += 1 + packet[cursor]
        out = packet[at:cursor]
        for _ in range(layout.names):
            wire, cursor = self.name(cursor)
            out += wire
        rest = end - cursor
        if rest < 0 or layout.rest not in (None, rest):
            raise Malformed(f"rdata of {codes.type_text(rtype)}")
        if rest:
            out += packet[cursor:end]
        if len(out) > codes.MAX_MESSAGE:
            raise Malformed("rdata too long when expanded")
        return out

    def name(self, at: int, jumps: int = _MAX_JUMPS) -> tuple[bytes, int]:
        """The name at `at`, uncompressed, and the offset after it. A pointer leads back only (RFC 1035 §4.1.4)."""
        packet, start = self.packet, at
        while 0 < (size := packet[at]) <= codes.MAX_LABEL:
            at += size + 1
        if size == 0:
            at += 1
            wire = packet[start:at]
        elif size < codes.POINTER:
            raise Malformed("label type")
        else:
            target = (size << 8 | packet[at + 1]) & 0x3FFF
            known = self.names.get(target)
            if known is None:
                if not (codes.HEADER_SIZE <= target < start and jumps):
                    raise Malformed("compression pointer")
                known = self.names[target] = self.name(target, jumps - 1)[0]
            wire = packet[start:at] + known
            at += 2
        if len(wire) > MAX_NAME:
            raise Malformed("name too long")
        return wire, at


def chain(message: Message, name: Name, qtype: int) -> Chain:
    """Follow the answer from `name` (folded) to records of `qtype`; what is not on that way is left behind.

    Raises `Malformed` for a loop, more than `MAX_HOPS` hops, or a CNAME or DNAME with more than one target.
    """
    answer = _Answer(message.answer)
    hops: list[Hop] = []
    current, visited = name, {name}
    while not (final := answer.at(current, qtype)) and qtype != record.CNAME and (hop := answer.hop(current)):
        if hop.target in visited or len(hops) == MAX_HOPS:
            raise Malformed("CNAME loop" if hop.target in visited else "too many CNAMEs")
        hops.append(hop)
        current = hop.target
        visited.add(current)
    soa = None if final else _soa(message.authority, current)
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
        """The RRsets that answer the type at a name, signatures after what they cover; ANY takes all."""
        here = self.owners.get(owner, [])
        found = [r for r in here if rtype in (r.type, record.ANY)]
        if found and rtype not in (record.ANY, record.RRSIG):
            found += [r for r in here if _covers(r, rtype)]
        return tuple(found)

    def hop(self, owner: Name) -> Hop | None:
        """Where a CNAME at the name, or a DNAME above it, leads. A CNAME that a DNAME explains comes after it."""
        cname = self.at(owner, record.CNAME)
        target = _target(cname[0]) if cname else None
        dname, substituted = self._dname(owner)
        if not dname or target not in (None, substituted):
            return Hop(target, cname) if target else None
        if len(substituted) > MAX_NAME:
            raise Malformed("name too long")  # RFC 6672 §2.2: YXDOMAIN, which has no target to go on with
        cname = cname or (RRset(owner, record.CNAME, dname[0].ttl, (substituted,)),)
        return Hop(substituted, dname + cname)

    def _dname(self, owner: Name) -> tuple[tuple[RRset, ...], Name]:
        """The DNAME that covers the name, and the name with its suffix replaced; empty when there is none."""
        at = 0
        while self.has_dname and owner[at]:
            at += owner[at] + 1
            if found := self.at(owner[at:], record.DNAME):
                return found, Name(owner[:at] + _target(found[0]))
        return (), owner


def _target(rrset: RRset) -> Name:
    if len(rrset.rdatas) != 1:
        raise Malformed(f"{len(rrset.rdatas)} {codes.type_text(rrset.type)} records at one name")
    return Name(rrset.rdatas[0].lower())


def _covers(rrset: RRset, rtype: int) -> bool:
    return rrset.type == record.RRSIG and rrset.rdatas[0][:2] == rtype.to_bytes(2, "big")


def _soa(authority: tuple[RRset, ...], name: Name) -> RRset | None:
    """The SOA of a zone that holds the name; another zone's word on it counts for nothing."""
    for rrset in authority:
        if rrset.type == record.SOA and is_under(name, rrset.owner.lower()):
            return rrset
    return None


def _proofs(authority: tuple[RRset, ...], soa: RRset | None) -> tuple[RRset, ...]:
    return tuple(
        [
            r
            for r in authority
            if r.type in _PROOFS
            or any(_covers(r, covered) for covered in _PROOFS)
            or (soa and _covers(r, record.SOA) and r.owner.lower() == soa.owner.lower())
        ]
    )
