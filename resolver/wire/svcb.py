"""The rdata of SVCB and HTTPS records (RFC 9460 §2.2): makes it, reads TargetName and address hints, removes hints.

A hint is an address that a client may use instead of asking for one. Malformed rdata has no hints and stays unchanged.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Final


class Parameter(IntEnum):
    """Keys of service parameters (RFC 9460 §14.3, RFC 9461 §5)."""

    ALPN = 1
    PORT = 3
    IPV4HINT = 4
    IPV6HINT = 6
    DOHPATH = 7


_SIZES: Final = {int(Parameter.IPV4HINT): 4, int(Parameter.IPV6HINT): 16}


def rdata(priority: int, target: bytes, parameters: Mapping[Parameter, bytes]) -> bytes:
    """Return rdata with these parameters, which it has in ascending order of their keys."""
    values = (
        key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for key, value in sorted(parameters.items())
    )
    return priority.to_bytes(2, "big") + target + b"".join(values)


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
