"""Zones by the digest of the text that they were parsed from, so that no text is parsed twice.

The configuration check parses every zone file, and control needs the same zones a moment later. Control takes a zone
from here only where the text that control reads has the same digest. Pure.
"""

import hashlib
from typing import Final, Self

import msgspec

from zones.dns.zonefile import Zone, parse


class ParsedZones:
    """The zones that this process has parsed, and those of the process that encoded them."""

    def __init__(self) -> None:
        self._zones: dict[bytes, Zone] = {}

    def parse(self, text: str, where: str) -> Zone:
        """Return the zone of a text, as `zonefile.parse` does; from memory if the text was parsed before."""
        digest = _digest(text)
        zone = self._zones.get(digest)
        if zone is None:
            zone = self._zones[digest] = parse(text, where)
        return zone

    def put(self, text: str, zone: Zone) -> None:
        """Remember the zone of a text."""
        self._zones[_digest(text)] = zone

    def encoded(self) -> bytes:
        """Return the zones as octets for another process."""
        return _ENCODER.encode(self._zones)

    @classmethod
    def decoded(cls, octets: bytes) -> Self:
        """Return the zones of `encoded`. Raises `ValueError` for other octets."""
        parsed = cls()
        parsed._zones = _DECODER.decode(octets)
        return parsed


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[bytes, Zone])
