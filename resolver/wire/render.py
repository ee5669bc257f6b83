"""Renders replies as octets (RFC 1035 §4, RFC 6891): RRsets with compressed names, and the offsets of their TTLs.

A reply is the id, `Body.head`, the question as the client sent it, and `Body.tail`. The tail is the same for every
spelling of the question's name. Does not decide what a reply says. Does not check rdata: zone data and `relay` have
checked it.
"""

import struct
from collections.abc import Iterable
from typing import Final

import msgspec

from resolver.wire import codes
from resolver.wire.query import MalformedQuery, Query
from zones.dns.record import SOA, RRset

_head: Final = struct.Struct(">5H").pack  # flags, then the counts of the four sections
_record: Final = struct.Struct(">2HIH").pack  # type, class, TTL, rdlength
_fields: Final = struct.Struct(">2HIH").unpack_from  # the same
_opt: Final = struct.Struct(">x2H2BHH").pack  # root, type, payload, extended rcode, version, flags, rdlength
_option: Final = struct.Struct(">2H").pack  # code, length
_ttl: Final = struct.Struct(">I")
_OPT_LENGTH: Final = 9  # octets of an OPT record before its rdlength
_FIXED: Final = 10  # octets of a record between its owner and its rdata
_POINTERS_END: Final = 0x4000  # a pointer has 14 bits, RFC 1035 §4.1.4


class Opt(msgspec.Struct, frozen=True, gc=False):
    """The OPT record of a reply. `ede`: info code and text (RFC 8914)."""

    do: bool = False
    payload: int = codes.PAYLOAD
    ede: tuple[int, str] | None = None


class Body(msgspec.Struct, frozen=True, gc=False):
    """A reply without its id and question."""

    head: bytes
    """Flags and counts, 10 octets."""
    tail: bytes
    """Everything after the question."""
    ttls: tuple[int, ...]
    """Offsets in `tail` of the TTLs of all records in order, without the OPT record."""
    opt: int = -1
    """Offset in `tail` of the OPT record, the last record; -1 without one."""


def body(
    question: bytes,
    flags: int,
    rcode: int,
    answer: Iterable[RRset] = (),
    authority: Iterable[RRset] = (),
    additional: Iterable[RRset] = (),
    edns: Opt | None = None,
) -> Body:
    """Return a reply to `question` (QNAME, QTYPE, QCLASS, uncompressed). The records are of its class.

    `flags` are header bits of `codes`; QR is added. The upper bits of an extended rcode need `edns`. The reply may be
    larger than the client accepts, and larger than 65,535 octets: the caller then sends `truncated`.
    """
    writer = _Writer(question)
    ancount = writer.section(answer)
    nscount = writer.section(authority)
    arcount = writer.section(additional)
    opt = len(writer.out) if edns else -1
    if edns:
        writer.out += _opt_record(edns, rcode)
        arcount += 1
    head = _head(codes.QR | flags | rcode & 0xF, 1, ancount, nscount, arcount)
    return Body(head, bytes(writer.out), tuple(writer.ttls), opt)


def truncated(question: bytes, flags: int, rcode: int, edns: Opt | None = None) -> Body:
    """Return the reply that makes a client ask over TCP: TC, and no record except OPT (RFC 2181 §9, RFC 6891 §7)."""
    return body(question, flags | codes.TC, rcode, edns=edns)


def patched(tail: bytes, ttls: Iterable[int], age: int) -> bytes:
    """Return the tail with the TTLs at `ttls` lowered by `age` seconds, but not below 0."""
    out = bytearray(tail)
    for at in ttls:
        (ttl,) = _ttl.unpack_from(tail, at)
        _ttl.pack_into(out, at, max(ttl - age, 0))
    return bytes(out)


def freshness(tail: bytes, ttls: Iterable[int]) -> int:
    """Return the seconds for which an HTTP cache may keep a reply (RFC 8484 §5.1); 0 if it has no records.

    This is the least of the TTLs at `ttls`, and of the MINIMUM field of an SOA record.
    """
    return min([_lifetime(tail, at) for at in ttls], default=0)


def records_end(tail: bytes, records: int) -> int:
    """Return the offset in a tail after its first records."""
    at = 0
    for _ in range(records):
        while 0 < tail[at] < codes.POINTER:
            at += 1 + tail[at]
        at += 2 if tail[at] else 1
        at += _FIXED + int.from_bytes(tail[at + _FIXED - 2 : at + _FIXED], "big")
    return at


