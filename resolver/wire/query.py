"""A query as a client sent it: the head, the one question and EDNS (RFC 1035 §4, RFC 6891, RFC 9619).

Owns what makes a query malformed and which rcode says so. Refuses to know what is done with a good one: its type and
class, and whether that client may ask, are the engine's to judge.
"""

import struct
from typing import Final

import msgspec

from resolver.wire import codes
from zones.dns.name import MAX_NAME, Name

_header: Final = struct.Struct(">6H").unpack_from
_type_class: Final = struct.Struct(">2H").unpack_from
_record: Final = struct.Struct(">2HIH").unpack_from  # type, class, TTL, rdlength
_option: Final = struct.Struct(">2H").unpack_from  # code, length

Options = tuple[tuple[int, bytes], ...]
"""Code and data of EDNS options, in order."""
_READ: Final = frozenset((
    codes.OPTION_NSID, codes.OPTION_SUBNET, codes.OPTION_COOKIE, codes.OPTION_KEEPALIVE, codes.OPTION_PADDING,
    codes.OPTION_LOOP,
))  # fmt: skip
_COOKIES: Final = frozenset((8, *range(16, 41)))  # octets of a client's cookie, with and without ours (RFC 7873 §4)


class _Edns(msgspec.Struct, frozen=True, gc=False):
    """An OPT record: its class, its TTL, which hold payload and version, flags, and its options."""

    payload: int
    ttl: int
    options: Options = ()


_NO_EDNS: Final = _Edns(codes.MIN_PAYLOAD, 0)


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
    options: Options = ()
    """Those that a reply has to do with; others are as if they were not there (RFC 6891 §6.1.2)."""

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

    `question` is empty when it did not parse. `edns`: an OPT record was read, so the reply has one. NOERROR is for a
    message without a question that only asks for a cookie (RFC 7873 §5.4).
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
    """Read one DNS message from a client. Raises `Malformed`, and nothing else, whatever the octets are."""
    if len(packet) < codes.HEADER_SIZE:
        raise Malformed(None)
    ident, flags, qdcount, ancount, nscount, arcount = _header(packet)
    if flags & codes.QR:
        raise Malformed(None)
    if not qdcount:
        raise _without_question(packet)
    end = _question_end(packet) if qdcount == 1 else 0
    if not end:
        raise Malformed(codes.NOTIMP if flags & codes.OPCODE else codes.FORMERR, ident, flags)
    question = packet[codes.HEADER_SIZE : end]
    found, sound = _edns(packet, end, ancount + nscount, arcount)
    edns = found or _NO_EDNS
    do = bool(edns.ttl & codes.DO)
    if rcode := _complaint(flags, ancount, edns, sound=sound):
        raise Malformed(rcode, ident, flags, question, edns=found is not None, do=do, options=edns.options)
    name = Name(question[:-4].lower())
    qtype, qclass = _type_class(packet, end - 4)
    payload = max(edns.payload, codes.MIN_PAYLOAD)
    return Query(ident, flags, name, qtype, qclass, question, found is not None, do, payload, edns.options)


def _without_question(packet: bytes) -> Malformed:
    """A message without a question: good for a cookie, and for nothing else (RFC 9619 §4)."""
    ident, flags, _, ancount, nscount, arcount = _header(packet)
    found, sound = _edns(packet, codes.HEADER_SIZE, ancount + nscount, arcount)
    edns = found or _NO_EDNS
    rcode = _complaint(flags, ancount, edns, sound=sound)
    if not rcode and all(code != codes.OPTION_COOKIE for code, _ in edns.options):
        rcode = codes.FORMERR
    do = bool(edns.ttl & codes.DO)
    return Malformed(rcode, ident, flags, edns=found is not None, do=do, options=edns.options)


def _complaint(flags: int, ancount: int, edns: _Edns, *, sound: bool) -> int:
    """Rcode for a query whose question is good; 0 when the rest is good too."""
    if flags & codes.OPCODE:
        return codes.NOTIMP
    if ancount or not sound:
        return codes.FORMERR
    if edns.ttl & 0x00FF0000:
        return codes.BADVERS
    cookie = next((len(data) for code, data in edns.options if code == codes.OPTION_COOKIE), 8)
    return codes.NOERROR if cookie in _COOKIES else codes.FORMERR


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
                options = _options(packet, at - size, at) if size and not ttl & 0x00FF0000 else ()
                found = _Edns(rclass, ttl, options or ())
                if options is None:
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


def _options(packet: bytes, at: int, end: int) -> Options | None:
    """The options (RFC 6891 §6.1.2) that are read here, the first of each code; None unless they fill the rdata."""
    found: dict[int, bytes] = {}
    while at + 4 <= end:
        code, size = _option(packet, at)
        at += 4 + size
        if code in _READ and code not in found:
            found[code] = packet[at - size : at]
    return tuple(found.items()) if at == end else None
