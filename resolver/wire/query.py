"""Parses a client's query: the header, the question and EDNS (RFC 1035 §4, RFC 6891, RFC 9619).

Decides which queries are malformed and which rcode they get. Does not decide what a well-formed query gets: the engine
checks its type and class, the responder checks the client.
"""

import struct
from typing import Final

import msgspec

from resolver.wire import codes
from zones.dns.name import MAX_NAME, Name

_header: Final = struct.Struct(">6H").unpack_from
_record: Final = struct.Struct(">2HIH").unpack_from  # type, class, TTL, rdlength
_option: Final = struct.Struct(">2H").unpack_from  # code, length

Options = tuple[tuple[int, bytes], ...]
"""Code and data of each EDNS option, in order."""
_READ: Final = frozenset((
    codes.OPTION_NSID, codes.OPTION_SUBNET, codes.OPTION_COOKIE, codes.OPTION_KEEPALIVE, codes.OPTION_PADDING,
    codes.OPTION_LOOP,
))  # fmt: skip
_COOKIES: Final = frozenset((8, *range(16, 41)))
"""Octets of a client cookie, without or with a server cookie (RFC 7873 §4)."""


class _Edns(msgspec.Struct, frozen=True, gc=False):
    """An OPT record: the payload in its class, the version and flags in its TTL, and its options."""

    payload: int
    ttl: int
    options: Options = ()


# C integers in the compiled module.
_HEADER_SIZE: Final = codes.HEADER_SIZE
_MAX_LABEL: Final = codes.MAX_LABEL
_LONGEST: Final = MAX_NAME
_POINTER: Final = codes.POINTER
_OPCODE: Final = codes.OPCODE
_QR: Final = codes.QR
_RD: Final = codes.RD
_CD: Final = codes.CD
_AD: Final = codes.AD
_DO: Final = codes.DO
_MIN_PAYLOAD: Final = codes.MIN_PAYLOAD
_NO_EDNS: Final = _Edns(codes.MIN_PAYLOAD, 0)


class Query:
    """A well-formed query: opcode QUERY, one question, EDNS version 0 or none. Does not change."""

    __slots__ = (
        "ad", "cd", "do", "edns", "flags", "id", "name", "options", "payload", "qclass", "qtype", "question", "rd",
    )  # fmt: skip

    def __init__(
        self, ident: int, flags: int, question: bytes, edns: bool, ttl: int, payload: int, options: Options
    ) -> None:
        self.id = ident
        self.flags = flags
        """The 16 bits after the id."""
        self.question = question
        """QNAME as sent, QTYPE and QCLASS: the octets that a reply repeats."""
        self.name = Name(self.question[:-4].lower())
        """QNAME, folded."""
        self.qtype = self.question[-4] << 8 | self.question[-3]
        self.qclass = self.question[-2] << 8 | self.question[-1]
        self.edns = edns
        self.do = bool(ttl) and ttl & _DO != 0
        """The client wants signatures and proofs (RFC 3225): a bit of the TTL of the OPT record."""
        self.payload = max(payload, _MIN_PAYLOAD)
        """Octets of the largest UDP reply that the client accepts: at least 512 (RFC 6891 §6.2.3), 512 without EDNS."""
        self.options = options
        """The options that this server supports; others are ignored (RFC 6891 §6.1.2)."""
        self.rd = self.flags & _RD != 0
        """Recursion desired."""
        self.cd = self.flags & _CD != 0
        """Checking disabled (RFC 4035 §3.2.2)."""
        self.ad = self.flags & _AD != 0
        """The client understands AD in a reply (RFC 6840 §5.7)."""

    @property
    def qname(self) -> bytes:
        """Return QNAME in the case in which it was sent."""
        return self.question[:-4]

    def about(self, name: Name, qtype: int) -> "Query":
        """Return the same query for another name and type."""
        question = name + qtype.to_bytes(2, "big") + self.question[-2:]
        ttl = _DO if self.do else 0
        return Query(self.id, self.flags, question, self.edns, ttl, self.payload, self.options)


