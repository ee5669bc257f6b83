"""A query as a client sent it: the head, the one question and EDNS (RFC 1035 §4, RFC 6891, RFC 9619).

Owns what makes a query malformed and which rcode says so. Refuses to know what is done with a good one: its type and
class, and whether that client may ask, are the engine's to judge.
"""

import struct
from typing import Final

import msgspec

from resolver.wire import codes
from zones.name import MAX_NAME, Name

_header: Final = struct.Struct(">6H").unpack_from
_type_class: Final = struct.Struct(">2H").unpack_from
_record: Final = struct.Struct(">2HIH").unpack_from  # type, class, TTL, rdlength
_option: Final = struct.Struct(">2H").unpack_from  # code, length

_Edns = tuple[int, int]  # class and TTL of the OPT record, which hold the payload and version, flags


class Query(msgspec.Struct, frozen=True, gc=False):
    """A well-formed query: opcode QUERY, one question, EDNS version 0 or none."""

    id: int
    flags: int
    """The 16 bits after the id."""
    name: Name
    """QNAME, folded."""
    qtype: int
    qclass: int
    question: bytes
    """QNAME as sent, QTYPE, QCLASS: what a reply repeats."""
    edns: bool = False
    do: bool = False
    payload: int = codes.MIN_PAYLOAD
    """Octets of UDP reply that the client takes: at least 512 (RFC 6891 §6.2.3), and 512 without EDNS."""

    @property
    def qname(self) -> bytes:
        """QNAME in the case in which it was sent."""
        return self.question[:-4]

    @property
    def rd(self) -> bool:
        """Recursion desired."""
        return bool(self.flags & codes.RD)

    @property
    def cd(self) -> bool:
        """Checking disabled (RFC 4035 §3.2.2)."""
        return bool(self.flags & codes.CD)

    @property
    def ad(self) -> bool:
        """The client understands the AD bit (RFC 6840 §5.7)."""
        return bool(self.flags & codes.AD)


class Malformed(Exception):  # noqa: N818 - the state of the query, as RFC 1035's "format error" is
    """No query to act on. `rcode` None: drop it silently; otherwise the rest is what `render.error` needs.

    `question` is empty when it did not parse. `edns`: an OPT record was read, so the reply has one.
    """

    def __init__(
        self,
        rcode: int | None,
        id: int = 0,  # noqa: A002 - the field's name in RFC 1035 §4.1.1
        flags: int = 0,
        question: bytes = b"",
        *,
        edns: bool = False,
        do: bool = False,
    ) -> None:
        super().__init__("dropped" if rcode is None else codes.rcode_text(rcode))
        self.rcode = rcode
        self.id = id
        self.flags = flags
        self.question = question
        self.edns = edns
        self.do = do


def parse(packet: bytes) -> Query:
    """Read one DNS message from a client. Raises `Malformed`, and nothing else, whatever the octets are."""
    if len(packet) < codes.HEADER_SIZE:
        raise Malformed(None)
    ident, flags, qdcount, ancount, nscount, arcount = _header(packet)
    if flags & codes.QR:
        raise Malformed(None)
    end = _question_end(packet) if qdcount == 1 else 0
    if not end:
        raise Malformed(codes.NOTIMP if flags & codes.OPCODE else codes.FORMERR, ident, flags)
    question = packet[codes.HEADER_SIZE : end]
    edns, sound = _edns(packet, end, ancount + nscount, arcount)
    payload, ttl = edns or (codes.MIN_PAYLOAD, 0)
    do = bool(ttl & codes.DO)
    if rcode := _complaint(flags, ancount, ttl, sound=sound):
        raise Malformed(rcode, ident, flags, question, edns=edns is not None, do=do)
    name = Name(question[:-4].lower())
    qtype, qclass = _type_class(packet, end - 4)
    return Query(ident, flags, name, qtype, qclass, question, edns is not None, do, max(payload, codes.MIN_PAYLOAD))


def _complaint(flags: int, ancount: int, ttl: int, *, sound: bool) -> int:
    """Rcode for a query whose question is good; 0 when the rest is good too. `ttl` is the OPT record's."""
    if flags & codes.OPCODE:
        return codes.NOTIMP
    if ancount or not sound:
        return codes.FORMERR
    return codes.BADVERS if ttl & 0x00FF0000 else codes.NOERROR


def _question_end(packet: bytes) -> int:
    """Offset after the question; 0 when it is broken, cut off or has anything but plain labels in its name."""
    at = codes.HEADER_SIZE
    try:
        while size := packet[at]:
            if size > codes.MAX_LABEL:
                return 0
            at += size + 1
    except IndexError:
        return 0
    end = at + 5
    return end if end <= len(packet) and at - codes.HEADER_SIZE < MAX_NAME else 0


def _edns(packet: bytes, at: int, before: int, additional: int) -> tuple[_Edns | None, bool]:
    """Walk what follows the question: `before` records of other sections, then the additional ones.

    Returns the OPT record, if one was read, and whether all is sound: every record complete, the message ending with
    the last one, at most one OPT, that one additional, at the root and with whole options.
    """
    found: _Edns | None = None
    try:
        for index in range(before + additional):
            root = packet[at] == 0
            at = at + 1 if root else _after_name(packet, at)
            rtype, rclass, ttl, size = _record(packet, at)
            at += 10 + size
            if at > len(packet):
                return found, False
            if rtype == codes.OPT:
                if found or not root or index < before:
                    return found, False
                found = rclass, ttl
                if size and not (ttl & 0x00FF0000 or _whole_options(packet, at - size, at)):
                    return found, False
    except (IndexError, struct.error):
        return found, False
    return found, at == len(packet)


def _after_name(packet: bytes, at: int) -> int:
    """Offset after a name that nobody reads, whose pointers are not followed. Raises `IndexError`."""
    while size := packet[at]:
        if size >= codes.POINTER:
            return at + 2
        if size > codes.MAX_LABEL:
            raise IndexError
        at += size + 1
    return at + 1


def _whole_options(packet: bytes, at: int, end: int) -> bool:
    """True when the options (RFC 6891 §6.1.2) fill the rdata exactly."""
    while at + 4 <= end:
        at += 4 + _option(packet, at)[1]
    return at == end
