"""Frame Streams, bidirectional: the frames between a sender of messages and a collector. Pure.

    sender   READY ──▶   ◀── ACCEPT   START ──▶   messages ──▶ … STOP ──▶   ◀── FINISH   collector

From https://farsightsec.github.io/fstrm (`fstrm/control.h`). Numbers are in network byte order.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

LONGEST_CONTROL: Final = 512
"""Octets of a control frame, at most."""
_ESCAPE: Final = bytes(4)  # in place of the length of a message
_NUMBER: Final = struct.Struct("!I")
_CONTENT_TYPE: Final = 1  # field of a control frame


class ControlFrame(IntEnum):
    """Types of control frames."""

    ACCEPT = 1
    START = 2
    STOP = 3
    READY = 4
    FINISH = 5


class BadFrame(Exception):  # noqa: N818 - reads as a sentence
    """The collector does not speak Frame Streams. The message says why."""


def control(kind: ControlFrame, content_type: bytes = b"") -> bytes:
    """Return a control frame."""
    body = _NUMBER.pack(kind)
    if content_type:
        body += _NUMBER.pack(_CONTENT_TYPE) + _NUMBER.pack(len(content_type)) + content_type
    return _ESCAPE + _NUMBER.pack(len(body)) + body


def data(messages: Iterable[bytes]) -> bytes:
    """Return the frames of messages."""
    return b"".join(part for message in messages for part in (_NUMBER.pack(len(message)), message))


def control_size(head: bytes) -> int:
    """Return how many octets follow the first 8 of a control frame. Raises `BadFrame`."""
    (size,) = _NUMBER.unpack_from(head, 4)
    if not head.startswith(_ESCAPE) or not _NUMBER.size <= size <= LONGEST_CONTROL:
        raise BadFrame("the collector does not speak Frame Streams")
    return int(size)


def read_control(body: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Return the type of a control frame, and its content types. `body`: what follows the first 8 octets.

    Raises `BadFrame`.
    """
    found: list[bytes] = []
    at = _NUMBER.size
    while at < len(body):
        if at + 2 * _NUMBER.size > len(body):
            raise BadFrame("the collector sends a control frame that ends too early")
        field, size = (_NUMBER.unpack_from(body, at + i * _NUMBER.size)[0] for i in (0, 1))
        at += 2 * _NUMBER.size
        if field == _CONTENT_TYPE:
            found.append(body[at : at + size])
        at += size
    return _NUMBER.unpack_from(body)[0], tuple(found)
