"""The parts of a query and its reply that lines show, read from octets. Never raises: any packet may be logged."""

from functools import lru_cache
from typing import Final, NamedTuple

from resolver.wire import codes
from zones.dns.name import Name, to_text

_HEADER: Final = codes.HEADER_SIZE
_LONGEST_NAME: Final = 255
_OPT: Final = b"\0\0\x29"  # the root and the type
_OPT_SIZE: Final = 11  # octets without the options
_FLAGS: Final = (
    (codes.QR, "qr"), (codes.AA, "aa"), (codes.TC, "tc"), (codes.RD, "rd"), (codes.RA, "ra"), (0x40, "z"),
    (codes.AD, "ad"), (codes.CD, "cd"),
)  # fmt: skip
_CLASSES: Final = {codes.IN: "IN", codes.CH: "CH", 4: "HS", 254: "NONE", 255: "ANY"}


class Question(NamedTuple):
    """A question as text. For a packet without one: the root, and type and class 0."""

    name: str
    """In lower case, with the dot at the end."""
    qtype: str
    qclass: str


class Options(NamedTuple):
    """What the OPT record of a query has. `payload`: 0 without an OPT record."""

    do: bool
    payload: int


def question_end(packet: bytes) -> int:
    """Return the offset of the first octet after the question; that after the header for a packet without one."""
    end = _HEADER
    while end < len(packet) and 0 < packet[end] < 64:
        end += 1 + packet[end]
    if len(packet) < end + 5 or end - _HEADER >= _LONGEST_NAME or packet[end]:
        return _HEADER
    return end + 5


@lru_cache(maxsize=10_000)
def question(octets: bytes) -> Question:
    """Return the question in these octets: those of a packet from its header to `question_end`."""
    if not octets:
        return Question(".", codes.type_text(0), "CLASS0")
    qclass = int.from_bytes(octets[-2:], "big")
    name = to_text(Name(octets[:-4].lower()))
    dotted = name if name.endswith(".") else f"{name}."
    qtype = codes.type_text(int.from_bytes(octets[-4:-2], "big"))
    return Question(dotted, qtype, _CLASSES.get(qclass) or f"CLASS{qclass}")


def options(packet: bytes, end: int) -> Options:
    """Return what the OPT record of a query says, where it follows the question. `end`: see `question_end`."""
    if packet[6:10] != b"\0\0\0\0" or packet[end : end + 3] != _OPT or len(packet) < end + _OPT_SIZE:
        return Options(do=False, payload=0)
    return Options(do=bool(packet[end + 7] & 0x80), payload=int.from_bytes(packet[end + 3 : end + 5], "big"))


def rcode(reply: bytes, end: int) -> str:
    """Return the mnemonic of a reply's rcode, with the upper bits in its OPT record. `reply`: without its message id.

    `end`: see `question_end`. Only replies without records have such rcodes (BADVERS, BADCOOKIE).
    """
    number = reply[1] & 15
    at = end - 2
    if reply[4:8] == b"\0\0\0\0" and reply[at : at + 3] == _OPT and len(reply) > at + 5:
        number |= reply[at + 5] << 4
    return codes.rcode_text(number)


@lru_cache(maxsize=1_000)
def flags(header: bytes) -> str:
    """Return the flags in these two octets of a header, separated by commas, in the order of CoreDNS."""
    bits = int.from_bytes(header, "big")
    return ",".join(name for bit, name in _FLAGS if bits & bit)
