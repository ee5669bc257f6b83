"""The octets of a query to an upstream server, with the EDNS options that this server adds. Pure."""

from functools import lru_cache
from typing import Final

from resolver.forward.edns_lessons import Edns
from resolver.forward.health import Dice
from resolver.settings import Transport
from resolver.wire import codes, relay, render

NAME: Final = codes.HEADER_SIZE - 2
"""Offset of the name in a query without its id."""
_NONE: Final = Edns.NONE  # an attribute of an enumeration takes long to read
_BLOCK: Final = 128  # octets; the length of an encrypted query is a multiple of this (RFC 8467 §4.1)
_OPT: Final = 11  # octets of an OPT record without options
_OPTION: Final = 4  # octets of an option without data


def packet_of(
    question: bytes, transport: Transport, edns: Edns, mark: bytes, cookie: bytes, do: bool, cd: bool
) -> bytes:
    """Return a query without its id. `mark` and `cookie` are options, if they are not empty."""
    has_edns = edns is not _NONE
    padded = len(question) if has_edns and transport not in {"udp", "tcp"} else 0
    before, after = _frame(has_edns, mark, cookie, padded, do, cd)
    return before + question + after


@lru_cache(1024)
def _frame(edns: bool, mark: bytes, cookie: bytes, padded: int, do: bool, cd: bool) -> tuple[bytes, bytes]:
    """Return what is before and after a question. Nearly all queries to a server have the same.

    `padded`: octets of the question in a query that is padded, else 0.
    """
    options = render.option(codes.OPTION_LOOP, mark) if mark else b""
    if cookie:
        options += render.option(codes.OPTION_COOKIE, cookie)
    if padded:
        size = codes.HEADER_SIZE + padded + _OPT + len(options) + _OPTION
        options += render.option(codes.OPTION_PADDING, bytes(-size % _BLOCK))
    return relay.frame(options, do=do, cd=cd, edns=edns)


def mixed_case(name: bytes, dice: Dice) -> bytes:
    """Return the name with each letter in upper or lower case at random."""
    return bytes(octet ^ 0x20 if 0x61 <= octet <= 0x7A and dice(2) else octet for octet in name)
