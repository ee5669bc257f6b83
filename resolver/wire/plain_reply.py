"""Replies that a client can have as they are: addresses of the name in the question, and nothing else.

Most replies are plain. Their octets are checked and then copied; records are made only if somebody reads them. Does not
decide who may have the addresses.
"""

from typing import Final

from resolver.wire import codes
from resolver.wire.relay import Message
from zones.dns.record import AAAA, A, RRset

SIZES: Final = {A: 4, AAAA: 16}
"""Octets of an address by record type."""
_HEAD: Final = 12  # octets of a record before its rdata: pointer to the owner, type, class, TTL, rdlength
_TTL: Final = 6  # offset of the TTL in a record
_MAX_TTL: Final = 0x7FFFFFFF  # RFC 2181 §8
_HEADER_SIZE: Final = codes.HEADER_SIZE  # these are C integers in the compiled module
_MAX_LABEL: Final = codes.MAX_LABEL
_POINTER: Final = codes.POINTER
_OPT: Final = codes.OPT
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
        self.ad = bool(packet[3] & codes.AD)
        self.has_authority = packet[8] != 0 or packet[9] != 0
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
        return self.packet[_HEADER_SIZE + len(self.question) : self._end]

    def ttls(self) -> tuple[int, ...]:
        """Return the offsets of the TTLs in `records`."""
        size = (self._end - _HEADER_SIZE - len(self.question)) // self.count
        return tuple(range(_TTL, size * self.count, size))

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
    count = packet[6] << 8 | packet[7]
    others = (packet[8] << 8 | packet[9]) + (packet[10] << 8 | packet[11])
    if packet[4] or packet[5] != 1 or not count or packet[_HEADER_SIZE : start - 4].lower() != question[:-4]:
        return None
    kind = question[-4:]
    address = SIZES.get(kind[0] << 8 | kind[1])
    if address is None or packet[start - 4 : start] != kind:
        return None
    size = _HEAD + address
    end = start + size * count
    head, length = _OWNER + kind, address.to_bytes(2, "big")
    ttl = packet[start + _TTL : start + _TTL + 4]
    for at in range(start, end, size):
        if packet[at : at + _TTL] != head or packet[at + _TTL : at + _HEAD] != ttl + length:
            return None
    seconds = int.from_bytes(ttl, "big")
    if len(packet) < end or seconds > _MAX_TTL:
        return None
    try:
        cookie = _cookie(packet, end, others)
    except IndexError:
        return None
    return None if cookie is None else PlainReply(packet, question, count, end, seconds, cookie)


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
