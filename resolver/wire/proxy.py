"""The PROXY protocol, version 2: the header in which a proxy tells whose connection or datagram it passes on.

After HAProxy's specification "The PROXY protocol", §2.2. Only listed proxies are believed, which is for others to see
to; here are only octets. Extensions (TLVs) are skipped.
"""

import struct
from typing import Final, NamedTuple

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
HEAD: Final = 16
"""Octets of the fixed part, which says how many follow."""
_REST: Final = 4096  # octets; far more than addresses and TLVs of real proxies need
_rest: Final = struct.Struct(">H").unpack_from
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
_SIZES: Final = {0x10: 4, 0x20: 16}  # AF_INET and AF_INET6: octets of one address


class Source(NamedTuple):
    """Whom the proxy speaks for: packed address and port."""

    address: bytes
    port: int


class Malformed(Exception):  # noqa: N818 - the state of the header
    """Not a header of this protocol, or one that cannot be understood."""


def rest(head: bytes) -> int:
    """Octets that follow a header's first 16. Raises `Malformed`."""
    if len(head) < HEAD or not head.startswith(SIGNATURE) or head[12] not in {_LOCAL, _PROXY}:
        raise Malformed
    (size,) = _rest(head, 14)
    if size > _REST:
        raise Malformed
    return int(size)


def source(header: bytes) -> Source | None:
    """Whom a whole header speaks for; None: the proxy itself, or what has no address. Raises `Malformed`."""
    end = HEAD + rest(header)
    if len(header) < end:
        raise Malformed
    if header[12] == _LOCAL:
        return None
    family, transport = header[13] & 0xF0, header[13] & 0x0F
    if transport > 2 or family > 0x30:
        raise Malformed
    size = _SIZES.get(family)
    if size is None or not transport:
        return None
    if end < HEAD + 2 * size + 4:
        raise Malformed
    (port,) = _rest(header, HEAD + 2 * size)
    return Source(header[HEAD : HEAD + size], port)


def strip(datagram: bytes) -> tuple[Source | None, bytes]:
    """Whom a datagram is from, and what is in it. Raises `Malformed`."""
    end = HEAD + rest(datagram[:HEAD])
    return source(datagram[:end]), datagram[end:]
