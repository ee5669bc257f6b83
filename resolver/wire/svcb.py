"""Address hints and TargetName in SVCB and HTTPS rdata (RFC 9460 §2.2): reads them, and removes hints.

A hint is an address that a client may use instead of asking for one. Malformed rdata has no hints and stays unchanged.
"""

from collections.abc import Callable, Iterator
from typing import Final

IPV4HINT: Final = 4
IPV6HINT: Final = 6
_SIZES: Final = {IPV4HINT: 4, IPV6HINT: 16}


def target(rdata: bytes) -> bytes:
    """Return TargetName in wire format; empty if it is cut off. The root means the owner of the record."""
    return rdata[2 : _parameters_at(rdata)]


def hints(rdata: bytes) -> Iterator[bytes]:
    """Yield the packed addresses of all hints."""
    for key, value in _parameters(rdata):
        size = _SIZES.get(key)
        if size:
            yield from (value[at : at + size] for at in range(0, len(value), size))


def without_hints(rdata: bytes, unwanted: Callable[[bytes], bool]) -> bytes:
    """Return the rdata without the hints that are `unwanted`, and without parameters that have no hint left."""
    start = _parameters_at(rdata)
    out = rdata[:start]
    for key, value in _parameters(rdata):
        size = _SIZES.get(key)
        kept = value
        if size:
            parts = (value[at : at + size] for at in range(0, len(value), size))
            kept = b"".join(part for part in parts if not unwanted(part))
            if not kept:
                continue
        out += key.to_bytes(2, "big") + len(kept).to_bytes(2, "big") + kept
    return out if start else rdata


def _parameters(rdata: bytes) -> list[tuple[int, bytes]]:
    """Return key and value of each parameter; nothing if the parameters do not fill the rdata."""
    at, found = _parameters_at(rdata), []
    if not at:
        return []
    while at + 4 <= len(rdata):
        key, size = int.from_bytes(rdata[at : at + 2], "big"), int.from_bytes(rdata[at + 2 : at + 4], "big")
        at += 4 + size
        found.append((key, rdata[at - size : at]))
    return found if at == len(rdata) else []


def _parameters_at(rdata: bytes) -> int:
    """Return the offset of the parameters, after priority and target; 0 if the target is cut off."""
    at = 2
    while at < len(rdata) and rdata[at]:
        at += 1 + rdata[at]
    return at + 1 if at < len(rdata) else 0
