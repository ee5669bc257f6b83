"""Replies that a client can have as they are: addresses of the name in the question, and nothing else.

Most replies are plain. Their octets are checked and then copied; records are made only if somebody reads them. Does not
decide who may have the addresses.
"""

from typing import Final

from resolver.wire import codes
from resolver.wire.relay import Message
from zones.dns.record import AAAA, A, RRset

_HEAD: Final = 12  # octets of a record before its rdata: pointer to the owner, type, class, TTL, rdlength
_TTL: Final = 6  # offset of the TTL in a record
_HEADER_SIZE: Final = codes.HEADER_SIZE  # these are C integers in the compiled module
_MAX_LABEL: Final = codes.MAX_LABEL
_POINTER: Final = codes.POINTER
_OPT: Final = codes.OPT
_A: Final = A
_AAAA: Final = AAAA
_AD: Final = codes.AD
_OWNER: Final = b"\xc0\x0c"  # a pointer to the name in the question


class PlainReply:
    """A plain reply. `packet` is the whole message, `question` its question, folded."""

    __slots__ = ("_end", "ad", "cookie", "count", "has_authority", "packet", "question", "ttl")

    def __init__(self, packet: bytes, question: bytes, count: int, end: int, ttl: int, cookie: bytes) -> None:
        self.packet = packet
        self.question = question
        self.count = count
        """Number of addresses."""
        self.ttl = ttl
        """TTL of all addresses, in seconds."""
        self.cookie = cookie
        """The COOKIE option, as in `Message`."""
        self.ad = self.packet[3] & _AD != 0
        self.has_authority = self.packet[8] != 0 or self.packet[9] != 0
        """The reply has records in its authority section, which a plain answer leaves out."""
        self._end = end

    def message(self) -> Message:
        """Return the reply with its records, as `relay.parse` does, without the authority section."""
        packet, end = self.packet, codes.HEADER_SIZE + len(self.question) - 4
        owner, rtype = packet[codes.HEADER_SIZE : end], int.from_bytes(packet[end : end + 2], "big")
        rrset = RRset(owner, rtype, self.ttl, tuple(dict.fromkeys(self.addresses())))
        aa, ra = bool(packet[2] & codes.AA >> 8), bool(packet[3] & codes.RA)
        return Message(codes.NOERROR, aa, self.ad, ra, tc=False, answer=(rrset,))

    def records(self) -> bytes:
        """Return the octets of the answer section."""
        octets = self.packet
        return octets[_HEADER_SIZE + len(self.question) : self._end]

    def ttls(self) -> tuple[int, ...]:
        """Return the offsets of the TTLs in `records`."""
        size = (self._end - _HEADER_SIZE - len(self.question)) // self.count
        return (_TTL,) if self.count == 1 else tuple(range(_TTL, size * self.count, size))

    def addresses(self) -> list[bytes]:
        """Return the packed addresses."""
        octets, first = self.packet, _HEADER_SIZE + len(self.question) + _HEAD
        size = (self._end - first + _HEAD) // self.count
        return [octets[at : at + size - _HEAD] for at in range(first, self._end, size)]


Reply = Message | PlainReply
"""A reply of an upstream server."""


def read(packet: bytes, question: bytes) -> PlainReply | None:
    """Return the reply to `question` (folded) if it is plain and well formed, else None. Raises nothing.

    Records of the authority and additional sections are skipped, except for the OPT record.
    """
    start = _HEADER_SIZE + len(question)
    # QR, opcode 0, no TC; rcode 0.
    if len(packet) < start or packet[2] & 0xFA != 0x80 or packet[3] & 0xF:
        return None
    octets = packet
    count = octets[6] << 8 | octets[7]
    others = (octets[8] << 8 | octets[9]) + (octets[10] << 8 | octets[11])
    if octets[4] or octets[5] != 1 or not count:
        return None
    asked = octets[_HEADER_SIZE:start]
    if asked != question and asked[:-4].lower() + asked[-4:] != question:
        return None
    address = _size(octets[start - 4] << 8 | octets[start - 3])
    size = _HEAD + address
    end = start + size * count
    if not address or len(packet) < end:
        return None
    head = octets[start : start + _HEAD]  # of all records; type and class are those of the question
    if head[:_TTL] != _OWNER + octets[start - 4 : start]:
        return None
    if octets[start + _HEAD - 2] or octets[start + _HEAD - 1] != address:
        return None
    for at in range(start + size, end, size):
        if octets[at : at + _HEAD] != head:
            return None
    at = start + _TTL
    if octets[at] > 0x7F:  # not a TTL, RFC 2181 §8
        return None
    seconds = octets[at] << 24 | octets[at + 1] << 16 | octets[at + 2] << 8 | octets[at + 3]
    try:
        cookie = _cookie(packet, end, others)
    except IndexError:
        return None
    return None if cookie is None else PlainReply(packet, question, count, end, seconds, cookie)


def _size(rtype: int) -> int:
    """Return the octets of an address of this type; 0 for other types."""
    return 4 if rtype == _A else 16 if rtype == _AAAA else 0


def _cookie(packet: bytes, at: int, count: int) -> bytes | None:
    """Return the cookie in the OPT record among `count` records; empty without one, None for an unusual reply.

    Raises `IndexError` where the packet is cut off.
    """
    cookie, known = b"", False
    for _ in range(count):
        while size := packet[at]:
            if size >= _POINTER:
                at += 1
                break
            if size > _MAX_LABEL:
                return None
            at += size + 1
        start = at + 11
        size = packet[at + 9] << 8 | packet[at + 10]
        if packet[at + 1] << 8 | packet[at + 2] == _OPT:
            if known or packet[at + 5]:
                return None  # two OPT records, or an extended rcode
            known = True
            if size:
                length = packet[start + 2] << 8 | packet[start + 3]
                if packet[start : start + 2] != _COOKIE or length != size - 4:
                    return None  # other options
                cookie = packet[start + 4 : start + size]
        at = start + size
    return cookie if at <= len(packet) else None


_COOKIE: Final = codes.OPTION_COOKIE.to_bytes(2, "big")
