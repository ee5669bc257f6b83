"""Cuts the octets of an HTTP/2 connection at its frames, and counts those that bring no query (RFC 9113 §10.5).

A frame costs its sender a few octets and the receiver a hundred microseconds, so a connection is served a few frames at
a time, and one that sends many frames for each answer is a flood. Knows the head of a frame (§4.1) and nothing inside.
"""

from typing import Final

_PREFACE: Final = 24  # octets before the first frame, RFC 9113 §3.4
_HEAD: Final = 9  # octets before the payload of a frame
_BATCH: Final = 2  # frames that are handled together: those of one query
_CREDIT: Final = 8  # frames that an answer pays for: its request, windows, settings, pings and a reset
_LIMIT: Final = 1_000  # frames that no answer has paid for


class FrameCutter:
    """The octets of one connection that have not been handled, and the count of its frames."""

    __slots__ = ("_frames", "_skip", "octets")

    def __init__(self) -> None:
        self.octets = bytearray()
        self._skip = _PREFACE
        """Octets at the start of `octets` that belong to a frame whose head was counted."""
        self._frames = 0
        """Frames that no answer has paid for."""

    @property
    def has_more(self) -> bool:
        """Whether another frame has begun to arrive."""
        return len(self.octets) >= _HEAD

    @property
    def flooded(self) -> bool:
        """Whether the client sends too many frames for the answers that it gets."""
        return self._frames > _LIMIT

    def answered(self) -> None:
        """Count an answer."""
        self._frames = max(0, self._frames - _CREDIT)

    def take(self) -> bytes:
        """Remove and return the octets of some frames; empty when no more octets wait. A frame may be incomplete."""
        octets, end = self.octets, self._skip
        for _ in range(_BATCH):
            if end + _HEAD > len(octets):
                break
            self._frames += 1
            end += _HEAD + int.from_bytes(octets[end : end + 3], "big")
        # The head of a frame that is not counted yet stays; the rest of one that was counted goes on.
        cut = min(end, len(octets))
        self._skip = end - cut
        taken = bytes(octets[:cut])
        del octets[:cut]
        return taken
