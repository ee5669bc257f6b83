"""The upstream side of the wire: queries to servers, and their replies as RRsets with expanded names.

Does not know sockets, retries and caching, or which records answer the question (`aliases`).
"""

import struct
from typing import Final

import msgspec

from resolver.wire import codes
from zones.dns import record
from zones.dns.name import MAX_NAME
from zones.dns.record import RRset

_MAX_JUMPS: Final = 127  # a name has at most 127 labels
_header: Final = struct.Struct(">6H")
_record: Final = struct.Struct(">2HIH").unpack_from  # type, class, TTL, rdlength
_question_tail: Final = struct.Struct(">2H").pack
_opt: Final = struct.Struct(">x2HIH").pack  # root, type, payload, TTL, rdlength
_BARE_ERRORS: Final = frozenset((codes.FORMERR, codes.SERVFAIL, codes.NOTIMP, codes.REFUSED))


class Mismatch(Exception):  # noqa: N818 - the packet, not the code, is wrong
    """The packet is not a reply to the question that was asked: noise or a forgery, which is ignored."""


class MalformedReply(Exception):  # noqa: N818 - the reply, not the code, is wrong
    """The reply matches the question, but is malformed; the message says where."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A reply. With `tc` it has no records: those of a truncated reply must not be used (RFC 2181 §9)."""

    rcode: int
    """Extended rcode: with the upper bits of the OPT record, if there is one."""
    aa: bool
    ad: bool
    ra: bool
    tc: bool
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    cookie: bytes = b""
    """The COOKIE option (RFC 7873): the client cookie, then the server cookie."""


def question(name: bytes, qtype: int) -> bytes:
    """Return the octets of a question of class IN."""
    return name + _question_tail(qtype, codes.IN)


def frame(options: bytes = b"", *, do: bool = False, cd: bool = False, edns: bool = True) -> tuple[bytes, bytes]:
    """Return the octets of a query before its question, without the id, and those after the question.

    The query has RD, and AD to get AD in the reply (RFC 6840 §5.7). `options`: EDNS options as octets. `edns` is False
    for a server that does not support EDNS; there is no DO then.
    """
    flags = codes.AD | codes.RD | (codes.CD if cd else 0)
    opt = _opt(codes.OPT, codes.PAYLOAD, codes.DO if do else 0, len(options)) + options if edns else b""
    return _header.pack(0, flags, 1, 0, 0, int(edns))[2:], opt


def parse(packet: bytes, question: bytes) -> Message:
    """Return the reply to `question` (from `question()`, folded). The caller has compared the id.

    Raises `Mismatch` or `MalformedReply` and nothing else, for any octets. Leaves out records of other classes than IN
    and the additional section. A reply with an error may lack the question: servers older than EDNS leave it out
    (RFC 6891 §7). A truncated reply may lack it too, because it only makes the client ask again over TCP.
    """
    if len(packet) < codes.HEADER_SIZE:
        raise Mismatch
    _, flags, qdcount, ancount, nscount, arcount = _header.unpack_from(packet)
    if flags & (codes.QR | codes.OPCODE) != codes.QR:
        raise Mismatch
    rcode = flags & 0xF
    tc = bool(flags & codes.TC)
    end = codes.HEADER_SIZE + len(question)
    if qdcount == 1:
        if packet[codes.HEADER_SIZE : end - 4].lower() + packet[end - 4 : end] != question:
            raise Mismatch
    elif qdcount or ancount or not (tc or rcode in _BARE_ERRORS):
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
            raise MalformedReply("cut off") from None
        rcode |= upper
    aa, ad, ra = (bool(flags & bit) for bit in (codes.AA, codes.AD, codes.RA))
    return Message(rcode, aa, ad, ra, tc, answer, authority, cookie)


class _Reader:
    """Reads records one after the other. Methods raise `IndexError` or `struct.error` past the end of the packet.

    Expands each name that a pointer leads to once, so that the work is linear in the size of the packet.
    """

    __slots__ = ("at", "names", "packet")

    def __init__(self, packet: bytes, at: int) -> None:
        self.packet = packet
        self.at = at
        self.names: dict[int, bytes] = {}

    def section(self, count: int) -> tuple[RRset, ...]:
        """Return the next `count` records as RRsets in order of appearance, each with its least TTL (RFC 2181 §5).

        Signatures are grouped by the type that they cover, because they have the TTL of that type (RFC 4034 §3).
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
        """Return the upper bits of the rcode and the cookie from the OPT record among the next `count` records."""
        upper: int | None = None
        cookie = b""
        for _ in range(count):
            _, rtype, _, ttl, size = self.head()
            at, self.at = self.at, self.at + size
            if rtype == codes.OPT:
                if upper is not None:
                    raise MalformedReply("two OPT records")
                upper = ttl >> 24 << 4
                cookie = self.option(codes.OPTION_COOKIE, at, self.at)
        return upper or 0, cookie

    def option(self, wanted: int, at: int, end: int) -> bytes:
        """Return the data of an option in an OPT record's rdata; empty if it is not there."""
        while at + 4 <= end:
            code, size = int.from_bytes(self.packet[at : at + 2], "big"), self.packet[at + 2] << 8 | self.packet[at + 3]
            at += 4 + size
            if code == wanted and at <= end:
                return self.packet[at - size : at]
        return b""

    def head(self) -> tuple[bytes, int, int, int, int]:
        """Return owner, type, class, TTL and rdata size of the next record, whose octets are all in the packet."""
        owner, at = self.name(self.at)
        rtype, rclass, ttl, size = _record(self.packet, at)
        self.at = at + 10
        if self.at + size > len(self.packet):
            raise MalformedReply("cut off")
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
            raise MalformedReply(f"rdata of {codes.type_text(rtype)}")
        if rest:
            out += packet[cursor:end]
        if len(out) > codes.MAX_MESSAGE:
            raise MalformedReply("rdata too long when expanded")
        return out

    def name(self, at: int, jumps: int = _MAX_JUMPS) -> tuple[bytes, int]:
        """Return the name at `at`, uncompressed, and the offset after it. Pointers lead backwards (RFC 1035 §4.1.4)."""
        packet, start = self.packet, at
        while 0 < (size := packet[at]) <= codes.MAX_LABEL:
            at += size + 1
        if size == 0:
            at += 1
            wire = packet[start:at]
        elif size < codes.POINTER:
            raise MalformedReply("label type")
        else:
            target = (size << 8 | packet[at + 1]) & 0x3FFF
            known = self.names.get(target)
            if known is None:
                if not (codes.HEADER_SIZE <= target < start and jumps):
                    raise MalformedReply("compression pointer")
                known = self.names[target] = self.name(target, jumps - 1)[0]
            wire = packet[start:at] + known
            at += 2
        if len(wire) > MAX_NAME:
            raise MalformedReply("name too long")
        return wire, at
