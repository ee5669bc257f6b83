"""The PROXY protocol, version 2: the header with the address of the client whose packets a proxy passes on.

From HAProxy's specification "The PROXY protocol", §2.2. Extensions (TLVs) are skipped. Does not know which proxies the
configuration trusts.
"""

import struct
from typing import Final, NamedTuple

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
HEAD: Final = 16
"""Octets of the fixed part, which has the number of octets that follow."""
_REST: Final = 4096  # octets; addresses and TLVs of real proxies need far less
_rest: Final = struct.Struct(">H").unpack_from
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
_SIZES: Final = {0x10: 4, 0x20: 16}  # AF_INET and AF_INET6: octets of one address


class ProxiedClient(NamedTuple):
    """The client in a header: packed address and port."""

    address: bytes
    port: int


class MalformedHeader(Exception):  # noqa: N818 - the state of the header
    """Not a header of this protocol, or one with unknown values."""


def rest(head: bytes) -> int:
    """Return the number of octets that follow a header's first 16. Raises `MalformedHeader`."""
    if len(head) < HEAD or not head.startswith(SIGNATURE) or head[12] not in {_LOCAL, _PROXY}:
        raise MalformedHeader
    (size,) = _rest(head, 14)
    if size > _REST:
        raise MalformedHeader
    return int(size)


def source(header: bytes) -> ProxiedClient | None:
    """Return the client in a whole header; None for the proxy itself or without address. Raises `MalformedHeader`."""
    end = HEAD + rest(header)
    if len(header) < end:
        raise MalformedHeader
    if header[12] == _LOCAL:
        return None
    family, transport = header[13] & 0xF0, header[13] & 0x0F
    if transport > 2 or family > 0x30:
        raise MalformedHeader
    size = _SIZES.get(family)
    if size is None or not transport:
        return None
    if end < HEAD + 2 * size + 4:
        raise MalformedHeader
    (port,) = _rest(header, HEAD + 2 * size)
    return ProxiedClient(header[HEAD : HEAD + size], port)


def strip(datagram: bytes) -> tuple[ProxiedClient | None, bytes]:
    """Return the client of a datagram, and the payload after the header. Raises `MalformedHeader`."""
    end = HEAD + rest(datagram[:HEAD])
    return source(datagram[:end]), datagram[end:]
