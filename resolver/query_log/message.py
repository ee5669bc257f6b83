"""The parts of a query and its reply that lines show, read from octets. Never raises: any packet may be logged."""

from functools import lru_cache
from typing import Final, NamedTuple

from resolver.wire import codes
from zones.dns.name import Name, to_text

_HEADER: Final = codes.HEADER_SIZE
_COUNTS: Final = 4  # octets before the numbers of records
_LONGEST_NAME: Final = 255
_OPT: Final = b"\0\0\x29"  # the root and the type
_OPT_SIZE: Final = 11  # octets without the options
_FLAGS: Final = (
    (codes.QR, "qr"), (codes.AA, "aa"), (codes.TC, "tc"), (codes.RD, "rd"), (codes.RA, "ra"), (0x40, "z"),
    (codes.AD, "ad"), (codes.CD, "cd"),
)  # fmt: skip
_CLASSES: Final = {codes.IN: "IN", codes.CH: "CH", 4: "HS", 254: "NONE", 255: "ANY"}


class QueryParts(NamedTuple):
    """What lines show of a query. For a packet without a question: the root, and type and class 0."""

    name: str
    """In lower case, with the dot at the end."""
    qtype: str
    qclass: str
    do: bool
    payload: int
    """That of the OPT record; 0 without one."""
    end: int
    """Offset of the first octet after the question, in the packet and in its reply."""


def query_parts(packet: bytes) -> QueryParts:
    """Return the parts of a query. Parts of queries that differ only in the id and the flags are kept."""
    return _parts(packet[_COUNTS:])


@lru_cache(maxsize=4_096)
def _parts(counts: bytes) -> QueryParts:
    packet = bytes(_COUNTS) + counts
    end = _question_end(packet)
    if end == _HEADER:
        return QueryParts(".", codes.type_text(0), "CLASS0", do=False, payload=0, end=end)
    qtype, qclass = (int.from_bytes(packet[end - at : end - at + 2], "big") for at in (4, 2))
    name = to_text(Name(packet[_HEADER : end - 4].lower()))
    do, payload = _options(packet, end)
    dotted = name if name.endswith(".") else f"{name}."
    return QueryParts(dotted, codes.type_text(qtype), _CLASSES.get(qclass) or f"CLASS{qclass}", do, payload, end)


def _question_end(packet: bytes) -> int:
    end = _HEADER
    while end < len(packet) and 0 < packet[end] < 64:
        end += 1 + packet[end]
    if len(packet) < end + 5 or end - _HEADER >= _LONGEST_NAME or packet[end]:
        return _HEADER
    return end + 5


def _options(packet: bytes, end: int) -> tuple[bool, int]:
    """Return DO and the payload of the OPT record, where it follows the question."""
    if packet[6:10] != b"\0\0\0\0" or packet[end : end + 3] != _OPT or len(packet) < end + _OPT_SIZE:
        return False, 0
    return bool(packet[end + 7] & 0x80), int.from_bytes(packet[end + 3 : end + 5], "big")


class ReplyParts(NamedTuple):
    """What lines show of a reply."""

    rcode: str
    flags: str
    """Separated by commas, in the order of CoreDNS."""


def reply_parts(reply: bytes, end: int) -> ReplyParts:
    """Return the parts of a reply, which is given without its message id. `end`: that of the question in the packet."""
    if reply[4:8] != b"\0\0\0\0":
        return _reply_parts(reply[:2], 0)
    at = end - 2  # without records, the OPT record follows, and may have the upper bits of the rcode (BADCOOKIE)
    has_upper = reply[at : at + 3] == _OPT and len(reply) > at + 5
    return _reply_parts(reply[:2], reply[at + 5] << 4 if has_upper else 0)


@lru_cache(maxsize=1_024)
def _reply_parts(header: bytes, upper: int) -> ReplyParts:
    bits = int.from_bytes(header, "big")
    return ReplyParts(codes.rcode_text(bits & 15 | upper), ",".join(name for bit, name in _FLAGS if bits & bit))
