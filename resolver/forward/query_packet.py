"""The octets of a query to an upstream server, with the EDNS options that this server adds. Pure."""

from typing import Final

from resolver.forward.cache import Key
from resolver.forward.edns_lessons import Edns
from resolver.forward.health import Dice
from resolver.settings import Transport
from resolver.wire import codes, relay, render
from zones.dns.name import Name

NAME: Final = codes.HEADER_SIZE - 2
"""Offset of the name in a query without its id."""
_BLOCK: Final = 128  # octets; the length of an encrypted query is a multiple of this (RFC 8467 §4.1)
_OPT: Final = 11  # octets of an OPT record without options
_OPTION: Final = 4  # octets of an option without data


def packet(key: Key, transport: Transport, edns: Edns, mark: bytes, cookie: bytes) -> bytes:
    """Return a query without its id. `mark` and `cookie` are options, if they are not empty."""
    options = b""
    if mark:
        options = render.option(codes.OPTION_LOOP, mark)
    if cookie:
        options += render.option(codes.OPTION_COOKIE, cookie)
    if edns is not Edns.NONE and transport in {"tls", "https"}:
        size = codes.HEADER_SIZE + len(key.name) + 4 + _OPT + len(options) + _OPTION
        options += render.option(codes.OPTION_PADDING, bytes(-size % _BLOCK))
    return relay.query(0, key.name, key.type, do=key.do, cd=key.cd, options=options, edns=edns is not Edns.NONE)[2:]


def mixed_case(name: Name, dice: Dice) -> bytes:
    """Return the name with each letter in upper or lower case at random."""
    return bytes(octet ^ 0x20 if 0x61 <= octet <= 0x7A and dice(2) else octet for octet in name)