def extended(reply: bytes, opt: int, options: bytes) -> bytes:
    """Return a whole reply with options added to its OPT record at the offset `opt`, the last record."""
    at = opt + _OPT_LENGTH
    size = int.from_bytes(reply[at : at + 2], "big") + len(options)
    return reply[:at] + size.to_bytes(2, "big") + reply[at + 2 :] + options


def option(code: int, data: bytes) -> bytes:
    """Return one EDNS option (RFC 6891 §6.1.2)."""
    return _option(code, len(data)) + data


def error(query: MalformedQuery, payload: int = codes.PAYLOAD) -> Body:
    """Return the reply to a malformed query: QR, its opcode, RD and rcode, and an OPT record if it had one.

    Raises `ValueError` for a query that gets no reply.
    """
    if query.rcode is None:
        raise ValueError("a dropped query has no reply")
    flags = codes.QR | query.flags & (codes.OPCODE | codes.RD) | query.rcode & 0xF
    head = _head(flags, 1 if query.question else 0, 0, 0, 1 if query.edns else 0)
    opt = _opt_record(Opt(query.do, payload), query.rcode) if query.edns else b""
    return Body(head, opt, (), 0 if query.edns else -1)


def whole(query: Query | MalformedQuery, body: Body) -> bytes:
    """Return the whole reply to a query: its id and question around the body."""
    return query.id.to_bytes(2, "big") + body.head + query.question + body.tail


def _lifetime(tail: bytes, at: int) -> int:
    """Return the TTL at an offset, for an SOA record not above its MINIMUM, the last field of its rdata."""
    rtype, _, ttl, size = _fields(tail, at - 4)
    end = at + 6 + size
    return min(int(ttl), int.from_bytes(tail[end - 4 : end], "big")) if rtype == SOA else int(ttl)


def _opt_record(opt: Opt, rcode: int) -> bytes:
    options = b""
    if opt.ede:
        code, text = opt.ede
        octets = text.encode()
        options = option(codes.OPTION_EDE, code.to_bytes(2, "big") + octets)
    return _opt(codes.OPT, opt.payload, rcode >> 4, 0, codes.DO if opt.do else 0, len(options)) + options


class _Writer:
    """The octets after the question, and a pointer to each folded name that is in the message already.

    A compressed name takes the spelling of the name that it points to; labels that are written out keep theirs.
    """

    __slots__ = ("base", "out", "rclass", "seen", "ttls")

    def __init__(self, question: bytes) -> None:
        self.out = bytearray()
        self.ttls: list[int] = []
        self.base = codes.HEADER_SIZE + len(question)
        self.rclass = int.from_bytes(question[-2:], "big")
        self.seen: dict[bytes, bytes] = {}
        folded, at = question[:-4].lower(), 0
        while size := folded[at]:
            self.seen[folded[at:]] = (0xC000 | codes.HEADER_SIZE + at).to_bytes(2, "big")
            at += size + 1

    def section(self, rrsets: Iterable[RRset]) -> int:
        """Write all records, and return their number."""
        out, count = self.out, 0
        for rrset in rrsets:
            layout = codes.COMPRESSIBLE.get(rrset.type)
            for rdata in rrset.rdatas:
                self.name(rrset.owner)
                self.ttls.append(len(out) + 4)
                out += _record(rrset.type, self.rclass, rrset.ttl, len(rdata))
                if layout:
                    self.names(rdata, layout)
                else:
                    out += rdata
            count += len(rrset.rdatas)
        return count

    def names(self, rdata: bytes, layout: codes.Layout) -> None:
        """Write rdata with compressed names, and set its length."""
        out = self.out
        start, at = len(out), layout.octets
        out += rdata[:at]
        for _ in range(layout.names):
            end = at
            while size := rdata[end]:
                end += size + 1
            self.name(rdata[at : end + 1])
            at = end + 1
        out += rdata[at:]
        out[start - 2 : start] = (len(out) - start).to_bytes(2, "big")

    def name(self, wire: bytes) -> None:
        """Write a name: its labels up to the longest suffix that is in the message already, then a pointer to that."""
        folded, at = wire.lower(), 0
        here = self.base + len(self.out)
        while size := folded[at]:
            suffix = folded[at:]
            if pointer := self.seen.get(suffix):
                self.out += wire[:at] + pointer
                return
            if here + at < _POINTERS_END:
                self.seen[suffix] = (0xC000 | here + at).to_bytes(2, "big")
            at += size + 1
        self.out += wire