class MalformedQuery(Exception):  # noqa: N818 - RFC 1035 calls it a format error
    """A message that is not a well-formed query. `rcode` None: it gets no reply; else `render.error` makes the reply.

    `question` is empty if it did not parse. With `edns`, an OPT record was read, so that the reply has one. The rcode
    is NOERROR for a message without a question that asks only for a cookie (RFC 7873 §5.4).
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
        options: Options = (),
    ) -> None:
        super().__init__("dropped" if rcode is None else codes.rcode_text(rcode))
        self.rcode = rcode
        self.id = id
        self.flags = flags
        self.question = question
        self.edns = edns
        self.do = do
        self.options = options


def parse(packet: bytes) -> Query:
    """Return the query in a client's packet. Raises `MalformedQuery` and nothing else, for any octets."""
    if len(packet) < _HEADER_SIZE:
        raise MalformedQuery(None)
    ident, flags = packet[0] << 8 | packet[1], packet[2] << 8 | packet[3]
    qdcount, ancount = packet[4] << 8 | packet[5], packet[6] << 8 | packet[7]
    nscount, arcount = packet[8] << 8 | packet[9], packet[10] << 8 | packet[11]
    if flags & _QR:
        raise MalformedQuery(None)
    if not qdcount:
        raise _without_question(packet)
    end = _question_end(packet) if qdcount == 1 else 0
    if not end:
        raise MalformedQuery(codes.NOTIMP if flags & _OPCODE else codes.FORMERR, ident, flags)
    question = packet[_HEADER_SIZE:end]
    found, sound = _edns(packet, end, ancount + nscount, arcount)
    edns = found or _NO_EDNS
    rcode = _complaint(flags, ancount, edns, sound)
    if rcode:
        do = bool(edns.ttl & codes.DO)
        raise MalformedQuery(rcode, ident, flags, question, edns=found is not None, do=do, options=edns.options)
    return Query(ident, flags, question, found is not None, edns.ttl, edns.payload, edns.options)


def _without_question(packet: bytes) -> MalformedQuery:
    """Return the error for a message without a question, which may only ask for a cookie (RFC 9619 §4)."""
    ident, flags, _, ancount, nscount, arcount = _header(packet)
    found, sound = _edns(packet, _HEADER_SIZE, ancount + nscount, arcount)
    edns = found or _NO_EDNS
    rcode = _complaint(flags, ancount, edns, sound)
    if not rcode and all(code != codes.OPTION_COOKIE for code, _ in edns.options):
        rcode = codes.FORMERR
    do = bool(edns.ttl & codes.DO)
    return MalformedQuery(rcode, ident, flags, edns=found is not None, do=do, options=edns.options)


def _complaint(flags: int, ancount: int, edns: _Edns, sound: bool) -> int:
    """Return the rcode for a query whose question is well-formed; 0 if the rest is well-formed too."""
    if flags & _OPCODE:
        return codes.NOTIMP
    if ancount or not sound:
        return codes.FORMERR
    if edns is _NO_EDNS:
        return 0
    if edns.ttl & 0x00FF0000:
        return codes.BADVERS
    for code, data in edns.options:
        if code == codes.OPTION_COOKIE:
            return codes.NOERROR if len(data) in _COOKIES else codes.FORMERR
    return codes.NOERROR


def _question_end(packet: bytes) -> int:
    """Return the offset after the question; 0 if the question is cut off or its name has more than plain labels."""
    at = _HEADER_SIZE
    try:
        while size := packet[at]:
            if size > _MAX_LABEL:
                return 0
            at += size + 1
    except IndexError:
        return 0
    end = at + 5
    return end if end <= len(packet) and at - _HEADER_SIZE < _LONGEST else 0


def _edns(packet: bytes, at: int, before: int, additional: int) -> tuple[_Edns | None, bool]:
    """Read the records after the question: `before` records of other sections, then the additional ones.

    Returns the OPT record, or None, and whether the records are well-formed: each one complete, the message ending
    with the last one, and at most one OPT record, in the additional section, at the root and with whole options.
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
                options = _options(packet, at - size, at) if size and not ttl & 0x00FF0000 else ()
                found = _Edns(rclass, ttl, options or ())
                if options is None:
                    return found, False
    except (IndexError, struct.error):
        return found, False
    return found, at == len(packet)


def _after_name(packet: bytes, at: int) -> int:
    """Return the offset after a name, without following its pointers. Raises `IndexError`."""
    while size := packet[at]:
        if size >= _POINTER:
            return at + 2
        if size > _MAX_LABEL:
            raise IndexError
        at += size + 1
    return at + 1


def _options(packet: bytes, at: int, end: int) -> Options | None:
    """Return the supported options (RFC 6891 §6.1.2), the first of each code; None unless they fill the rdata."""
    found: dict[int, bytes] = {}
    while at + 4 <= end:
        code, size = _option(packet, at)
        at += 4 + size
        if code in _READ and code not in found:
            found[code] = packet[at - size : at]
    return tuple(found.items()) if at == end else None
